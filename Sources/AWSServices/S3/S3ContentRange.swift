// SPDX-License-Identifier: Apache-2.0

/// The `Content-Range` header of a 206 answer: `bytes 0-9/100`.
package struct S3ContentRange: Sendable, Hashable {
  /// Bytes of the object that the body holds.
  package var range: Range<Int64>
  /// Size of the object; nil where the server wrote `*`.
  package var total: Int64?

  /// Nil for any text that is no single byte range.
  package init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
    let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count == 2 else { return nil }
    let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first, last < Int64.max else {
      return nil
    }
    range = first..<(last + 1)
    if halves[1] == "*" { return }
    guard let size = Int64(halves[1]), size > last else { return nil }
    total = size
  }
}
