// SPDX-License-Identifier: Apache-2.0

/// Which blocks the cache holds and in which order it gives them up: a value, stepped under the cache's lock.
///
/// 2Q, so that one pass over a large file cannot push out what is used again and again: a block starts in `recent`; only a second read of the same bytes
/// moves it to `frequent`. Blocks fetched ahead of a reader stand apart in `window` until first touched, since evicting them means fetching twice.
struct BlockTable {
  enum Queue: Int {
    case window, recent, frequent
  }

  private struct Entry {
    var block: Block
    var queue: Queue
    /// Towards the older end; -1 at it.
    var older: Int
    /// Towards the newer end; -1 at it.
    var newer: Int
    /// Chunks that were read since the block came in.
    var touched: UInt64
    /// Number of the insertion.
    var tick: UInt64
  }

  private struct List {
    var oldest = -1
    var newest = -1
    var bytes = 0
  }

  private let limit: Int
  private let maximumCount: Int
  private var entries: [Entry?] = []
  private var freeSlots: [Int] = []
  private var slots: [BlockID: Int] = [:]
  private var lists = [List(), List(), List()]
  private var tick: UInt64 = 0

  /// - Parameters:
  ///   - limit: bytes of memory that blocks may take, the budget's limit; sizes the queues only.
  ///   - maximumCount: blocks; bounds the mappings that short blocks of small files make (the kernel allows 65,530).
  init(limit: Int, maximumCount: Int = 16_384) {
    self.limit = limit
    self.maximumCount = maximumCount
  }

  var count: Int { slots.count }
  /// Bytes of memory in all blocks.
  var bytes: Int { lists[0].bytes + lists[1].bytes + lists[2].bytes }
  /// Bytes of memory fetched or being fetched ahead and not yet touched.
  var windowBytes: Int { lists[Queue.window.rawValue].bytes }

  /// The block, its place unchanged.
  func peek(_ id: BlockID) -> Block? {
    slots[id].flatMap { entries[$0]?.block }
  }

  /// Notes that a reader takes these chunks.
  mutating func touch(_ id: BlockID, _ mask: UInt64) {
    guard let slot = slots[id], var entry = entries[slot] else { return }
    let isRepeated = entry.touched & mask == mask
    entry.touched |= mask
    entries[slot] = entry
    switch entry.queue {
    case .window: move(slot, to: .recent)
    case .recent, .frequent:
      // The same chunks once more; a pass over the block touches each once, in several reads.
      if isRepeated { move(slot, to: .frequent) }
    }
  }

  /// Adds a block that is not there yet. Returns the block that had to leave because there are too many, for release outside the lock.
  mutating func insert(_ block: Block, _ queue: Queue) -> Block? {
    var displaced: [Block] = []
    if slots.count >= maximumCount { evict(bytes: 1, sparingWindow: false, into: &displaced) }
    tick &+= 1
    let entry = Entry(block: block, queue: queue, older: -1, newer: -1, touched: 0, tick: tick)
    let slot: Int
    if let free = freeSlots.popLast() {
      entries[free] = entry
      slot = free
    } else {
      entries.append(entry)
      slot = entries.count - 1
    }
    slots[block.id] = slot
    link(slot)
    return displaced.first
  }

  /// Takes this very block out. False if the table does not hold it.
  @discardableResult
  mutating func remove(_ block: Block) -> Bool {
    guard let slot = slots[block.id], entries[slot]?.block === block else { return false }
    discard(slot)
    return true
  }

  /// Takes out everything.
  mutating func removeAll() -> [Block] {
    let blocks = entries.compactMap { $0?.block }
    self = BlockTable(limit: limit, maximumCount: maximumCount)
    return blocks
  }

  /// Gives up the claim of a fetched-ahead block to be spared: its reader went elsewhere.
  mutating func abandon(_ id: BlockID) {
    guard let slot = slots[id], entries[slot]?.queue == .window else { return }
    move(slot, to: .recent)
  }

  /// Gives up the claim of fetched-ahead blocks that stood untouched while `age` other blocks came in: their reader stopped without closing.
  mutating func abandonStale(age: UInt64) {
    while true {
      let slot = lists[Queue.window.rawValue].oldest
      guard slot >= 0, let entry = entries[slot], tick &- entry.tick > age else { return }
      move(slot, to: .recent)
    }
  }

  /// Takes out blocks, oldest first, until `bytes` of memory are gone or nothing can go. Blocks being fetched stay.
  ///
  /// `recent` gives while it holds more than a quarter of the limit, else `frequent`.
  mutating func evict(bytes: Int, sparingWindow: Bool, into evicted: inout [Block]) {
    var missing = bytes
    let surplus = lists[Queue.recent.rawValue].bytes - limit / 4
    missing -= evict(from: .recent, bytes: min(missing, surplus), into: &evicted)
    missing -= evict(from: .frequent, bytes: missing, into: &evicted)
    missing -= evict(from: .recent, bytes: missing, into: &evicted)
    if !sparingWindow {
      _ = evict(from: .window, bytes: missing, into: &evicted)
    }
  }

  private mutating func evict(from queue: Queue, bytes: Int, into evicted: inout [Block]) -> Int {
    var gone = 0
    var slot = lists[queue.rawValue].oldest
    while gone < bytes, slot >= 0, let entry = entries[slot] {
      if !entry.block.isFetching {
        gone += entry.block.capacity
        evicted.append(entry.block)
        discard(slot)
      }
      slot = entry.newer
    }
    return gone
  }

  private mutating func discard(_ slot: Int) {
    guard let entry = entries[slot] else { return }
    unlink(slot)
    slots[entry.block.id] = nil
    entries[slot] = nil
    freeSlots.append(slot)
  }

  private mutating func move(_ slot: Int, to queue: Queue) {
    unlink(slot)
    entries[slot]?.queue = queue
    link(slot)
  }

  private mutating func link(_ slot: Int) {
    guard let entry = entries[slot] else { return }
    let list = entry.queue.rawValue
    let newest = lists[list].newest
    entries[slot]?.older = newest
    entries[slot]?.newer = -1
    if newest >= 0 { entries[newest]?.newer = slot } else { lists[list].oldest = slot }
    lists[list].newest = slot
    lists[list].bytes += entry.block.capacity
  }

  private mutating func unlink(_ slot: Int) {
    guard let entry = entries[slot] else { return }
    let list = entry.queue.rawValue
    if entry.older >= 0 { entries[entry.older]?.newer = entry.newer } else { lists[list].oldest = entry.newer }
    if entry.newer >= 0 { entries[entry.newer]?.older = entry.older } else { lists[list].newest = entry.older }
    lists[list].bytes -= entry.block.capacity
  }
}
