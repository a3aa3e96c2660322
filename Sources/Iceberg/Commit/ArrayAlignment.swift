// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Finds for the elements of an edited array the elements of the base's array that they were made from.
enum ArrayAlignment {
  /// One entry an element: nil for those without a counterpart.
  ///
  /// First equal ones (numbers as doubles), in order; then, if as many are left on both sides, the rest in order: those were changed.
  static func matches(_ edited: [JSONNode], _ base: [JSONNode]) -> [JSONNode?] {
    guard !base.isEmpty else { return Array(repeating: nil, count: edited.count) }
    var places: [Int: [Int]] = [:]
    // Backwards, so that the first place is the last of its list and cheap to take.
    for (index, element) in base.enumerated().reversed() { places[element.roundedFingerprint, default: []].append(index) }
    var isTaken = Array(repeating: false, count: base.count)
    var matches: [JSONNode?] = Array(repeating: nil, count: edited.count)
    let fingerprints = edited.map(\.roundedFingerprint)
    // An element that stands where it stood is that one, whatever equals it elsewhere.
    if edited.count == base.count {
      for (index, fingerprint) in fingerprints.enumerated() where places[fingerprint]?.contains(index) ?? false {
        matches[index] = base[index]
        isTaken[index] = true
      }
    }
    for (index, fingerprint) in fingerprints.enumerated() where matches[index] == nil {
      while let place = places[fingerprint]?.popLast() {
        guard !isTaken[place] else { continue }
        matches[index] = base[place]
        isTaken[place] = true
        break
      }
    }
    let rest = base.indices.filter { !isTaken[$0] }
    let open = matches.indices.filter { matches[$0] == nil }
    if rest.count == open.count {
      for (index, place) in zip(open, rest) { matches[index] = base[place] }
    }
    return matches
  }
}
