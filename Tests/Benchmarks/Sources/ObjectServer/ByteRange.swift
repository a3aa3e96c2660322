// SPDX-License-Identifier: Apache-2.0

/// What a `Range` header asks of an object of a known size.
package enum ByteRange: Equatable, Sendable {
  /// No header, or one S3 ignores (malformed, several ranges): the whole object with status 200.
  case whole
  /// `count` bytes from `offset`, status 206; the count is never zero.
  case part(offset: Int, count: Int)
  /// Nothing of the range lies in the object: 416.
  case unsatisfiable

  /// Resolves a header such as `bytes=a-b`, `bytes=a-` or `bytes=-n` against `size` bytes.
  package init(header: String?, size: Int) {
    guard let header, header.hasPrefix("bytes=") else {
      self = .whole
      return
    }
    let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else {
      self = .whole
      return
    }
    let first = ByteRange.number(ends[0])
    let last = ByteRange.number(ends[1])
    switch (first, last) {
    case (.some(let first), .some(let last)) where first <= last:
      self = first < size ? .part(offset: first, count: min(last, size - 1) - first + 1) : .unsatisfiable
    case (.some(let first), nil) where ends[1].isEmpty:
      self = first < size ? .part(offset: first, count: size - first) : .unsatisfiable
    case (nil, .some(let suffix)) where ends[0].isEmpty:
      let count = min(suffix, size)
      self = count > 0 ? .part(offset: size - count, count: count) : .unsatisfiable
    default:
      self = .whole
    }
  }

  /// A decimal number; digits beyond `Int` count as its largest value.
  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(text) ?? Int.max
  }
}
