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
    let plan = state.withLock { $0.prefetcher.read(range, room: room) }
    let bytes: CachedBytes
    if let present = cache.lookup(identity, range) {
      cache.counters.add(Int64(present.segments.count), to: cache.counters.hits)
      act(on: plan)
      bytes = present
    } else {
      bytes = try await fetch(range, plan)
    }
    cache.counters.add(Int64(bytes.count), to: cache.counters.bytesRead)
    return bytes
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

  // MARK: - Demand

  private func fetch(_ range: Range<Int64>, _ plan: Prefetcher.Plan) async throws(FileIOError) -> CachedBytes {
    let want = want(range, fetch: plan.fetch)
    var isFirst = true
    while true {
      let claim = try await claim(want)
      let staleness = staleness
      for fetch in claim.fetches {
        if let staleness { end(fetch, staleness) } else { start(fetch, isAhead: false) }
      }
      if isFirst {
        cache.counters.add(Int64(claim.outcomes.count), to: cache.counters.misses)
        cache.counters.add(Int64(claim.blocks.count - claim.outcomes.count), to: cache.counters.hits)
        if let refused = claim.refusedAt { state.withLock { $0.prefetcher.refused(from: refused) } }
        act(on: plan)
        isFirst = false
      }
      if try await wait(for: claim.outcomes) {
        return CachedBytes(blocks: claim.blocks, range: range)
      }
    }
  }

  /// Claims the demanded blocks; waits for memory, holding none, if there is none now.
  private func claim(_ want: BlockCache.Want) async throws(FileIOError) -> BlockCache.Claim {
    if let spares = try cache.spares(for: want), let claim = cache.claim(want, spares: spares) { return claim }
    while true {
      let spares = try await cache.awaitSpares(for: want)
      if let claim = cache.claim(want, spares: spares) { return claim }
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

  // MARK: - Ahead

  private func act(on plan: Prefetcher.Plan) {
    for range in plan.abandoned { cache.abandon(identity, range) }
    for range in plan.ahead {
      guard fetchAhead(range) else { return }
    }
  }

  /// False if memory was refused.
  private func fetchAhead(_ range: Range<Int64>) -> Bool {
    guard !state.withLock({ $0.isClosed || $0.staleness != nil }) else { return false }
    let want = want(range.lowerBound..<range.lowerBound, fetch: range)
    var claim: BlockCache.Claim?
    if let spares = try? cache.spares(for: want) { claim = cache.claim(want, spares: spares) }
    for fetch in claim?.fetches ?? [] {
      cache.counters.add(fetch.range.upperBound - fetch.range.lowerBound, to: cache.counters.prefetchedBytes)
      start(fetch, isAhead: true)
    }
    let refused = claim == nil ? range.lowerBound : claim?.refusedAt
    guard let refused else { return true }
    state.withLock { $0.prefetcher.refused(from: refused) }
    return false
  }

  // MARK: - Fetches

  private func want(_ demand: Range<Int64>, fetch: Range<Int64>) -> BlockCache.Want {
    BlockCache.Want(object: identity, size: self.size, demand: demand, fetch: fetch, maximumRequest: maximumRequest)
  }

  private var staleness: FileIOError? { state.withLock { $0.staleness } }

  /// Runs a fetch: on this thread up to its first wait if a reader waits for it, else elsewhere.
  private func start(_ fetch: BlockFetch, isAhead: Bool) {
    state.withLock { $0.fetches[ObjectIdentifier(fetch)] = fetch }
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
