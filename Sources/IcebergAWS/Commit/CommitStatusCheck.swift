// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Iceberg

/// Finds out what became of a conditional write whose answer does not say it: by reading the entry back, as often as the table's properties
/// allow while it cannot be read. Source: spec/glue.md §11, §12, spec/dynamodb.md §6.
struct CommitStatusCheck {
  /// What the metadata log of a pointer's file says of another metadata file.
  enum LogFinding: Sendable, Hashable {
    /// It is an earlier version of the table.
    case contains
    /// The log reaches back to where the file would stand, and it is not there.
    case excludes
    /// The log has been cut behind that place.
    case doesNotReach
  }

  let commit: TableCommit
  let files: any FileIO
  let clock: any AWSClock

  /// Longer waits than these gain nothing, whatever the properties say: somebody waits for the answer.
  private static let longestWait = Duration.seconds(60)
  /// For all attempts: a directory is held meanwhile.
  private static let longestCheck = Duration.seconds(60)

  /// Runs an attempt until it does not throw; `unknown` when there are no attempts left.
  func settle(
    _ problem: String, _ attempt: () async throws(CatalogError) -> CommitOutcome
  ) async -> CommitOutcome {
    let properties = commit.document.properties
    let retries = Self.number(properties["commit.status-check.num-retries"]) ?? 3
    let shortest = Duration.milliseconds(Self.number(properties["commit.status-check.min-wait-ms"]) ?? 1000)
    let longest = min(Self.longestWait, .milliseconds(Self.number(properties["commit.status-check.max-wait-ms"]) ?? 60_000))
    let total = Duration.milliseconds(Self.number(properties["commit.status-check.total-timeout-ms"]) ?? 1_800_000)
    let end = clock.elapsed() + min(Self.longestCheck, total)
    var wait = min(shortest, longest)
    var done: Int64 = 0
    while true {
      do {
        return try await attempt()
      } catch {
        guard done < retries, clock.elapsed() + wait < end else {
          return .unknown("\(problem), and the entry cannot be read back: \(error.message)")
        }
      }
      done += 1
      try? await clock.sleep(for: wait + wait * clock.random() / 10)
      wait = min(wait * 2, longest)
    }
  }

  /// Looks for the commit's file in the log of the file that a pointer names.
  func log(of pointer: String) async throws(CatalogError) -> LogFinding {
    let head: TableMetadataHead
    do {
      let location = try files.location(pointer)
      let attributes = try await files.head(location)
      let sink = WholeObject()
      _ = try await files.read(location, etag: attributes.etag, range: 0..<attributes.size, into: sink)
      head = try TableMetadataHead(parsing: sink.bytes, fileName: pointer)
    } catch {
      throw CatalogError(code: .failed, message: "\(pointer): \(error)")
    }
    func isInLog(_ file: String) -> Bool { head.metadataLog.contains { $0.file.utf8.elementsEqual(file.utf8) } }
    if isInLog(commit.metadataLocation) { return .contains }
    if let base = commit.base { return isInLog(base.metadataLocation) ? .excludes : .doesNotReach }
    let kept = Self.number(head.properties["write.metadata.previous-versions-max"]) ?? 100
    return head.metadataLog.count < kept ? .excludes : .doesNotReach
  }

  private static func number(_ text: String?) -> Int64? {
    text.flatMap { Int64($0) }.flatMap { (0...86_400_000).contains($0) ? $0 : nil }
  }
}
