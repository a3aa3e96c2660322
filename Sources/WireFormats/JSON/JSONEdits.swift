// SPDX-License-Identifier: Apache-2.0

/// Changes to a JSON text that leave every other byte as it is: order of members, white space, number text, unknown members.
///
/// Edits are collected against the ranges of the parsed text and applied together. Ranges must not overlap; at one place, edits apply in
/// the order in which they were made.
package struct JSONEdits: Sendable {
  private struct Edit {
    var range: Range<Int>
    var replacement: [UInt8]
  }

  private var edits: [Edit] = []

  package init() {}

  /// True if applying would change nothing.
  package var isEmpty: Bool { edits.isEmpty }

  /// How many places are edited.
  package var count: Int { edits.count }

  /// Puts other bytes in the place of a range; an empty range inserts.
  package mutating func replace(_ range: Range<Int>, with replacement: [UInt8]) {
    edits.append(Edit(range: range, replacement: replacement))
  }

  /// Puts a value in the place of a node, written compactly.
  package mutating func replace(_ node: JSONNode, with value: JSONValue) {
    replace(node.byteRange, with: value.serialized())
  }

  /// Adds a member after the last one of an object. Does nothing to a value of another kind.
  package mutating func append(member name: String, _ value: [UInt8], to object: JSONNode) {
    guard object.kind == .object else { return }
    append(JSONValue.string(name).serialized() + [UInt8(ascii: ":")] + value, after: object.lastChildEnd, closing: object.byteRange)
  }

  /// Drops the first elements of an array and adds one after the last. Does nothing to a value of another kind.
  ///
  /// White space between elements is kept: the new element is set off as the last one is from its neighbour.
  package mutating func rotate(_ array: JSONNode, droppingFirst dropped: Int, appending element: [UInt8]) {
    guard array.kind == .array else { return }
    let ranges = array.elements.map(\.byteRange)
    guard let last = ranges.last else { return append(element, after: nil, closing: array.byteRange) }
    guard dropped < ranges.count else {
      return replace((ranges.first ?? last).lowerBound..<last.upperBound, with: element)
    }
    if dropped > 0, let first = ranges.first { replace(first.lowerBound..<ranges[dropped].lowerBound, with: []) }
    let bytes = array.storage.bytes
    let separator =
      ranges.count > 1
      ? Array(bytes[ranges[ranges.count - 2].upperBound..<last.lowerBound])
      : [UInt8(ascii: ",")] + bytes[(array.byteRange.lowerBound + 1)..<last.lowerBound]
    replace(last.upperBound..<last.upperBound, with: separator + element)
  }

  /// The text with all edits made. An edit that overlaps an earlier place, or lies outside the text, is left out.
  package func applied(to bytes: [UInt8]) -> [UInt8] {
    // Stable, so that insertions at one place keep their order.
    let ordered = edits.enumerated().sorted { ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + edits.reduce(0) { $0 + $1.replacement.count })
    var position = 0
    for (_, edit) in ordered where edit.range.lowerBound >= position && edit.range.upperBound <= bytes.count {
      result.append(contentsOf: bytes[position..<edit.range.lowerBound])
      result.append(contentsOf: edit.replacement)
      position = edit.range.upperBound
    }
    result.append(contentsOf: bytes[position...])
    return result
  }

  private mutating func append(_ part: [UInt8], after end: Int?, closing container: Range<Int>) {
    if let end {
      replace(end..<end, with: [UInt8(ascii: ",")] + part)
    } else {
      let inside = (container.lowerBound + 1)..<(container.lowerBound + 1)
      replace(inside, with: part)
    }
  }
}

extension JSONNode {
  /// Past the last byte of the last member or element; nil if there is none.
  fileprivate var lastChildEnd: Int? {
    switch kind {
    case .object: members.reduce(nil as Int?) { _, member in member.value.byteRange.upperBound }
    case .array: elements.reduce(nil as Int?) { _, element in element.byteRange.upperBound }
    default: nil
    }
  }
}

extension JSONDocument {
  /// All numbers of the text whose magnitude may pass 2^53: integers of 16 or more characters and numbers with an exponent, in order.
  package var largeNumbers: [JSONNode] {
    let storage = root.storage
    return storage.tape.indices.compactMap { index in
      let entry = storage.tape[index]
      switch entry.kind {
      case .integer where entry.end - entry.start >= 16: return JSONNode(storage: storage, index: index)
      case .decimal: return JSONNode(storage: storage, index: index)
      default: return nil
      }
    }
  }
}
