// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

@testable import Iceberg

/// What PyIceberg did to its own tables is legal.
@Suite struct CommitHistoryTests {
  @Test(
    "Each file that PyIceberg wrote is a legal successor of the one before, manifests included", arguments: ["history_v1", "history_v2"])
  func successors(name: String) async throws {
    let history = try CommitHistory(name)
    #expect(history.metadata.count >= 20)
    var warnings: [SuccessorWarning] = []
    for index in history.metadata.indices {
      let base = index > 0 ? try history.base(index - 1) : nil
      let (location, bytes) = history.metadata[index]
      let next = try SuccessorCheck.read(bytes, location: location, base: base)
      let check = SuccessorCheck(base: base, next: next, location: location, nowMs: next.head.lastUpdatedMs)
      do throws(SuccessorRefusal) {
        warnings += try check.check()
        warnings += try await check.checkFiles(history.files)
      } catch {
        Issue.record("\(location): \(error)")
      }
    }
    // PyIceberg keeps the log of an expired snapshot's predecessors, and cuts the parents of its successors.
    #expect(Set(warnings.map(\.row)).isSubset(of: [.keptSnapshots, .snapshotLog, .references]), "\(warnings)")
  }

  @Test("A file that skips one commit is a conflict, and so is one older than the base", arguments: ["history_v1", "history_v2"])
  func stale(name: String) throws {
    let history = try CommitHistory(name)
    for (baseIndex, nextIndex) in [(3, 5), (5, 4), (10, 2), (7, 7)] {
      let base = try history.base(baseIndex)
      let (location, bytes) = history.metadata[nextIndex]
      let next = try SuccessorCheck.read(bytes, location: location, base: base)
      let check = SuccessorCheck(base: base, next: next, location: location, nowMs: 0)
      let refusal = #expect(throws: SuccessorRefusal.self) { _ = try check.check() }
      #expect(refusal?.kind == .conflict)
      #expect(refusal?.row == .baseBinding)
    }
  }

  @Test("A whole history may be registered as a new table", arguments: ["history_v1", "history_v2"])
  func registration(name: String) async throws {
    let history = try CommitHistory(name)
    let (location, bytes) = try #require(history.metadata.last)
    let next = try SuccessorCheck.read(bytes, location: location, base: nil)
    let check = SuccessorCheck(base: nil, next: next, location: location, nowMs: next.head.lastUpdatedMs)
    #expect(try check.check().contains { $0.row == .create && $0.path == "metadata-log" })
    #expect(try await check.checkFiles(history.files) == [])
  }
}
