// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization

/// Says whether anything in a catalog reaches an object, so that only what nothing reaches is ever deleted.
///
/// An object is referenced if it is the pointer of any table, or is named by the current metadata file or one of its log (manifest lists,
/// manifests, statistics, logged files, properties), or is live in a manifest of any of their snapshots. Tables are those whose location,
/// additional locations or metadata directories the object lies in, whatever their names. Whatever cannot be read or understood may reach
/// the object too, and is never guessed at.
///
/// Every decision lists the catalog anew. Files are immutable and read once for as long as the memory limit lets them be kept; what is kept
/// of a manifest is 16 bytes a file. Safe from any thread. Source: spec/table-metadata.md §5, spec/manifests.md §5.
package final class Reachability: Sendable {
  /// The answer for one object.
  package enum Verdict: Sendable, Hashable {
    /// Nothing reaches it. How that was established, as a sentence.
    case unreferenced(since: String)
    /// A sentence that names the table, the metadata file and the snapshot.
    case referenced(by: String)
    /// It counts as referenced. Why nobody can say, as a sentence.
    case undecided(String)
  }

  private struct Caller {
    var target: ReachTarget
    var continuation: CheckedContinuation<Verdict, Never>
  }

  private struct State {
    var waiting: [UInt64: Caller] = [:]
    var isSweeping = false
    var nextCaller: UInt64 = 0
  }

  private let state = Mutex(State())
  private let watch: CatalogWatch
  private let reader: ReachReader
  private let catalog: any Catalog
  private let logger: Logger

  /// - Parameters:
  ///   - memoryLimit: bytes for what is kept of files; what does not fit is read again. 64 MiB hold four million data files.
  ///   - clock: for how long tables count that have left the catalog.
  package init(catalog: any Catalog, memoryLimit: Int = 64 << 20, logger: Logger, clock: any LockClock = SystemLockClock()) {
    self.catalog = catalog
    self.logger = logger
    watch = CatalogWatch(catalog, clock: clock)
    reader = ReachReader(cache: ReachCache(limit: memoryLimit))
  }

  /// Whether the object may be deleted as far as the catalog is concerned.
  ///
  /// The catalog is listed after the call, so that a commit which was published before it is always seen. Calls that come while a sweep runs
  /// share the next one. A cancelled caller leaves at once, undecided.
  /// - Parameter owner: the table in whose directory the object was found; it is always looked through.
  package func judge(_ location: ObjectLocation, owner: TableIdentifier) async -> Verdict {
    let target = ReachTarget(location: location, digest: PathDigest(location), owner: owner)
    let number = state.withLock { state in
      state.nextCaller += 1
      return state.nextCaller
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        enum Next { case cancelled, start, wait }
        let next = state.withLock { state -> Next in
          // Under the lock: a cancellation before now is seen here, one after now finds the caller.
          if Task.isCancelled { return .cancelled }
          state.waiting[number] = Caller(target: target, continuation: continuation)
          defer { state.isSweeping = true }
          return state.isSweeping ? .wait : .start
        }
        switch next {
        case .cancelled: continuation.resume(returning: Self.cancelled)
        case .start: Task.detached { [self] in await sweepWhileAsked() }
        case .wait: break
        }
      }
    } onCancel: {
      let caller = state.withLock { $0.waiting.removeValue(forKey: number) }
      caller?.continuation.resume(returning: Self.cancelled)
    }
  }

  /// Which of a table's old metadata files must stay because another entry of the catalog points at them or logs them.
  ///
  /// Costs one listing of the catalog, the first time two, and one read of a metadata file for each new pointer of another entry whose
  /// directories overlap those of the files: none for most tables. What cannot be listed, read or understood counts as needing them all.
  /// - Returns: those that stay, each with the reason as a sentence.
  package func needed(_ files: [ObjectLocation], besides table: TableIdentifier) async -> [ObjectLocation: String] {
    if files.isEmpty { return [:] }
    return await MetadataFileUse(catalog: catalog, watch: watch, reader: reader).needed(files, besides: table)
  }

  /// Bytes in use for what is kept of files, about.
  package var memoryUse: Int { reader.cache.cost }

  /// Callers without an answer yet.
  var waitingCallers: Int { state.withLock { $0.waiting.count } }

  private static let cancelled = Verdict.undecided("The caller gave up before the answer was known.")

  private func sweepWhileAsked() async {
    while true {
      let callers = state.withLock { state -> [(number: UInt64, target: ReachTarget)] in
        let callers = state.waiting.map { ($0.key, $0.value.target) }
        if callers.isEmpty { state.isSweeping = false }
        return callers
      }
      if callers.isEmpty { return }
      var sweep = ReachSweep(callers.map(\.target), catalog: catalog, watch: watch, reader: reader)
      let verdicts = await sweep.run()
      for (caller, verdict) in zip(callers, verdicts) {
        if case .undecided(let why) = verdict {
          logger.warning(
            "it cannot be told whether an object is referenced", metadata: ["object": "\(caller.target.location)", "why": "\(why)"])
        }
        let waiting = state.withLock { $0.waiting.removeValue(forKey: caller.number) }
        waiting?.continuation.resume(returning: verdict)
      }
    }
  }
}
