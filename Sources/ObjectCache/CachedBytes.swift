// SPDX-License-Identifier: Apache-2.0

/// Bytes of an object as they lie in the cache, in order, not copied.
package struct CachedBytes: @unchecked Sendable {
  // SAFETY: the segments point into blocks that `owner` keeps alive and that nobody writes to once published.
  /// Valid as long as `owner` is referenced.
  package let segments: [UnsafeRawBufferPointer]
  /// Keeps the memory of the segments; nil when there are none.
  package let owner: (any AnyObject & Sendable)?
  /// Bytes in all segments.
  package let count: Int

  /// No bytes: the answer at the end of an object.
  package static let empty = CachedBytes(segments: [], owner: nil, count: 0)

  private init(segments: [UnsafeRawBufferPointer], owner: (any AnyObject & Sendable)?, count: Int) {
    self.segments = segments
    self.owner = owner
    self.count = count
  }

  /// The range of one block, counted from its start.
  init(block: Block, range: Range<Int>) {
    self.init(segments: [block.bytes(range)], owner: block, count: range.count)
  }

  /// A range of an object, from the blocks that hold it, in order.
  init(blocks: [Block], range: Range<Int64>) {
    let segments = blocks.map { $0.bytes(BlockGeometry.part(of: range, in: $0.id.index)) }
    self.init(segments: segments, owner: BlockList(blocks), count: Int(range.upperBound - range.lowerBound))
  }

  /// A copy, for callers that parse.
  package func array() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      let target = UnsafeMutableRawBufferPointer(buffer)
      for segment in segments {
        UnsafeMutableRawBufferPointer(rebasing: target[written...]).copyMemory(from: segment)
        written += segment.count
      }
    }
  }

  private final class BlockList: Sendable {
    let blocks: [Block]
    init(_ blocks: [Block]) { self.blocks = blocks }
  }
}
