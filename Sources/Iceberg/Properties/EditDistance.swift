// SPDX-License-Identifier: Apache-2.0

/// Levenshtein's distance: insertions, deletions and replacements of one character.
enum EditDistance {
  /// The distance of two texts; nil if it is above the limit, or above half of the longer text.
  static func between(_ left: String, _ right: String, limit: Int) -> Int? {
    let a = Array(left.unicodeScalars)
    let b = Array(right.unicodeScalars)
    guard abs(a.count - b.count) <= limit else { return nil }
    var previous = Array(0...b.count)
    for (row, scalar) in a.enumerated() {
      var current = [row + 1]
      current.reserveCapacity(b.count + 1)
      for column in b.indices {
        let replaced = previous[column] + (b[column] == scalar ? 0 : 1)
        current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    guard let distance = previous.last, distance <= limit, distance * 2 <= max(a.count, b.count) else { return nil }
    return distance
  }
}
