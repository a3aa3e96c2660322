// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// How a wait for bytes of a block ended.
enum FetchOutcome: Sendable {
  case ready
  /// The fetch was given up because its reader closed: whoever still needs the bytes fetches them himself.
  case abandoned
  case failed(FileIOError)
  /// The waiting task was cancelled; the fetch goes on.
  case cancelled
}

/// One MiB of an object in memory, filled chunk by chunk while its fetch runs.
///
/// A chunk is written once, by the one fetch that claimed it, then published and never changed. The memory and its reservation go back when the
/// last reference is dropped, so evicting a block that is being read is safe.
final class Block: Sendable {
  private struct Waiter {
    let need: UInt64
    let outcome: OneShot<FetchOutcome>
  }

  private struct State {
    /// Chunks that a running fetch has claimed and not yet published.
    var claimed: UInt64 = 0
    var waiters: [Waiter] = []
  }

  let id: BlockID
  /// Object bytes; less than the block size at the end of the object only.
  let size: Int
  private let region: BlockRegion
  private let pool: BlockPool
  private let budget: MemoryBudget
  /// Published chunks. Written under `state`'s lock with release order after the bytes, read anywhere with acquire order.
  private let published = Atomic<UInt64>(0)
  /// Whether the block stands in the queue of what goes to disk.
  private let awaitsDisk = Atomic<Bool>(false)
  private let state = Mutex(State())

  /// Takes over the region and its reservation.
  init(id: BlockID, size: Int, region: BlockRegion, pool: BlockPool, budget: MemoryBudget) {
    self.id = id
    self.size = size
    self.region = region
    self.pool = pool
    self.budget = budget
  }

  deinit {
    pool.give(region)
    budget.release(region.capacity)
  }

  /// Bytes of memory.
  var capacity: Int { region.capacity }
  var isEmpty: Bool { published.load(ordering: .relaxed) == 0 }
  var isFetching: Bool { state.withLock { $0.claimed != 0 } }
  /// Whether a task waits for any chunk of `mask`.
  func isAwaited(_ mask: UInt64) -> Bool {
    state.withLock { $0.waiters.contains { $0.need & mask != 0 && !$0.outcome.isDone } }
  }

  /// Whether all chunks of a mask can be read.
  func holds(_ mask: UInt64) -> Bool {
    mask & ~published.load(ordering: .acquiring) == 0
  }

  /// The chunks that can be read.
  var presentChunks: UInt64 { published.load(ordering: .acquiring) }

  /// Notes that the block is to go to disk. False if that was noted already.
  func joinDiskQueue() -> Bool {
    !awaitsDisk.exchange(true, ordering: .acquiringAndReleasing)
  }

  func leaveDiskQueue() {
    awaitsDisk.store(false, ordering: .releasing)
  }

  /// Published bytes; `range` counts from the start of the block and lies within published chunks. Valid while the block is referenced.
  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    // SAFETY: the range lies within the region, which lives as long as the block; published bytes are never written again.
    UnsafeRawBufferPointer(start: region.base + range.lowerBound, count: range.count)
  }

  /// Claims what of `mask` nobody has or fetches, for one fetch to fill; whoever claims must publish or fail every chunk.
  ///
  /// - Returns: the claimed chunks, and what to wait on unless all of `need` is there. To be called under the cache's lock.
  func claim(_ mask: UInt64, need: UInt64) -> (claimed: UInt64, outcome: OneShot<FetchOutcome>?) {
    state.withLock { state in
      let present = published.load(ordering: .acquiring)
      let claimed = (mask | need) & ~present & ~state.claimed
      state.claimed |= claimed
      guard need & ~present != 0 else { return (claimed, nil) }
      let outcome = OneShot<FetchOutcome>(cancelled: .cancelled)
      state.waiters.append(Waiter(need: need, outcome: outcome))
      return (claimed, outcome)
    }
  }

  /// Copies bytes into chunks that the caller's fetch has claimed and not published.
  func fill(at offset: Int, from bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, offset >= 0, offset + bytes.count <= size else { return }
    // SAFETY: bounds checked above; only the claiming fetch writes these chunks, and nobody reads them before they are published.
    (region.base + offset).copyMemory(from: source, byteCount: bytes.count)
  }

  /// The memory of chunks that the caller has claimed and not published, to be filled in place.
  func claimedBytes(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
    // SAFETY: the range lies within the region, which lives as long as the block; nobody else writes there, and nobody reads before it is published.
    UnsafeMutableRawBufferPointer(start: region.base + range.lowerBound, count: range.count)
  }

  /// Makes claimed chunks readable and resumes those who have all they need.
  func publish(_ mask: UInt64) {
    let satisfied = state.withLock { state -> [Waiter] in
      state.claimed &= ~mask
      let present = published.load(ordering: .relaxed) | mask
      published.store(present, ordering: .releasing)
      guard !state.waiters.isEmpty else { return [] }
      let satisfied = state.waiters.filter { $0.need & ~present == 0 }
      if !satisfied.isEmpty { state.waiters.removeAll { $0.need & ~present == 0 } }
      return satisfied
    }
    for waiter in satisfied { waiter.outcome.complete(.ready) }
  }

  /// Gives up claimed chunks: those who wait for any of them get the outcome, the next reader claims anew.
  func fail(_ mask: UInt64, _ outcome: FetchOutcome) {
    let affected = state.withLock { state -> [Waiter] in
      state.claimed &= ~mask
      let affected = state.waiters.filter { $0.need & mask != 0 }
      state.waiters.removeAll { $0.need & mask != 0 }
      return affected
    }
    for waiter in affected { waiter.outcome.complete(outcome) }
  }
}
