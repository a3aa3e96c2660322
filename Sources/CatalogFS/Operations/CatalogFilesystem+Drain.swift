// SPDX-License-Identifier: Apache-2.0

import Iceberg
import ObjectCache

/// A file that exists only in this mount.
package struct StagedSummary: Sendable, Hashable {
  /// Below the mount point.
  package var path: String
  /// Bytes.
  package var size: Int64
  package var isScratch: Bool
  /// Why it could not be published; nil if it was not tried, or bytes have come since.
  package var reason: String?
}

/// A file on its way to S3.
package struct TransferSummary: Sendable, Hashable {
  /// Below the mount point.
  package var path: String
  /// Bytes that were written here so far.
  package var written: Int64
  /// Bytes that S3 has, as parts of an upload.
  package var sent: Int64
  /// Whether all bytes were written: what is missing is on its way.
  package var isComplete: Bool
  /// Since the file was made.
  package var age: Duration
  /// The process that writes it, as far as it can be seen.
  package var writer: Int32?
}

/// A file that somebody reads from front to back.
package struct ReadingSummary: Sendable, Hashable {
  /// Below the mount point.
  package var path: String
  /// Bytes of the file up to where it was read.
  package var read: Int64
  /// Bytes of the file.
  package var size: Int64
  /// Since the file was opened.
  package var age: Duration
}

extension CatalogFilesystem {
  /// Bytes that must have been read in sequence before a file counts as being copied.
  private static var shortestCopy: Int64 { 8 << 20 }

  /// Files that are being read from front to back and are not at their end, in the order of their paths; what the kernel answers from its own cache
  /// is not seen.
  package var readings: [ReadingSummary] {
    handles.open.compactMap { handle -> ReadingSummary? in
      let (sequence, size, opening): (Range<Int64>?, Int64, HandleTable.Opening)
      switch handle {
      case .object(let reader, let opened): (sequence, size, opening) = (reader.sequentialRead, reader.object.size, opened)
      case .snapshotFile(let reader, let opened): (sequence, size, opening) = (reader.sequentialRead, reader.object.size, opened)
      case .stream, .content, .directory, .staged: return nil
      }
      guard let sequence, sequence.count >= Self.shortestCopy, sequence.upperBound < size else { return nil }
      return ReadingSummary(path: opening.node.path, read: sequence.upperBound, size: size, age: opening.time.duration(to: .now))
    }.sorted { ($0.path, $0.age) < ($1.path, $1.age) }
  }

  /// Files that are being written or uploaded now, in the order of their paths.
  package var transfers: [TransferSummary] {
    guard let now = writing?.now() else { return [] }
    return local.files.compactMap { file -> TransferSummary? in
      let (content, place, opener, isOpen, isPublishing, generation) = file.withState { state in
        (state.content, state.place, state.opener, state.hasWriter, state.publication != nil, state.generation)
      }
      guard case .upload(let upload) = content, generation > 0, isOpen || isPublishing else { return nil }
      return TransferSummary(
        path: place.path, written: upload.size, sent: upload.uploaded, isComplete: isPublishing,
        age: .nanoseconds(max(0, now - file.created)), writer: isOpen ? opener?.identifier : nil)
    }.sorted { $0.path < $1.path }
  }

  /// Files that were written here and are not published, in the order of their paths.
  package var stagedFiles: [StagedSummary] {
    local.files.map { file in
      let (role, refusal, size) = (file.role, file.withState { $0.refusal }, file.size)
      return StagedSummary(path: file.path, size: size, isScratch: role == .scratch, reason: refusal?.message)
    }.sorted { $0.path < $1.path }
  }

  /// Commits and uploads whose outcome somebody may wait for: path and operation.
  package var workInFlight: [(path: String, operation: String)] {
    writes.work.map { ($0.path, $0.operation) }
  }

  /// Waits for commits and publications under way, then gives up what was never closed. To be called when no request comes any more.
  ///
  /// - Parameter limit: waits no longer; what then still runs goes on until the process ends, and what it leaves is in the journal.
  /// - Returns: what was never published, and what still runs.
  package func drain(within limit: Duration) async -> (staged: [StagedSummary], running: [(path: String, operation: String)]) {
    // A sixth is for what S3 has of files that nobody closed; what is not given up by then is in the journal for the next mount.
    await endOfWork(within: limit - limit / 6)
    let staged = stagedFiles.filter { !$0.isScratch }
    let running = workInFlight
    for file in local.files where file.withState({ $0.publication }) == nil {
      _ = writes.start(file.path, "unmount") { [self] in await discard(file) }
    }
    await endOfWork(within: limit / 6)
    return (staged, running)
  }

  private func endOfWork(within limit: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [self] in
        while !Task.isCancelled, let work = writes.work.first { _ = try? await work.fetch.value() }
      }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }
}
