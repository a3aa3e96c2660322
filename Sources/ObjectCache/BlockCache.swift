// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
package import Telemetry

/// The blocks that all handles share: one copy of each, one fetch in flight for each, within one memory budget.
///
/// Memory is the budget's; the cache fills it and gives back what is asked for. Lock order: the cache's lock, then a block's. Budget and pool are called,
/// and blocks let go of, outside the cache's lock.
package final class BlockCache: MemoryReclaiming {
  private struct ObjectKey: Hashable {
    let bucket: String
    let key: String
    let etag: String
  }

  /// One version of one object, as long as a handle or a block knows it.
  private struct Record {
    let key: ObjectKey
    var readers = 0
    var blocks = 0
  }

  private struct State {
    var table: BlockTable
    var objects: [ObjectKey: UInt64] = [:]
    var records: [UInt64: Record] = [:]
    var lastObject: UInt64 = 0
    var fetchesInFlight = 0

    mutating func insert(_ block: Block, _ queue: BlockTable.Queue, displaced: inout [Block]) {
      records[block.id.object]?.blocks += 1
      if let gone = table.insert(block, queue) {
        forget(gone)
        displaced.append(gone)
      }
    }

    mutating func evict(bytes: Int, sparingWindow: Bool) -> [Block] {
      var evicted: [Block] = []
      table.evict(bytes: bytes, sparingWindow: sparingWindow, into: &evicted)
      for block in evicted { forget(block) }
      return evicted
    }

    mutating func forget(_ block: Block) {
      records[block.id.object]?.blocks -= 1
      dropRecord(block.id.object)
    }

    mutating func dropRecord(_ object: UInt64) {
      guard let record = records[object], record.readers == 0, record.blocks == 0 else { return }
      records[object] = nil
      objects[record.key] = nil
    }
  }

  /// What one read or one request ahead got hold of.
  struct Claim: Sendable {
    /// Blocks of the demanded range, in order.
    var blocks: [Block] = []
    /// To be awaited before the demanded range can be read.
    var outcomes: [OneShot<FetchOutcome>] = []
    /// To be started by the caller.
    var fetches: [BlockFetch] = []
    /// Where the range had to be cut for lack of memory; nil if it was not.
    var refusedAt: Int64?
  }

  /// A part of an object to be read now and the range, around or ahead of it, to be fetched along.
  struct Want: Sendable {
    let object: UInt64
    let size: Int64
    /// Empty for what is only fetched ahead.
    let demand: Range<Int64>
    let fetch: Range<Int64>
    let maximumRequest: Int64
  }

  let counters = CacheCounters()
  /// Where blocks are looked for before S3 is asked; nil if nowhere.
  let disk: DiskBlockStore?
  private let budget: MemoryBudget
  private let pool: BlockPool
  private let metrics: Metrics
  /// Bytes that blocks fetched ahead may take: the rest is for first blocks and for what was read.
  private let windowCapacity: Int
  private let state: Mutex<State>

  /// - Parameters:
  ///   - budget: shared with whatever else takes memory; the cache makes itself its reclaimer.
  ///   - disk: where blocks are kept besides.
  package init(budget: MemoryBudget, metrics: Metrics, disk: DiskBlockStore? = nil) {
    self.disk = disk
    self.budget = budget
    self.metrics = metrics
    self.pool = BlockPool(limit: budget.limit)
    self.windowCapacity = budget.limit / 4 * 3
    self.state = Mutex(State(table: BlockTable(limit: budget.limit)))
    budget.setReclaimer(self)
  }

  /// Bytes of memory in cached blocks, those being fetched included.
  package var bytes: Int { state.withLock { $0.table.bytes } }
  /// Requests running now.
  package var fetchesInFlight: Int { state.withLock { $0.fetchesInFlight } }
  /// Bytes mapped from the kernel for blocks.
  package var mappedBytes: Int { pool.mappedBytes }

  /// Of the disk cache; nil if there is none.
  package var diskStatus: DiskBlockStore.Status? { disk?.status }

  /// See ``DiskBlockStore/close(within:)``.
  package func closeDisk(within limit: Duration) async {
    await disk?.close(within: limit)
  }

  /// Drops every block that is not being fetched and returns the memory to the kernel; blocks being read go when their readers are done.
  package func removeAll() {
    drop(state.withLock { $0.evict(bytes: .max, sparingWindow: false) })
    pool.trim()
  }

  /// Returns memory that no block uses to the kernel.
  package func trim() {
    pool.trim()
  }

  /// Brings the counters and gauges of ``Metrics`` up to date; to be called before they are shown.
  package func publishMetrics() {
    counters.publish(to: metrics)
    metrics.set(.cacheBytes, to: Int64(bytes))
    metrics.set(.memoryReservedBytes, to: Int64(budget.used))
  }

  package func reclaim(bytes: Int) {
    drop(state.withLock { $0.evict(bytes: bytes, sparingWindow: false) })
  }

  // MARK: - Objects

  /// The number under which blocks of this version of an object are kept, counted until ``close(_:)``.
  func open(_ attributes: ObjectAttributes) -> UInt64 {
    let key = ObjectKey(bucket: attributes.location.bucket, key: attributes.location.key, etag: attributes.etag)
    return state.withLock { state in
      if let object = state.objects[key] {
        state.records[object]?.readers += 1
        return object
      }
      state.lastObject += 1
      state.objects[key] = state.lastObject
      state.records[state.lastObject] = Record(key: key, readers: 1)
      return state.lastObject
    }
  }

  func close(_ object: UInt64) {
    state.withLock { state in
      state.records[object]?.readers -= 1
      state.dropRecord(object)
    }
  }

  // MARK: - Reading

  /// Bytes of memory that windows may still take.
  var windowRoom: Int { max(0, windowCapacity - state.withLock { $0.table.windowBytes }) }

  /// The bytes, if all of them are there.
  func lookup(_ object: UInt64, _ range: Range<Int64>) -> CachedBytes? {
    let indices = BlockGeometry.blocks(of: range)
    if indices.count == 1 {
      let part = BlockGeometry.part(of: range, in: indices.lowerBound)
      guard let block = present(BlockID(object: object, index: indices.lowerBound), BlockGeometry.mask(part)) else { return nil }
      return CachedBytes(block: block, range: part)
    }
    var blocks: [Block] = []
    for index in indices {
      let mask = BlockGeometry.mask(BlockGeometry.part(of: range, in: index))
      guard let block = present(BlockID(object: object, index: index), mask) else { return nil }
      blocks.append(block)
    }
    return CachedBytes(blocks: blocks, range: range)
  }

  private func present(_ id: BlockID, _ mask: UInt64) -> Block? {
    state.withLock { state in
      guard let block = state.table.peek(id), block.holds(mask) else { return nil }
      state.table.touch(id, mask)
      return block
    }
  }

  /// Makes the memory for the blocks a want lacks, without waiting.
  ///
  /// - Returns: new blocks, not in the cache yet; nil if memory for a demanded one is not to be had now. Optional ones may be missing.
  /// - Throws: `failed` when the kernel has no memory.
  func spares(for want: Want) throws(FileIOError) -> [Block]? {
    let demanded = BlockGeometry.blocks(of: want.demand)
    let lacking = state.withLock { state in
      BlockGeometry.blocks(of: want.fetch).filter { state.table.peek(BlockID(object: want.object, index: $0)) == nil }
    }
    var spares: [Block] = []
    for index in lacking {
      let capacity = BlockGeometry.capacity(BlockGeometry.length(ofBlock: index, objectSize: want.size))
      if demanded.contains(index) {
        guard reserveNow(capacity, sparingWindow: false) else { return nil }
      } else if !reserveAhead(capacity) {
        if index >= demanded.upperBound { break }
        continue
      }
      spares.append(try block(want, index, capacity))
    }
    return spares
  }

  /// Waits for memory for all demanded blocks, then makes them. The caller must hold no block.
  ///
  /// - Throws: `cancelled`; `failed` when the kernel has no memory.
  func awaitSpares(for want: Want) async throws(FileIOError) -> [Block] {
    let capacities = BlockGeometry.blocks(of: want.demand).map {
      ($0, BlockGeometry.capacity(BlockGeometry.length(ofBlock: $0, objectSize: want.size)))
    }
    var rest = capacities.reduce(0) { $0 + $1.1 }
    guard await budget.reserve(rest) else {
      throw FileIOError(code: .cancelled, message: "the read was interrupted while it waited for memory")
    }
    var blocks: [Block] = []
    for (index, capacity) in capacities {
      rest -= capacity
      do {
        blocks.append(try block(want, index, capacity))
      } catch {
        budget.release(rest)
        throw error
      }
    }
    return blocks
  }

  /// A block of its own memory; takes over the reservation, also when it throws.
  private func block(_ want: Want, _ index: Int64, _ capacity: Int) throws(FileIOError) -> Block {
    guard let region = pool.take(capacity) else {
      budget.release(capacity)
      throw FileIOError(code: .failed, message: "the system has no memory for a block of the cache")
    }
    let length = BlockGeometry.length(ofBlock: index, objectSize: want.size)
    return Block(id: BlockID(object: want.object, index: index), size: length, region: region, pool: pool, budget: budget)
  }

  /// Claims, in one step for all others, what the want needs and nobody fetches.
  ///
  /// - Parameter spares: blocks for what the cache lacks; those not needed go back.
  /// - Returns: nil if a demanded block is neither in the cache nor among the spares.
  func claim(_ want: Want, spares: [Block]) -> Claim? {
    let demanded = BlockGeometry.blocks(of: want.demand)
    var displaced: [Block] = []
    let claim = state.withLock { state -> Claim? in
      for index in demanded where state.table.peek(BlockID(object: want.object, index: index)) == nil {
        guard spares.contains(where: { $0.id.index == index }) else { return nil }
      }
      var claim = Claim()
      var segments: [BlockFetch.Segment] = []
      for index in BlockGeometry.blocks(of: want.fetch) {
        let id = BlockID(object: want.object, index: index)
        let isDemanded = demanded.contains(index)
        guard let block = state.table.peek(id) ?? spares.first(where: { $0.id == id }) else {
          if index < demanded.lowerBound { continue }
          claim.refusedAt = index * Int64(BlockGeometry.blockSize)
          break
        }
        if state.table.peek(id) == nil { state.insert(block, isDemanded ? .recent : .window, displaced: &displaced) }
        let need = BlockGeometry.mask(BlockGeometry.part(of: want.demand, in: index))
        let (claimed, outcome) = block.claim(BlockGeometry.mask(BlockGeometry.part(of: want.fetch, in: index)), need: need)
        if isDemanded {
          claim.blocks.append(block)
          state.table.touch(id, need)
        }
        if let outcome { claim.outcomes.append(outcome) }
        let start = index * Int64(BlockGeometry.blockSize)
        for run in BlockGeometry.runs(claimed, size: block.size) {
          segments.append(BlockFetch.Segment(block: block, range: start + Int64(run.lowerBound)..<start + Int64(run.upperBound)))
        }
      }
      claim.fetches = BlockFetch.fetches(covering: segments, maximum: want.maximumRequest)
      state.fetchesInFlight += claim.fetches.count
      return claim
    }
    drop(displaced)
    return claim
  }

  /// Fetched ahead and given up: evicted like any other block from now on.
  func abandon(_ object: UInt64, _ range: Range<Int64>) {
    state.withLock { state in
      for index in BlockGeometry.blocks(of: range) { state.table.abandon(BlockID(object: object, index: index)) }
    }
  }

  /// Takes note that the disk had some of a fetch, which is over, and that others ask for the rest.
  func replaced(_ fetch: BlockFetch, by parts: [BlockFetch]) {
    state.withLock { $0.fetchesInFlight += parts.count }
    finished(fetch)
  }

  /// Takes note that a fetch has finished: blocks that got nothing leave, those who wait for memory get what became free.
  func finished(_ fetch: BlockFetch) {
    counters.add(fetch.receivedBytes, to: counters.bytesFetched)
    let (empty, isIdle) = state.withLock { state -> ([Block], Bool) in
      state.fetchesInFlight -= 1
      let empty = fetch.segments.map(\.block).filter { $0.isEmpty && !$0.isFetching && state.table.remove($0) }
      for block in empty { state.forget(block) }
      return (empty, state.fetchesInFlight == 0)
    }
    drop(empty)
    budget.relieve()
    publishMetrics()
    if isIdle { pool.trim() }
  }

  // MARK: - Memory

  private func reserveNow(_ bytes: Int, sparingWindow: Bool) -> Bool {
    if budget.tryReserve(bytes) { return true }
    drop(state.withLock { $0.evict(bytes: bytes, sparingWindow: sparingWindow) })
    return budget.tryReserve(bytes)
  }

  private func reserveAhead(_ bytes: Int) -> Bool {
    let fits = state.withLock { state in
      if state.table.windowBytes + bytes <= windowCapacity { return true }
      state.table.abandonStale(age: UInt64(2 * windowCapacity / BlockGeometry.blockSize))
      return state.table.windowBytes + bytes <= windowCapacity
    }
    return fits && reserveNow(bytes, sparingWindow: true)
  }

  /// Lets go of blocks outside the lock.
  private func drop(_ blocks: consuming [Block]) {
    _ = consume blocks
  }
}
