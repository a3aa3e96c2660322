// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// Gives an edited document back the large integers that its tool rounded to doubles, as jq 1.6 does.
///
/// A number that stands where the base has an integer B beyond 2^53, and equals B as a double, is B. One that stands elsewhere (a new ref
/// to an old snapshot) is B if it looks rounded and no other integer of the base is the same double.
package struct NumberRestoration: Sendable {
  /// A number put back.
  package struct Restored: Sendable, Hashable {
    package var found: String
    package var restored: String
  }

  /// Beyond, not every integer is a double.
  private static let exactLimit = 9_007_199_254_740_992.0

  private var edits = JSONEdits()
  /// In the order of the text.
  package private(set) var restored: [Restored] = []
  /// Large integers of the base by what is left of them as doubles.
  private var byDouble: [Double: Set<String>] = [:]
  /// Large numbers without a counterpart that may have been rounded.
  private var unmatched: [(path: String, text: String, candidates: Int)] = []

  private init() {}

  /// The edited text with its numbers restored.
  ///
  /// - Returns: the same bytes if nothing had to be restored.
  /// - Throws: a refusal of row 1 naming jq 1.7 if a rounded number has no or no single counterpart.
  package static func restore(
    _ edited: JSONDocument, from base: JSONDocument
  ) throws(SuccessorRefusal) -> (bytes: [UInt8], restored: [Restored]) {
    var restoration = NumberRestoration()
    for node in base.largeNumbers {
      guard isRoundable(node), let value = node.double, let text = node.numberText else { continue }
      restoration.byDouble[value, default: []].insert(text)
    }
    guard edited.largeNumbers.contains(where: { isLarge($0) }) else { return (edited.bytes, []) }
    restoration.walk(edited.root, base.root, "")
    if !restoration.restored.isEmpty || restoration.unmatched.contains(where: { $0.candidates > 1 }),
      let lost = restoration.unmatched.first
    {
      throw SuccessorRefusal(
        row: .document, path: lost.path,
        expected: "an integer digit for digit; the tool that made the file rounds integers above 2^53: use jq >= 1.7",
        found: "\(lost.text.prefix(40)), which \(lost.candidates == 0 ? "no" : "no single") integer of the current file rounds to")
    }
    return (restoration.edits.applied(to: edited.bytes), restoration.restored)
  }

  /// An integer beyond 2^53.
  private static func isRoundable(_ node: JSONNode) -> Bool {
    node.int64.map { $0.magnitude > 1 << 53 } ?? false
  }

  private static func isLarge(_ node: JSONNode) -> Bool {
    guard let value = node.double else { return false }
    return abs(value) >= exactLimit
  }

  // MARK: Walk

  /// As deep as the parser lets a document nest.
  private mutating func walk(_ node: JSONNode, _ base: JSONNode?, _ path: String) {
    switch node.kind {
    case .object:
      let known = base?.memberIndex ?? [:]
      for (name, value) in node.members { walk(value, known[Array(name.utf8)], path.isEmpty ? name : "\(path).\(name)") }
    case .array:
      let elements = Array(node.elements)
      let matches = ArrayAlignment.matches(elements, base.map { Array($0.elements) } ?? [])
      for (index, element) in elements.enumerated() { walk(element, matches[index], "\(path)[\(index)]") }
    case .number: number(node, base, path)
    case .string, .bool, .null: return
    }
  }

  private mutating func number(_ node: JSONNode, _ base: JSONNode?, _ path: String) {
    guard let value = node.double, abs(value) >= Self.exactLimit, let text = node.numberText else { return }
    if let base, Self.isRoundable(base), base.double == value, let due = base.numberText { return put(due, node, text) }
    let candidates = byDouble[value] ?? []
    if candidates.count == 1, let due = candidates.first {
      if due == text || Self.mayBeRounded(node, value) { put(due, node, text) }
    } else if Self.mayBeRounded(node, value) {
      unmatched.append((path, text, candidates.count))
    }
  }

  private mutating func put(_ due: String, _ node: JSONNode, _ text: String) {
    guard due != text else { return }
    edits.replace(node.byteRange, with: Array(due.utf8))
    restored.append(Restored(found: text, restored: due))
  }

  /// Whether a tool that computes with doubles could have written the number: the double itself, or its shortest digits with zeros.
  private static func mayBeRounded(_ node: JSONNode, _ value: Double) -> Bool {
    guard let integer = node.int64 else { return true }
    if let exact = Int64(exactly: value), exact == integer { return true }
    // The shortest digits of a double are at most 17, the rest is zeros.
    let digits = String(integer.magnitude)
    guard digits.utf8.count > 16 else { return false }
    return digits.utf8.dropFirst(17).allSatisfy { $0 == UInt8(ascii: "0") } && shortest(value) == significant(digits)
  }

  private static func shortest(_ value: Double) -> String {
    significant(String("\(abs(value))".prefix { $0 != "e" }.filter { $0 != "." }))
  }

  /// Without the zeros at the end.
  private static func significant(_ digits: String) -> String {
    var text = Substring(digits)
    while text.last == "0" { text.removeLast() }
    return String(text)
  }
}
