// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Decides what to fetch when a handle is read: a value that is told of each read and returns what to do; it does no I/O and knows no cache.
///
/// A handle has several streams, since readers of columnar files take turns on many places of one descriptor. A stream that goes
/// forward gets a window that doubles; anything else gets what was asked and no more. The kernel's readahead comes from several threads, so
/// neighbouring reads may change places: a stream matches reads near its end, not just at it.
package struct Prefetcher: Sendable {
  package struct Tuning: Sendable {
    /// Bytes of the first request at the start of a file: one block and the kernel's readahead of 128 KiB.
    package var initialWindow: Int64 = (1 << 20) + (128 << 10)
    /// Bytes of an object that its first touch fetches whole.
    package var wholeObject: Int64 = (1 << 20) + (128 << 10)
    /// Bytes ahead of a reader. 64 MiB in 16 requests of 4 MiB at 20 ms and 90 MB/s a connection make 1 GB/s.
    package var maximumWindow: Int64 = 64 << 20
    /// Bytes. Larger requests win little at 90 MB/s a connection and make the window lumpy.
    package var maximumRequest: Int64 = 8 << 20
    /// Requests into which a window is cut, as far as requests stay within 1 MiB and ``maximumRequest``.
    package var requestsPerWindow: Int64 = 16
    /// Bytes of the requests into which a window is cut instead, whole blocks and at most ``maximumRequest``; nil: ``requestsPerWindow``.
    package var requestAhead: Int64?
    /// How many times larger a window becomes, 1 to 64.
    package var growthBase = 2.0
    /// How often that is for each time that the reader comes on, above 0, at most 32.
    package var growthSpeed = 1.0
    /// Reads of at most these bytes fetch their whole block: lookups come in clusters, and the block's memory is taken anyway.
    package var smallRead: Int64 = 64 << 10
    /// Bytes that a read outside of windows fetches at least, from its start on, small or not; nil: as ``smallRead`` says.
    package var readAhead: Int64?
    /// Bytes at the end of a file that its first touch there fetches: where Parquet, ORC and Avro readers look.
    package var tail: Int64 = 1 << 20
    /// Contiguous bytes after a seek before anything is fetched ahead. More than a column of a Parquet row group and the kernel's readahead make, mostly a
    /// MiB each: with 512 KiB two of twenty columns brought the whole file (docs/performance.md).
    package var sequentialRun: Int64 = 3 << 20
    /// Bytes fetched before a read when two reads went backwards.
    package var backwardWindow: Int64 = 512 << 10
    /// Streams a handle.
    package var maximumStreams = 8

    package init() {}
  }

  /// What to do for one read.
  package struct Plan: Sendable, Equatable {
    /// Holds the read; to be fetched where the cache has it not.
    package var fetch: Range<Int64>
    /// Requests ahead of the reader, in order.
    package var ahead: [Range<Int64>] = []
    /// Fetched ahead, and given up.
    package var abandoned: [Range<Int64>] = []
  }

  private struct Stream {
    var low: Int64
    var high: Int64
    /// Bytes read between `low` and `high`, at most their distance.
    var covered: Int64
    /// Everything from `high` to here was asked for.
    var frontier: Int64
    /// Bytes; 0 until the stream counts as sequential.
    var window: Int64 = 0
    /// `high` when the window last grew.
    var grownAt: Int64
    /// How often the window was to grow.
    var growths = 0.0
    var reads = 1
    var backwardReads = 0
    var lastSize: Int64
    var hasOnlySmallReads: Bool
    var used: UInt64
  }

  private let size: Int64
  private let tuning: Tuning
  private var streams: [Stream] = []
  private var reads: UInt64 = 0
  private var hasFetchedTail = false

  /// - Parameter size: bytes of the object, at most ``ObjectReader/maximumObjectSize``.
  package init(size: Int64, tuning: Tuning = Tuning()) {
    self.size = size
    self.tuning = tuning
  }

  /// Takes note of a read.
  ///
  /// - Parameters:
  ///   - range: not empty, within the object.
  ///   - room: bytes of memory that windows may still take, over all handles: a window grows to what is left by the others at most, so that
  ///     n readers settle at equal shares.
  package mutating func read(_ range: Range<Int64>, room: Int64) -> Plan {
    reads &+= 1
    if let index = streams.firstIndex(where: { matches($0, range) }) {
      return advance(index, range, room: room)
    }
    return begin(range)
  }

  /// Takes note that nothing from this offset on is being fetched after all: memory was refused, or the fetch failed.
  package mutating func refused(from offset: Int64) {
    for index in streams.indices where streams[index].high <= offset && offset < streams[index].frontier {
      streams[index].frontier = offset
      streams[index].window = max(tuning.initialWindow, offset - streams[index].high)
    }
  }

  /// The part read by the stream that was read last, without gaps worth mention, if that goes forward; nil otherwise.
  package var forward: Range<Int64>? {
    guard let last = streams.max(by: { $0.used < $1.used }), last.window > 0 else { return nil }
    return last.low..<last.high
  }

  /// What was fetched ahead and will not be read; the handle closes.
  package mutating func close() -> [Range<Int64>] {
    defer { streams.removeAll() }
    return streams.compactMap(Self.unread)
  }

  private static func unread(_ stream: Stream) -> Range<Int64>? {
    stream.frontier > stream.high ? stream.high..<stream.frontier : nil
  }

  private func matches(_ stream: Stream, _ range: Range<Int64>) -> Bool {
    let length = range.upperBound - range.lowerBound
    let slack = min(max(4 * length, 256 << 10), 4 << 20)
    let reach = max(stream.high + slack, stream.window > 0 ? stream.frontier : 0)
    let back = stream.window > 0 ? max(stream.low, stream.high - (4 << 20)) : stream.low
    return range.lowerBound <= reach && range.upperBound >= back - slack
  }

  /// A read that continues nothing.
  private mutating func begin(_ range: Range<Int64>) -> Plan {
    var plan = Plan(fetch: rounded(range, BlockGeometry.chunkSize))
    let isSmall = range.upperBound - range.lowerBound <= tuning.smallRead
    var window: Int64 = 0
    if size <= tuning.wholeObject {
      plan.fetch = 0..<size
    } else if range.lowerBound < 256 << 10, streams.isEmpty {
      plan.fetch = 0..<min(size, max(tuning.initialWindow, plan.fetch.upperBound))
      window = tuning.initialWindow
    } else if size > tuning.tail, range.lowerBound >= size - tuning.tail, !hasFetchedTail {
      hasFetchedTail = true
      plan.fetch = rounded(size - tuning.tail..<size, BlockGeometry.chunkSize)
    } else {
      plan.fetch = alone(range, isSmall: isSmall)
    }
    let stream = Stream(
      low: range.lowerBound, high: range.upperBound, covered: range.upperBound - range.lowerBound, frontier: plan.fetch.upperBound,
      window: window, grownAt: range.upperBound, lastSize: range.upperBound - range.lowerBound, hasOnlySmallReads: isSmall, used: reads)
    if streams.count < tuning.maximumStreams {
      streams.append(stream)
    } else if let oldest = streams.indices.min(by: { streams[$0].used < streams[$1].used }) {
      if let unread = Self.unread(streams[oldest]) { plan.abandoned.append(unread) }
      streams[oldest] = stream
    }
    return plan
  }

  /// A read that continues stream `index`.
  private mutating func advance(_ index: Int, _ range: Range<Int64>, room: Int64) -> Plan {
    var stream = streams[index]
    let length = range.upperBound - range.lowerBound
    let isForward = range.upperBound > stream.high
    let isBackward = range.lowerBound < stream.low
    stream.reads += 1
    stream.used = reads
    stream.hasOnlySmallReads = stream.hasOnlySmallReads && length <= tuning.smallRead
    stream.backwardReads = isForward ? 0 : stream.backwardReads + (isBackward ? 1 : 0)
    stream.low = min(stream.low, range.lowerBound)
    stream.high = max(stream.high, range.upperBound)
    stream.covered = min(stream.covered + length, stream.high - stream.low)

    var plan = Plan(fetch: rounded(range, BlockGeometry.chunkSize))
    let isSteady = length >= stream.lastSize || length >= 128 << 10
    let isDense = stream.covered >= (stream.high - stream.low) / 4 * 3
    if stream.window == 0, isForward, isSteady, isDense, stream.covered >= tuning.sequentialRun {
      // Half of the first window, since it doubles at once: this read is its confirmation.
      stream.window = tuning.initialWindow / 2
      stream.grownAt = stream.low
      stream.frontier = max(stream.frontier, range.upperBound)
    }
    if stream.window > 0 {
      // The memory of the last block is taken anyway.
      if range.upperBound > stream.frontier { plan.fetch = plan.fetch.lowerBound..<rounded(range, BlockGeometry.blockSize).upperBound }
      stream.frontier = max(stream.frontier, plan.fetch.upperBound)
      if isForward { plan.ahead = extend(&stream, room: room) }
    } else if stream.backwardReads >= 2 {
      let lower = max(0, range.lowerBound - tuning.backwardWindow)
      plan.fetch = rounded(lower..<range.upperBound, BlockGeometry.chunkSize)
    } else {
      plan.fetch = alone(range, isSmall: stream.hasOnlySmallReads)
    }
    stream.lastSize = length
    streams[index] = stream
    return plan
  }

  /// Grows the window as the reader moves on, and cuts what it lacks into requests.
  private func extend(_ stream: inout Stream, room: Int64) -> [Range<Int64>] {
    let largest = min(tuning.maximumWindow, max(0, room))
    if stream.high - stream.grownAt >= stream.window / 4 || stream.window <= tuning.initialWindow {
      stream.window = grown(&stream)
      stream.grownAt = stream.high
    }
    let unread = max(0, stream.frontier - stream.high)
    let window = min(stream.window, max(largest, unread))
    let block = Int64(BlockGeometry.blockSize)
    let request = tuning.requestAhead ?? min(max(window / tuning.requestsPerWindow / block * block, block), tuning.maximumRequest)
    // Of requests whose size is given one is on its way while the reader takes another.
    let reach = tuning.requestAhead.map { max(window, min(2 * $0, max(largest, unread))) } ?? window
    let target = reach >= size - stream.high ? size : (stream.high + reach + block - 1) / block * block
    // Up to the end of a block, the memory being taken anyway.
    // At the end of the object the last request may be short; before it a short one waits until it is worth sending.
    guard stream.frontier < target, target == size || target - stream.frontier >= request else { return [] }
    var requests: [Range<Int64>] = []
    while stream.frontier < target {
      if tuning.requestAhead != nil, target < size, target - stream.frontier < request { break }
      let upper = min(target, (stream.frontier + request) / block * block)
      requests.append(stream.frontier..<upper)
      stream.frontier = upper
    }
    return requests
  }

  /// The window after one more step.
  private func grown(_ stream: inout Stream) -> Int64 {
    let steps = ((stream.growths + 1) * tuning.growthSpeed).rounded(.down) - (stream.growths * tuning.growthSpeed).rounded(.down)
    stream.growths += 1
    let window = min(Double(stream.window) * pow(tuning.growthBase, steps), Double(tuning.maximumWindow))
    return max(Int64(window), tuning.initialWindow)
  }

  /// What a read fetches that is no part of a sequence. Of a small one the block: its memory is taken anyway.
  private func alone(_ range: Range<Int64>, isSmall: Bool) -> Range<Int64> {
    guard let readAhead = tuning.readAhead else { return rounded(range, isSmall ? BlockGeometry.blockSize : BlockGeometry.chunkSize) }
    let upper = max(range.upperBound, range.lowerBound + min(readAhead, size - range.lowerBound))
    return rounded(range.lowerBound..<upper, BlockGeometry.chunkSize)
  }

  private func rounded(_ range: Range<Int64>, _ unit: Int) -> Range<Int64> {
    BlockGeometry.rounded(range, to: unit, objectSize: size)
  }
}
