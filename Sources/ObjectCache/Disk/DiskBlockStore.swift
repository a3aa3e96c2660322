// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
package import Logging
import Synchronization
package import Telemetry

/// Blocks kept on disk, in a directory that several mounts may share.
///
/// Two threads of its own do what blocks: one reads for whoever misses a block in memory, one writes what came from S3, measures the directory and
/// removes what was not used for longest. Nobody waits for a full queue: then a block is fetched, or not kept. Whatever is wrong with the
/// directory or a file of it, a reader gets the object's bytes, from S3.
package final class DiskBlockStore: Sendable {
  /// What the store is made of besides its directory.
  package struct Parts: Sendable {
    /// Which object store the objects are in. Mounts with the same text share blocks.
    package var store: String
    /// At least 16 bytes that hardly two texts share.
    package var digest: @Sendable ([UInt8]) -> [UInt8]
    /// Runs a body on a thread of that name; false if there is none left.
    package var startThread: @Sendable (String, @escaping @Sendable () -> Void) -> Bool
    package var now: @Sendable () -> ContinuousClock.Instant

    package init(
      store: String, digest: @escaping @Sendable ([UInt8]) -> [UInt8],
      startThread: @escaping @Sendable (String, @escaping @Sendable () -> Void) -> Bool,
      now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
      self.store = store
      self.digest = digest
      self.startThread = startThread
      self.now = now
    }
  }

  /// What `status.json` shows.
  package struct Status: Sendable, Hashable {
    package var directory: String
    /// What the files take of the disk, those of other mounts as they were when last looked at.
    package var bytes: Int64
    /// Bytes; nil until the directory was looked at.
    package var limit: Int64?
    /// False while the disk is full or cannot be written.
    package var isWritten: Bool
  }

  struct Load: Sendable {
    let segments: [BlockFetch.Segment]
    let object: DiskObject
    let result: CheckedContinuation<[BlockFetch.Segment]?, Never>
  }

  struct Save: Sendable {
    /// Weak: a block that memory has no room for any more is not kept for the disk's sake.
    weak let block: Block?
    let object: DiskObject
  }

  struct State {
    /// Of the disk; what is known of it.
    var bytes: Int64 = 0
    var limit: Int64?
    /// Since the last look at the directory.
    var writtenBytes: Int64 = 0
    var writtenFiles = 0
    /// Nothing is written before.
    var resumption: ContinuousClock.Instant?
    /// When the log last told of an outage.
    var reported: ContinuousClock.Instant?
    var endOfWriting: ContinuousClock.Instant?
  }

  /// Requests of readers that may wait for the disk; beyond it S3 is faster.
  private static let longestLoadQueue = 256
  /// Blocks that may wait to be written.
  private static let longestSaveQueue = 256

  /// Absolute.
  package let path: String
  /// Bytes; nil leaves it to the free space.
  let givenLimit: Int64?
  let parts: Parts
  let metrics: Metrics
  let logger: Logger
  let directory: DiskDirectory
  let state = Mutex(State())
  private let loads = DiskQueue<Load>(limit: longestLoadQueue)
  private let saves = DiskQueue<Save>(limit: longestSaveQueue)
  private let ends: [OneShot<Void>]

  /// Opens the directory and starts the threads, which look through it first. Blocks a moment.
  ///
  /// - Parameters:
  ///   - path: absolute, an existing directory of the user's own.
  ///   - limit: bytes of the disk; nil: 10 GiB, at most half of what is free or the cache's already.
  package init(path: String, limit: Int64?, parts: Parts, metrics: Metrics, logger: Logger) throws(DiskFailure) {
    self.path = path
    givenLimit = limit
    self.parts = parts
    self.metrics = metrics
    self.logger = logger
    directory = try DiskDirectory(path)
    ends = [OneShot(cancelled: ()), OneShot(cancelled: ())]
    let areStarted = [
      parts.startThread("bergfs-disk-in") { self.read() }, parts.startThread("bergfs-disk-out") { self.write() },
    ]
    guard areStarted != [true, true] else { return }
    for (end, isStarted) in zip(ends, areStarted) where !isStarted { end.complete(()) }
    loads.close()
    saves.close()
    throw DiskFailure(.thread, number: EAGAIN)
  }

  package var status: Status {
    let now = parts.now()
    return state.withLock { state in
      Status(directory: path, bytes: state.bytes, limit: state.limit, isWritten: state.resumption.map { now >= $0 } ?? true)
    }
  }

  /// Writes what waits to be written, as far as there is time, and ends the threads. Blocks are no longer found or kept afterwards.
  package func close(within limit: Duration) async {
    let end = parts.now() + limit
    state.withLock { $0.endOfWriting = end }
    loads.close()
    saves.close()
    for end in ends { await end.value() }
  }

  /// The version as the store names it; nil if nothing of it is kept.
  func object(_ attributes: ObjectAttributes) -> DiskObject? {
    DiskObject(attributes, store: parts.store, digest: parts.digest)
  }

  // MARK: - Reading

  /// Publishes what of claimed segments is on disk.
  ///
  /// - Returns: what is still missing, in order; nil if nothing was found.
  func load(_ segments: [BlockFetch.Segment], of object: DiskObject) async -> [BlockFetch.Segment]? {
    await withCheckedContinuation { result in
      if !loads.offer(Load(segments: segments, object: object, result: result)) {
        result.resume(returning: nil)
      }
    }
  }

  private func read() {
    while let load = loads.next() {
      var missing: [BlockFetch.Segment] = []
      for segment in load.segments { missing += self.load(segment, of: load.object) }
      load.result.resume(returning: missing.map(\.range) == load.segments.map(\.range) ? nil : missing)
    }
    ends[0].complete(())
  }

  private func load(_ segment: BlockFetch.Segment, of object: DiskObject) -> [BlockFetch.Segment] {
    let block = segment.block
    let file = DiskBlockFile(directory: directory, key: object.block(block.id.index))
    let found = file.load(segment.mask, into: block)
    if found.isDamaged {
      metrics.add(.diskCacheDamaged)
      do throws(DiskFailure) {
        try directory.remove(file.key.name.fileName)
        logger.notice("a damaged file of the disk cache is removed", metadata: ["file": "\(path)/\(file.key.name.fileName)"])
      } catch {
        fail(error)
      }
    }
    if let failure = found.failure { fail(failure) }
    let missing = segment.mask & ~found.chunks
    metrics.add(missing == 0 ? .diskCacheHits : .diskCacheMisses)
    let start = block.id.index * Int64(BlockGeometry.blockSize)
    return BlockGeometry.runs(missing, size: block.size).map { run in
      BlockFetch.Segment(block: block, range: start + Int64(run.lowerBound)..<start + Int64(run.upperBound))
    }
  }

  // MARK: - Writing

  /// Has blocks written that got bytes from S3; those for which there is no room in the queue are not.
  func save(_ blocks: [Block], of object: DiskObject) {
    for block in blocks where !block.isEmpty && block.joinDiskQueue() {
      if !saves.offer(Save(block: block, object: object)) { block.leaveDiskQueue() }
    }
  }

  private func write() {
    makeRoom()
    while let save = saves.next() {
      guard let block = save.block else { continue }
      block.leaveDiskQueue()
      if mayWrite { write(block, of: save.object) }
    }
    ends[1].complete(())
  }

  private func write(_ block: Block, of object: DiskObject) {
    let file = DiskBlockFile(directory: directory, key: object.block(block.id.index))
    do throws(DiskFailure) {
      let (written, growth) = try file.save(block, temporary: .random(in: 0 ... .max))
      guard written > 0 else { return }
      metrics.add(.diskCacheWrittenBytes, by: Int64(written))
      let isDue = state.withLock { state in
        state.bytes += growth
        state.writtenBytes += Int64(written)
        state.writtenFiles += 1
        return isLookDue(state)
      }
      publishSize()
      if isDue { makeRoom() }
    } catch {
      fail(error)
      pause(error)
    }
  }

  private var mayWrite: Bool {
    let now = parts.now()
    return state.withLock { state in
      if let end = state.endOfWriting, now >= end { return false }
      guard let resumption = state.resumption else { return true }
      if now >= resumption { state.resumption = nil }
      return now >= resumption
    }
  }

  func fail(_ failure: DiskFailure) {
    metrics.add(.diskCacheErrors)
    logger.debug("the disk cache failed", metadata: ["reason": "\(failure)"])
  }

  func publishSize() {
    metrics.set(.diskCacheBytes, to: state.withLock { $0.bytes })
  }
}
