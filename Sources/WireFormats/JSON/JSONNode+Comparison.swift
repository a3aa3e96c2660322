// SPDX-License-Identifier: Apache-2.0

/// Equality of values, not of texts: white space, escapes and the order of members make no difference.
extension JSONNode {
  /// How two numbers are compared.
  package enum NumberComparison: Sendable {
    /// Integers digit for digit, others as doubles.
    case exact
    /// All as doubles: what a tool that computes with doubles leaves of a number.
    case rounded
  }

  /// Members up to which names in equal order are compared one by one; above, an index is made.
  private static let linearMembers = 64

  /// True if both hold the same value. Of members with one name the last counts.
  package func isSameValue(as other: JSONNode, numbers: NumberComparison = .exact) -> Bool {
    if isSameText(as: other) { return true }
    guard kind == other.kind else { return false }
    switch kind {
    case .null: return true
    case .bool: return bool == other.bool
    case .string: return stringBytes == other.stringBytes
    case .number: return isSameNumber(as: other, numbers)
    case .array:
      var elements = elements
      var others = other.elements
      while let element = elements.next() {
        guard let match = others.next(), element.isSameValue(as: match, numbers: numbers) else { return false }
      }
      return others.next() == nil
    case .object: return isSameObject(as: other, numbers)
    }
  }

  /// The bytes of the decoded string; nil if the value is no string. Unlike `String`, they compare without Unicode's rules.
  package var stringBytes: [UInt8]? {
    guard kind == .string else { return nil }
    let content = storage.bytes[(byteRange.lowerBound + 1)..<(byteRange.upperBound - 1)]
    return storage.tape[index].kind == .escapedString ? Self.unescape(content) : Array(content)
  }

  /// The values of an object's members by the bytes of their names, the last one of each; empty if the value is no object.
  package var memberIndex: [[UInt8]: JSONNode] {
    var index: [[UInt8]: JSONNode] = [:]
    for (name, value) in namedNodes { index[name.stringBytes ?? []] = value }
    return index
  }

  /// Equal values have equal fingerprints if numbers are compared as doubles; others very likely differ. Differs from run to run.
  package var roundedFingerprint: Int {
    var hasher = Hasher()
    switch kind {
    case .null: hasher.combine(0)
    case .bool: hasher.combine(bool)
    case .string: hasher.combine(stringBytes)
    case .number: hasher.combine(double ?? .infinity)
    case .array:
      hasher.combine(1)
      for element in elements { hasher.combine(element.roundedFingerprint) }
    case .object:
      var sum = 0
      for (name, value) in memberIndex {
        var member = Hasher()
        member.combine(name)
        member.combine(value.roundedFingerprint)
        sum &+= member.finalize()
      }
      hasher.combine(2)
      hasher.combine(sum)
    }
    return hasher.finalize()
  }

  // MARK: Parts

  /// The members with their names as nodes.
  private var namedNodes: [(name: JSONNode, value: JSONNode)] {
    guard kind == .object else { return [] }
    var nodes: [(name: JSONNode, value: JSONNode)] = []
    var name = index + 1
    let end = Int(storage.tape[index].next)
    while name < end {
      nodes.append((JSONNode(storage: storage, index: name), JSONNode(storage: storage, index: name + 1)))
      name = Int(storage.tape[name + 1].next)
    }
    return nodes
  }

  private func isSameText(as other: JSONNode) -> Bool {
    let (range, otherRange) = (byteRange, other.byteRange)
    guard range.count == otherRange.count else { return false }
    return storage.bytes[range].elementsEqual(other.storage.bytes[otherRange])
  }

  private func isSameNumber(as other: JSONNode, _ numbers: NumberComparison) -> Bool {
    if let left = int64, let right = other.int64, numbers == .exact || left == right { return left == right }
    return double != nil && double == other.double
  }

  private func isSameObject(as other: JSONNode, _ numbers: NumberComparison) -> Bool {
    let (mine, others) = (namedNodes, other.namedNodes)
    // The usual case: the same names in the same order, each once.
    if mine.count == others.count, mine.count <= Self.linearMembers,
      zip(mine, others).allSatisfy({ $0.name.isSameText(as: $1.name) }), Set(mine.map { $0.name.stringBytes }).count == mine.count
    {
      return zip(mine, others).allSatisfy { $0.value.isSameValue(as: $1.value, numbers: numbers) }
    }
    let (index, otherIndex) = (memberIndex, other.memberIndex)
    return index.count == otherIndex.count
      && index.allSatisfy { name, value in otherIndex[name].map { value.isSameValue(as: $0, numbers: numbers) } ?? false }
  }
}
