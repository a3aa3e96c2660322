// SPDX-License-Identifier: Apache-2.0

/// Splits a shared AWS file into its sections, in order (spec: clients.md §6.1).
enum SharedFileParser {
  private struct State {
    var sections: [(header: String, section: SharedFiles.Section)] = []
    /// The last `key = value` line; an indented line goes below it.
    var openKey: String?
  }

  static func sections(of bytes: [UInt8], path: String) throws(AWSError) -> [(header: String, section: SharedFiles.Section)] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .configuration("\(path) is not UTF-8 text")
    }
    var state = State()
    var number = 0
    for line in text.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" }) {
      number += 1
      try read(String(line), place: "\(path) line \(number)", into: &state)
    }
    return state.sections
  }

  private static func read(_ line: String, place: String, into state: inout State) throws(AWSError) {
    let content = line.trimmingBlanks()
    if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { return }
    let isIndented = line.hasPrefix(" ") || line.hasPrefix("\t")
    if isIndented, let key = state.openKey, let last = state.sections.indices.last {
      try readNested(content, below: key, place: place, into: &state.sections[last].section)
      return
    }
    if content.hasPrefix("[") {
      guard let end = content.firstIndex(of: "]") else {
        throw .configuration("\(place): a section starts with `[` but has no `]`")
      }
      let name = content[content.index(after: content.startIndex)..<end].trimmingBlanks()
      guard !name.isEmpty else { throw .configuration("\(place): the section has no name") }
      state.sections.append((name, SharedFiles.Section()))
      state.openKey = nil
      return
    }
    guard let last = state.sections.indices.last else {
      throw .configuration("\(place): a setting stands before the first `[section]`")
    }
    let (key, value) = try keyAndValue(content, place: place)
    state.sections[last].section.values[key] = value
    state.openKey = key
  }

  private static func readNested(
    _ content: String, below key: String, place: String, into section: inout SharedFiles.Section
  ) throws(AWSError) {
    let value = section.values[key] ?? ""
    guard value.isEmpty else {
      // An indented line after a value continues the value.
      section.values[key] = "\(value)\n\(content)"
      return
    }
    let (name, nested) = try keyAndValue(content, place: place)
    section.blocks[key, default: [:]][name] = nested
  }

  private static func keyAndValue(_ content: String, place: String) throws(AWSError) -> (String, String) {
    guard let equals = content.firstIndex(of: "=") else {
      throw .configuration("\(place): neither `[section]` nor `key = value`")
    }
    let key = content[..<equals].trimmingBlanks().lowercased()
    guard !key.isEmpty else { throw .configuration("\(place): no key before `=`") }
    return (key, withoutComment(content[content.index(after: equals)...]).trimmingBlanks())
  }

  /// The value up to ` #` or ` ;`.
  private static func withoutComment(_ value: Substring) -> Substring {
    var previous: Character = "="
    for index in value.indices {
      let character = value[index]
      if character == "#" || character == ";", previous == " " || previous == "\t" { return value[..<index] }
      previous = character
    }
    return value
  }
}
