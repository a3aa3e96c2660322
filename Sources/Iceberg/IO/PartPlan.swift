// SPDX-License-Identifier: Apache-2.0

/// How the bytes of an upload are divided into parts: never over 10,000, each within 5 MiB and 5 GiB, all together up to 5 TiB where the
/// memory allows. Source: spec/s3fileio.md §5.
///
/// Parts are of one size (`s3.multipart.part-size-bytes`) as far as that reaches. Of a known size it is enlarged for all of them, since
/// some servers want equal parts; of an unknown size it grows by half each 1,000 parts.
package struct PartPlan: Sendable, Hashable {
  package static let maximumParts = 10_000
  package static let minimumPartSize = 5 << 20
  package static let maximumPartSize = 5 << 30
  /// Bytes.
  package static let maximumObjectSize: Int64 = 5 << 40
  private static let granularity: Int64 = 1 << 20
  private static let growthInterval = 1000

  private let base: Int
  private let cap: Int
  private let grows: Bool
  private let offsets: [Int64]

  /// - Parameters:
  ///   - partSize: bytes, of `s3.multipart.part-size-bytes`.
  ///   - largestPart: bytes of memory (or of a copied range) for one part.
  ///   - expectedSize: bytes of the object; nil if unknown.
  package init(partSize: Int, largestPart: Int, expectedSize: Int64?) {
    cap = min(max(largestPart, Self.minimumPartSize), Self.maximumPartSize)
    var size = min(max(partSize, Self.minimumPartSize), cap)
    grows = expectedSize == nil
    if let expectedSize {
      let wanted = max(min(expectedSize, Self.maximumObjectSize), 0)
      let needed = (wanted + Int64(Self.maximumParts) - 1) / Int64(Self.maximumParts)
      let rounded = (needed + Self.granularity - 1) / Self.granularity * Self.granularity
      size = min(max(size, Int(rounded)), cap)
    }
    base = size
    var offsets: [Int64] = [0]
    for tier in 0..<(Self.maximumParts / Self.growthInterval) {
      offsets.append((offsets.last ?? 0) + Int64(Self.size(tier: tier, base: size, cap: cap, grows: grows)) * Int64(Self.growthInterval))
    }
    self.offsets = offsets
  }

  /// The most bytes that an upload can hold.
  package var capacity: Int64 { min(offsets.last ?? 0, Self.maximumObjectSize) }

  /// Bytes of a part that is not the last.
  ///
  /// - Parameter number: from 1. Nil beyond the last possible part.
  package func size(ofPart number: Int) -> Int? {
    guard (1...Self.maximumParts).contains(number) else { return nil }
    return Self.size(tier: (number - 1) / Self.growthInterval, base: base, cap: cap, grows: grows)
  }

  /// The ranges of all parts of an object; nil if it is too large.
  package func ranges(of size: Int64) -> [Range<Int64>]? {
    guard size <= capacity else { return nil }
    var ranges: [Range<Int64>] = []
    var start: Int64 = 0
    while start < size {
      guard let part = self.size(ofPart: ranges.count + 1) else { return nil }
      let end = min(start + Int64(part), size)
      ranges.append(start..<end)
      start = end
    }
    return ranges
  }

  private static func size(tier: Int, base: Int, cap: Int, grows: Bool) -> Int {
    guard grows else { return base }
    var size = Double(base)
    for _ in 0..<tier { size *= 1.5 }
    return max(base, min(Int(size) / Int(granularity) * Int(granularity), cap))
  }
}
