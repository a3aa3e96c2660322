// SPDX-License-Identifier: Apache-2.0

/// Which bytes of a file were written: disjoint ranges in order, none touching the next.
struct WrittenRanges: Sendable, Equatable {
  private(set) var ranges: [Range<Int64>] = []

  var first: Range<Int64>? { ranges.first }
  var count: Int { ranges.count }

  /// Whether inserting a range would make one more of them.
  func grows(by range: Range<Int64>) -> Bool {
    touching(range).isEmpty
  }

  mutating func insert(_ range: Range<Int64>) {
    guard !range.isEmpty else { return }
    let touched = touching(range)
    let lower = min(range.lowerBound, ranges[touched].first?.lowerBound ?? range.lowerBound)
    let upper = max(range.upperBound, ranges[touched].last?.upperBound ?? range.upperBound)
    ranges.replaceSubrange(touched, with: [lower..<upper])
  }

  /// Forgets everything before an offset.
  mutating func drop(before offset: Int64) {
    ranges.removeSubrange(..<index { $0.upperBound <= offset })
    if let first, first.lowerBound < offset { ranges[0] = offset..<first.upperBound }
  }

  /// Forgets everything from an offset on.
  mutating func drop(from offset: Int64) {
    ranges.removeSubrange(index { $0.lowerBound < offset }...)
    if let last = ranges.last, last.upperBound > offset { ranges[ranges.count - 1] = last.lowerBound..<offset }
  }

  /// The ranges that overlap or touch one.
  private func touching(_ range: Range<Int64>) -> Range<Int> {
    let start = index { $0.upperBound < range.lowerBound }
    return start..<max(start, index { $0.lowerBound <= range.upperBound })
  }

  /// The first place whose range does not fulfil what all before it do.
  private func index(where isBefore: (Range<Int64>) -> Bool) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(ranges[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
