// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// One ranged GET that fills claimed chunks of one or many blocks as its bytes come in.
///
/// `receive` is called by the transport, one call at a time; `finish` once, after the last. Blocks are published, and waiters resumed, outside the lock.
final class BlockFetch: RangeSink {
  /// Chunks claimed for this fetch, as a range of the object; lies within the block and starts at a chunk.
  struct Segment: Sendable {
    let block: Block
    let range: Range<Int64>

    /// The chunks of a part of the segment.
    func mask(_ part: Range<Int64>) -> UInt64 {
      BlockGeometry.mask(BlockGeometry.part(of: part, in: block.id.index))
    }
    var mask: UInt64 { mask(range) }
  }

  private struct Progress {
    /// Offset in the object of the next byte.
    var position: Int64
    var segment = 0
    /// Everything claimed below this offset is published.
    var published: Int64
    var isFinished = false
    var isCancelled = false
    var task: Task<Void, Never>?
  }

  /// Waiters are looked after each 128 KiB, the kernel's usual read: more often costs lock and wake-ups, less often costs latency.
  private static let publishStep: Int64 = 128 << 10
  /// Present bytes between two claimed parts that are fetched again rather than making a second request; at 90 MB/s they cost 1.5 ms, a request 15.
  static let largestGap: Int64 = 128 << 10

  /// What is asked of the server.
  let range: Range<Int64>
  /// In order, not overlapping, the first at the start and the last at the end of `range`.
  let segments: [Segment]
  private let progress: Mutex<Progress>

  private init(segments: [Segment], range: Range<Int64>) {
    self.segments = segments
    self.range = range
    self.progress = Mutex(Progress(position: range.lowerBound, published: range.lowerBound))
  }

  /// The fewest requests of at most `maximum` bytes that cover the segments, which are in order.
  static func fetches(covering segments: [Segment], maximum: Int64) -> [BlockFetch] {
    var result: [BlockFetch] = []
    var group: [Segment] = []
    func close() {
      guard let first = group.first, let last = group.last else { return }
      result.append(BlockFetch(segments: group, range: first.range.lowerBound..<last.range.upperBound))
      group.removeAll()
    }
    for segment in segments {
      if let first = group.first, let last = group.last,
        segment.range.lowerBound - last.range.upperBound > largestGap || segment.range.upperBound - first.range.lowerBound > maximum
      {
        close()
      }
      group.append(segment)
    }
    close()
    return result
  }

  /// Whether a task waits for any byte of this fetch.
  var isAwaited: Bool { segments.contains { $0.block.isAwaited($0.mask) } }
  var isCancelled: Bool { progress.withLock { $0.isCancelled } }
  /// Bytes that came in.
  var receivedBytes: Int64 { progress.withLock { $0.position } - range.lowerBound }

  /// Notes the task that runs this fetch, which may have ended already.
  func setTask(_ task: Task<Void, Never>) {
    let isCancelled = progress.withLock { progress in
      if !progress.isFinished { progress.task = task }
      return progress.isCancelled
    }
    if isCancelled { task.cancel() }
  }

  /// Ends the transfer; those who wait for its bytes are told to fetch themselves.
  func cancel() {
    let task = progress.withLock { progress in
      progress.isCancelled = true
      return progress.task
    }
    task?.cancel()
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let step = progress.withLock { take(from: rest, &$0) }
      guard let step else { return false }
      if let (segment, part) = step.publish { segment.block.publish(segment.mask(part)) }
      rest = UnsafeRawBufferPointer(rebasing: rest[step.taken...])
    }
    return true
  }

  private struct Step {
    var taken: Int
    var publish: (Segment, Range<Int64>)?
  }

  /// Copies up to the next point of publication. Nil: no more is wanted.
  private func take(from bytes: UnsafeRawBufferPointer, _ progress: inout Progress) -> Step? {
    guard !progress.isFinished, !progress.isCancelled, progress.segment < segments.count else { return nil }
    let segment = segments[progress.segment]
    if progress.position < segment.range.lowerBound {
      let skipped = min(bytes.count, Int(segment.range.lowerBound - progress.position))
      progress.position += Int64(skipped)
      return Step(taken: skipped)
    }
    progress.published = max(progress.published, segment.range.lowerBound)
    let boundary = min(segment.range.upperBound, progress.published + Self.publishStep)
    let taken = min(bytes.count, Int(boundary - progress.position))
    let start = segment.block.id.index * Int64(BlockGeometry.blockSize)
    segment.block.fill(at: Int(progress.position - start), from: UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
    progress.position += Int64(taken)
    guard progress.position == boundary else { return Step(taken: taken) }
    let part = progress.published..<boundary
    progress.published = boundary
    if boundary == segment.range.upperBound { progress.segment += 1 }
    return Step(taken: taken, publish: (segment, part))
  }

  /// Publishes whole chunks that came in, gives up the rest. Nothing is received afterwards.
  ///
  /// - Parameter failure: what those get who wait for bytes that did not come.
  func finish(_ failure: @autoclosure () -> FileIOError) {
    let (position, published, current, isCancelled) = progress.withLock { progress in
      progress.isFinished = true
      progress.task = nil
      return (progress.position, progress.published, progress.segment, progress.isCancelled)
    }
    guard current < segments.count else { return }
    let outcome: FetchOutcome = isCancelled ? .abandoned : .failed(failure())
    for (index, segment) in segments.enumerated() where index >= current {
      let chunk = Int64(BlockGeometry.chunkSize)
      let lower = index == current ? max(published, segment.range.lowerBound) : segment.range.lowerBound
      let whole = index == current ? max(lower, min(position, segment.range.upperBound) / chunk * chunk) : lower
      if whole > lower { segment.block.publish(segment.mask(lower..<whole)) }
      segment.block.fail(segment.mask(whole..<segment.range.upperBound), outcome)
    }
  }
}
