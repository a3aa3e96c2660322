// SPDX-License-Identifier: Apache-2.0

/// A page of the manual in the macros of man(7).
struct ManualPage {
  private(set) var text: String

  /// - Parameter purpose: one clause for apropos(1).
  init(_ name: String, section: Int, version: String, purpose: String) {
    text = ".\\\" Made from the tables of options and keys in the source; do not edit it by hand.\n"
    text += ".TH \(name.uppercased()) \(section) \"\" \"bergfs \(version)\" \"BergFS manual\"\n"
    text += ".SH NAME\n\(Self.escaped(name)) \\- \(Self.escaped(purpose))\n"
  }

  mutating func section(_ title: String) { text += ".SH \"\(Self.escaped(title.uppercased()))\"\n" }

  mutating func subsection(_ title: String) { text += ".SS \"\(Self.escaped(title))\"\n" }

  mutating func paragraph(_ sentence: String) {
    space()
    text += "\(Self.line(sentence))\n"
  }

  /// Below a title there is space already.
  private mutating func space() {
    let last = text.dropLast().split(separator: "\n").last ?? ""
    if !last.hasPrefix(".SH"), !last.hasPrefix(".SS") { text += ".PP\n" }
  }

  /// A term and what it means.
  mutating func entry(_ term: String, _ meaning: String) { text += ".TP\n.B \(Self.line(term))\n\(Self.line(meaning))\n" }

  /// Lines as they stand.
  mutating func literal(_ lines: [String]) {
    space()
    text += ".in +4n\n.nf\n" + lines.map { Self.line($0) + "\n" }.joined() + ".fi\n.in\n"
  }

  /// Paragraphs with an empty line between; lines that are indented stand as they are.
  mutating func prose(_ text: String) {
    var sentence: [Substring] = []
    var lines: [String] = []
    func isIndented(_ line: Substring) -> Bool { line.hasPrefix("  ") }
    func flush(_ page: inout ManualPage) {
      if !sentence.isEmpty { page.paragraph(sentence.joined(separator: " ")) }
      if !lines.isEmpty { page.literal(lines) }
      (sentence, lines) = ([], [])
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.allSatisfy({ $0 == " " }) || (isIndented(line) ? !sentence.isEmpty : !lines.isEmpty) { flush(&self) }
      if line.allSatisfy({ $0 == " " }) { continue }
      if isIndented(line) { lines.append(String(line.dropFirst(2))) } else { sentence.append(line) }
    }
    flush(&self)
  }

  /// An entry an option, below the titles of their groups.
  mutating func options(_ arguments: [CommandTable.Argument], _ term: (CommandTable.Argument) -> String) {
    var title: String?
    for argument in arguments {
      if let next = argument.sectionTitle, next != title {
        title = next
        space()
        text += ".I \(Self.line(next))\n"
      }
      entry(term(argument), argument.abstract ?? "")
    }
  }

  /// A line that begins with a control character would be an instruction.
  private static func line(_ text: String) -> String {
    let escaped = escaped(text)
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("`", with: "\\(ga").replacing("~", with: "\\(ti")
      .replacing("^", with: "\\(ha").replacing("\"", with: "\\(dq").replacing("…", with: "...")
  }
}
