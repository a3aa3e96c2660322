// SPDX-License-Identifier: Apache-2.0

package import Iceberg
import Synchronization

/// Reads one version of one object through the cache: what stands behind an open file handle.
///
/// Any number of reads may run at once. Fetches run on, whoever asked for them leaves; they end early only when this reader closes and nobody
/// waits for their bytes.
package final class ObjectReader: Sendable {
  private struct State {
    var prefetcher: Prefetcher
    var fetches: [ObjectIdentifier: BlockFetch] = [:]
    /// Offset up to which bytes were given to somebody.
    var delivered: Int64 = 0
    var isClosed = false
    /// The object is gone or replaced: no request can succeed any more.
    var staleness: FileIOError?
  }

  /// Bytes of a single read; longer ones are answered short.
  package static let maximumReadSize = 4 << 20
  /// Bytes of an object; far above S3's own limit, far below where offsets overflow.
  static let maximumObjectSize: Int64 = 1 << 56

  /// The version that is read.
  package let object: ObjectAttributes
  /// Where its bytes come from.
  package let fileIO: any FileIO
  private let cache: BlockCache
  /// Nil if nothing of it is kept on disk.
  private let onDisk: DiskObject?
  private let identity: UInt64
  private let size: Int64
  private let maximumRequest: Int64
  private let state: Mutex<State>

  /// - Parameters:
  ///   - object: with the etag that every request names; the size is believed.
  ///   - tuning: of the window ahead of sequential reads.
  package init(object: ObjectAttributes, fileIO: any FileIO, cache: BlockCache, tuning: Prefetcher.Tuning = .init()) {
    self.object = object
    self.fileIO = fileIO
    self.cache = cache
    self.onDisk = cache.disk?.object(object)
    self.identity = cache.open(object)
    self.size = min(max(0, object.size), Self.maximumObjectSize)
    self.maximumRequest = tuning.maximumRequest
    self.state = Mutex(State(prefetcher: Prefetcher(size: size, tuning: tuning)))
  }

  deinit {
    close()
  }

  /// What a new reader of an object would send first for a read: nobody has any of it yet.
  ///
  /// - Parameter range: not empty, within the object.
  package static func firstRequest(for range: Range<Int64>, size: Int64, tuning: Prefetcher.Tuning) -> Range<Int64> {
    var prefetcher = Prefetcher(size: size, tuning: tuning)
    let fetch = prefetcher.read(range, room: 0).fetch
    let block = Int64(BlockGeometry.blockSize)
    let end = max((fetch.lowerBound + tuning.maximumRequest) / block, fetch.lowerBound / block + 1) * block
    return fetch.lowerBound..<min(fetch.upperBound, end)
  }

  /// Reads bytes of the object, as many as asked but at the end of the object (none from there on) and above ``maximumReadSize``.
  ///
  /// Bytes that are all in the cache are returned without suspension. Cancelling the task ends the wait at once, not the fetch.
  /// - Parameters:
  ///   - offset: in bytes, not negative.
  ///   - count: in bytes, not negative.
  /// - Returns: the cache's own memory, kept as long as the result's owner.
  /// - Throws: what the FileIO throws; a missing object is `changed` (ESTALE), as it was there at open; `cancelled` (EINTR); `invalid` (EINVAL).
  package func read(offset: Int64, size count: Int) async throws(FileIOError) -> CachedBytes {
    guard offset >= 0, count >= 0 else {
      throw FileIOError(code: .invalid, message: "\(object.location): negative offset or size of a read")
    }
    guard count > 0, offset < size else { return .empty }
    let range = offset..<min(size - offset, Int64(min(count, Self.maximumReadSize))) + offset
    let room = Int64(cache.windowRoom)
    let present = cache.lookup(identity, range)
    var step = try state.withLock { (state) throws(FileIOError) in
      try decide(range, isPresent: present != nil, room: room, &state)
    }
    let bytes: CachedBytes
    if let present {
      cache.counters.add(Int64(present.segments.count), to: cache.counters.hits)
      for fetch in step.ahead ?? [] { start(fetch, isAhead: true) }
      bytes = present
    } else {
      bytes = try await fetch(range, &step)
      state.withLock { $0.delivered = max($0.delivered, range.upperBound) }
    }
    cache.counters.add(Int64(bytes.count), to: cache.counters.bytesRead)
    return bytes
  }

  /// The part of the object that was read in sequence up to now; nil if the last reads were not part of a sequence.
  package var sequentialRead: Range<Int64>? {
    state.withLock { state in
      // The stream knows reads that still wait.
      state.prefetcher.forward.map { $0.lowerBound..<max($0.lowerBound, min($0.upperBound, state.delivered)) }
    }
  }

  /// Ends what is fetched ahead and awaited by nobody, and lets the cache evict it. Reads that run end as they would.
  package func close() {
    let closing = state.withLock { state -> (fetches: [BlockFetch], unread: [Range<Int64>])? in
      guard !state.isClosed else { return nil }
      state.isClosed = true
      return (Array(state.fetches.values), state.prefetcher.close())
    }
    guard let closing else { return }
    for fetch in closing.fetches where !fetch.isAwaited { fetch.cancel() }
    for range in closing.unread { cache.abandon(identity, range) }
    cache.close(identity)
    cache.publishMetrics()
  }

  // MARK: - Decision

  /// What a read takes, claimed at once with the decision: another read of this handle would else claim a part of what this one is about to fetch.
  private struct Step {
    let plan: Prefetcher.Plan
    /// Nil if the bytes are there, or memory for them is not.
    var demand: BlockCache.Claim?
    /// To be started; nil if the demanded comes first, for lack of memory.
    var ahead: [BlockFetch]?
  }

  private func decide(_ range: Range<Int64>, isPresent: Bool, room: Int64, _ state: inout State) throws(FileIOError) -> Step {
    var step = Step(plan: state.prefetcher.read(range, room: room))
    if isPresent {
      state.delivered = max(state.delivered, range.upperBound)
    } else {
      let want = want(range, fetch: step.plan.fetch)
      guard let spares = try cache.spares(for: want), let claim = cache.claim(want, spares: spares) else { return step }
      note(claim, &state)
      step.demand = claim
    }
    step.ahead = claimAhead(step.plan, &state)
    return step
  }

  /// Claims what is to be fetched ahead, as far as there is memory.
  private func claimAhead(_ plan: Prefetcher.Plan, _ state: inout State) -> [BlockFetch] {
    for range in plan.abandoned { cache.abandon(identity, range) }
    var fetches: [BlockFetch] = []
    for range in plan.ahead {
      guard !state.isClosed, state.staleness == nil else { break }
      let want = want(range.lowerBound..<range.lowerBound, fetch: range)
      guard let spares = try? cache.spares(for: want), let claim = cache.claim(want, spares: spares) else {
        state.prefetcher.refused(from: range.lowerBound)
        break
      }
      note(claim, &state)
      fetches += claim.fetches
      guard claim.refusedAt == nil else { break }
    }
    for fetch in fetches {
      cache.counters.add(fetch.range.upperBound - fetch.range.lowerBound, to: cache.counters.prefetchedBytes)
    }
    return fetches
  }

  private func note(_ claim: BlockCache.Claim, _ state: inout State) {
    for fetch in claim.fetches { state.fetches[ObjectIdentifier(fetch)] = fetch }
    if let refused = claim.refusedAt { state.prefetcher.refused(from: refused) }
  }

  // MARK: - Demand

  /// Keeps nothing of the step, so that no block is held while it waits for memory.
  private func fetch(_ range: Range<Int64>, _ step: inout Step) async throws(FileIOError) -> CachedBytes {
    let want = want(range, fetch: step.plan.fetch)
    var isFirst = true
    while true {
      let claim = if let demand = step.demand.take() { demand } else { try await awaitClaim(want) }
      let staleness = staleness
      for fetch in claim.fetches {
        if let staleness { end(fetch, staleness) } else { start(fetch, isAhead: false) }
      }
      if isFirst {
        cache.counters.add(Int64(claim.outcomes.count), to: cache.counters.misses)
        cache.counters.add(Int64(claim.blocks.count - claim.outcomes.count), to: cache.counters.hits)
        for fetch in step.ahead.take() ?? state.withLock({ claimAhead(step.plan, &$0) }) { start(fetch, isAhead: true) }
        isFirst = false
      }
      if try await wait(for: claim.outcomes) {
        return CachedBytes(blocks: claim.blocks, range: range)
      }
    }
  }

  /// Claims the demanded blocks; waits for memory, holding none, if there is none now.
  private func awaitClaim(_ want: BlockCache.Want) async throws(FileIOError) -> BlockCache.Claim {
    var spares = try cache.spares(for: want)
    while true {
      if let spares, let claim = cache.claim(want, spares: spares) {
        state.withLock { note(claim, &$0) }
        return claim
      }
      spares = nil
      spares = try await cache.awaitSpares(for: want)
    }
  }

  /// True when all is there, false when a fetch was given up and the bytes must be claimed anew.
  private func wait(for outcomes: [OneShot<FetchOutcome>]) async throws(FileIOError) -> Bool {
    // Whoever leaves early is no reason to go on with a fetch.
    defer { for outcome in outcomes { outcome.complete(.cancelled) } }
    for outcome in outcomes {
      switch await outcome.value() {
      case .ready: continue
      case .abandoned: return false
      case .failed(let error): throw error
      case .cancelled: throw FileIOError(code: .cancelled, message: "\(object.location): the read was interrupted")
      }
    }
    return true
  }

  // MARK: - Fetches

  private func want(_ demand: Range<Int64>, fetch: Range<Int64>) -> BlockCache.Want {
    BlockCache.Want(object: identity, size: self.size, demand: demand, fetch: fetch, maximumRequest: maximumRequest)
  }

  private var staleness: FileIOError? { state.withLock { $0.staleness } }

  /// Runs a claimed fetch: on this thread up to its first wait if a reader waits for it, else elsewhere.
  private func start(_ fetch: BlockFetch, isAhead: Bool) {
    fetch.setTask(isAhead ? Task { await self.run(fetch) } : Task.immediate { await self.run(fetch) })
  }

  private func run(_ fetch: BlockFetch) async {
    if let disk = cache.disk, let onDisk, let missing = await disk.load(fetch.segments, of: onDisk) {
      replace(fetch, by: missing)
    } else {
      await request(fetch)
    }
  }

  /// The rest of a fetch of which the disk had a part, in as few requests as hold it.
  private func replace(_ fetch: BlockFetch, by missing: [BlockFetch.Segment]) {
    let parts = BlockFetch.fetches(covering: missing, maximum: maximumRequest)
    let isClosed = state.withLock { state in
      state.fetches[ObjectIdentifier(fetch)] = nil
      for part in parts { state.fetches[ObjectIdentifier(part)] = part }
      return state.isClosed
    }
    cache.replaced(fetch, by: parts)
    for part in parts {
      if fetch.isCancelled || isClosed && !part.isAwaited { part.cancel() }
      part.setTask(Task.immediate { await self.request(part) })
    }
  }

  private func request(_ fetch: BlockFetch) async {
    guard !fetch.isCancelled else { return end(fetch, nil) }
    do {
      _ = try await fileIO.read(object.location, etag: object.etag, range: fetch.range, into: fetch)
      end(fetch, nil)
    } catch {
      end(fetch, error)
    }
  }

  private func end(_ fetch: BlockFetch, _ error: FileIOError?) {
    var failure = error
    if error?.code == .notFound { failure?.code = .changed }
    let isFailure = failure != nil && !fetch.isCancelled
    state.withLock { state in
      state.fetches[ObjectIdentifier(fetch)] = nil
      if isFailure { state.prefetcher.refused(from: fetch.range.lowerBound) }
      if isFailure, failure?.code == .changed { state.staleness = failure }
    }
    fetch.finish(failure ?? FileIOError(code: .failed, message: "\(object.location): the answer ended before the range did"))
    cache.finished(fetch)
    if let disk = cache.disk, let onDisk { disk.save(fetch.segments.map(\.block), of: onDisk) }
  }
}
