// SPDX-License-Identifier: Apache-2.0

/// How objects are cut: blocks of 1 MiB, each of 64 chunks of 16 KiB, so that the state of a block is one 64-bit mask.
///
/// 1 MiB is what a random touch may cost and what one memory reservation is; 16 KiB keeps a random 256 KiB read within 1.13x of what was asked.
package enum BlockGeometry {
  /// Bytes.
  package static let blockSize = 1 << 20
  /// Bytes.
  package static let chunkSize = 16 << 10
  /// Bytes; memory is mapped in whole pages.
  static let pageSize = 4 << 10

  /// The chunks that hold any byte of a range within a block, bit 0 being the first chunk.
  static func mask(_ range: Range<Int>) -> UInt64 {
    guard !range.isEmpty else { return 0 }
    let first = range.lowerBound / chunkSize
    let count = (range.upperBound - 1) / chunkSize - first + 1
    return count >= 64 ? .max : ((1 << UInt64(count)) - 1) << UInt64(first)
  }

  /// The runs of set bits of a mask as byte ranges within a block of `size` bytes.
  static func runs(_ mask: UInt64, size: Int) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var rest = mask
    while rest != 0 {
      let first = rest.trailingZeroBitCount
      let count = (~(rest >> UInt64(first))).trailingZeroBitCount
      let end = first + count
      result.append(first * chunkSize..<min(size, end * chunkSize))
      rest = end >= 64 ? 0 : rest & (UInt64.max << UInt64(end))
    }
    return result
  }

  /// The blocks that hold any byte of a range of an object.
  static func blocks(of range: Range<Int64>) -> Range<Int64> {
    guard !range.isEmpty else { return 0..<0 }
    return range.lowerBound / Int64(blockSize)..<(range.upperBound - 1) / Int64(blockSize) + 1
  }

  /// The part of a range that lies in block `index`, counted from the start of that block.
  static func part(of range: Range<Int64>, in index: Int64) -> Range<Int> {
    let start = index * Int64(blockSize)
    let lower = max(range.lowerBound, start) - start
    let upper = min(range.upperBound, start + Int64(blockSize)) - start
    return lower < upper ? Int(lower)..<Int(upper) : 0..<0
  }

  /// Object bytes in block `index` of an object of `size` bytes; the last block is shorter.
  static func length(ofBlock index: Int64, objectSize size: Int64) -> Int {
    Int(max(0, min(Int64(blockSize), size - index * Int64(blockSize))))
  }

  /// Memory that `length` object bytes take.
  static func capacity(_ length: Int) -> Int {
    (length + pageSize - 1) / pageSize * pageSize
  }

  /// A range widened to whole multiples of `unit`, cut at the end of the object.
  static func rounded(_ range: Range<Int64>, to unit: Int, objectSize size: Int64) -> Range<Int64> {
    let unit = Int64(unit)
    let lower = range.lowerBound / unit * unit
    let (sum, overflow) = range.upperBound.addingReportingOverflow(unit - 1)
    let upper = overflow ? size : min(size, sum / unit * unit)
    return lower..<max(lower, upper)
  }
}

/// A block of one version of one object; versions are numbered by the cache.
struct BlockID: Hashable, Sendable {
  var object: UInt64
  var index: Int64
}
