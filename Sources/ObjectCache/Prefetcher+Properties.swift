// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// The analytics accelerator's keys in the cache's terms. Source: spec/properties.md §4.5.
extension Prefetcher.Tuning {
  /// Bytes that count as small where `small.objects.prefetching.enabled` stands alone, as the library's documents say.
  private static let smallObject: Int64 = 3 << 20

  /// What the properties of a catalog ask for; the cache's own way where they ask for nothing. Values that blocks and memory do not allow become
  /// the nearest that they do.
  ///
  /// Throws for a value of the wrong form.
  package init(_ properties: EffectiveProperties) throws(PropertyValueError) {
    typealias Keys = AnalyticsAcceleratorKeys
    self.init()
    guard try properties.boolean(Keys.enabled) == true else { return }
    func bytes(_ key: String) throws(PropertyValueError) -> Int64? {
      guard properties.isSet(key), let bytes = try properties.int64(key) else { return nil }
      return min(max(bytes, 1), maximumWindow)
    }
    if let threshold = try bytes(Keys.smallObjectSizeThreshold) { wholeObject = threshold }
    if let isRead = try properties.boolean(Keys.smallObjectsPrefetchingEnabled) {
      wholeObject = isRead ? try bytes(Keys.smallObjectSizeThreshold) ?? Self.smallObject : 0
    }
    readAhead = try bytes(Keys.readAheadBytes)
    let limits = [try bytes(Keys.maxRangeSizeBytes), try bytes(Keys.partSizeBytes)].compactMap { $0 }
    maximumRequest = Self.wholeBlocks(limits.min() ?? maximumRequest)
    requestAhead = try bytes(Keys.blockSizeBytes).map { min(Self.wholeBlocks($0), maximumRequest) }
    growthBase = Self.within(1...64, try properties.double(Keys.sequentialPrefetchBase) ?? growthBase)
    growthSpeed = Self.within(0...32, try properties.double(Keys.sequentialPrefetchSpeed) ?? growthSpeed)
  }

  /// The nearest number of a range, which keeps the window's arithmetic finite.
  private static func within(_ range: ClosedRange<Double>, _ number: Double) -> Double {
    number > range.lowerBound ? min(number, range.upperBound) : range.lowerBound
  }

  private static func wholeBlocks(_ bytes: Int64) -> Int64 {
    let block = Int64(BlockGeometry.blockSize)
    return max(block, bytes / block * block)
  }
}
