// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// After a commit: deletes the metadata files that fell out of the log, where the table's properties say so. Source: spec/table-metadata.md §5.
///
/// Changes nothing about the commit's outcome; what cannot be deleted stays, and is logged. So does what another entry of the catalog needs,
/// or may need: each commit that has something to delete lists the catalog for that (``Reachability/needed(_:besides:)``), after the commit
/// and behind ``patience``. An entry that is made between this listing and the deletion is not seen.
struct CommitCleanup: Sendable {
  /// DELETE requests under way at once: as many as one connection pool carries without queueing.
  private static let width = 16
  /// How long the commit's caller waits for all of this; the rest goes on without it. The usual one file takes one request.
  private static let patience = Duration.seconds(2)

  let engine: CommitEngine
  let plan: CommitPlan
  let files: any WritableFileIO

  /// - Returns: what was deleted while the caller waited.
  func run() async -> [ObjectLocation] {
    let due = fallenOut()
    guard !due.isEmpty else { return [] }
    await engine.settings.pause(.beforeCleanup)
    let deleted = DeletedFiles()
    let work = Task {
      await delete(await unneeded(due), deleted)
      deleted.end()
    }
    let clock = engine.settings.clock
    let timer = Task {
      try? await clock.sleep(for: Self.patience)
      deleted.end()
    }
    await deleted.waitForEnd()
    timer.cancel()
    _ = work
    return deleted.all
  }

  /// Files of the base's log that the new log no longer names, directly in the table's metadata directory.
  private func fallenOut() -> [ObjectLocation] {
    guard let base = plan.base, let head = plan.baseHead, MetadataProperties.deletesAfterCommit(plan.metadata) else { return [] }
    let kept = Set((plan.metadata.head.metadataLog.map(\.file) + [base.metadataLocation, plan.uri]).map { Array($0.utf8) })
    guard let directory = try? files.location(plan.metadata.head.metadataLocation + "/") else { return [] }
    var seen: Set<[UInt8]> = []
    return head.metadataLog.compactMap { entry in
      let text = Array(entry.file.utf8)
      guard !kept.contains(text), seen.insert(text).inserted, let name = MetadataFileName(entry.file)?.name,
        let location = try? files.location(entry.file), location.bucket.utf8.elementsEqual(directory.bucket.utf8),
        location.key.utf8.elementsEqual((directory.key + name).utf8)
      else { return nil }
      return location
    }
  }

  /// Those that no other entry needs.
  private func unneeded(_ due: [ObjectLocation]) async -> [ObjectLocation] {
    let needed = await engine.reachability.needed(due, besides: plan.table)
    for (location, reason) in needed {
      engine.settings.logger.warning(
        "an old metadata file is kept, as another table may need it",
        metadata: ["table": "\(plan.table)", "file": "\(location)", "reason": "\(reason)"])
    }
    return due.filter { needed[$0] == nil }
  }

  private func delete(_ due: [ObjectLocation], _ deleted: DeletedFiles) async {
    await withTaskGroup(of: Void.self) { group in
      for (index, location) in due.enumerated() {
        if index >= Self.width { await group.next() }
        group.addTask { await delete(location, deleted) }
      }
    }
  }

  private func delete(_ location: ObjectLocation, _ deleted: DeletedFiles) async {
    do throws(FileIOError) {
      try await files.delete(location, etag: nil)
      deleted.add(location)
    } catch {
      engine.settings.logger.warning(
        "an old metadata file could not be deleted",
        metadata: ["table": "\(plan.table)", "file": "\(location)", "reason": "\(error.message)"])
    }
  }
}

/// Collects what was deleted until the work or the time is over, whichever is first.
private final class DeletedFiles: Sendable {
  private struct State {
    var all: [ObjectLocation] = []
    var isOver = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  var all: [ObjectLocation] { state.withLock { $0.all } }

  func add(_ location: ObjectLocation) {
    state.withLock { $0.all.append(location) }
  }

  func end() {
    let waiter = state.withLock { state in
      state.isOver = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// One caller.
  func waitForEnd() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if !state.isOver { state.waiter = continuation }
        return state.isOver
      }
      if isOver { continuation.resume() }
    }
  }
}
