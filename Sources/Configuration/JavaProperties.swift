// SPDX-License-Identifier: Apache-2.0

/// Reads files in the syntax of `java.util.Properties`, as UTF-8. A key without separator and value is an error here.
package enum JavaProperties {
  /// One setting and the line it begins in, from 1.
  package struct Entry: Sendable, Hashable {
    package var key: String
    package var value: String
    package var line: Int
  }

  /// Every setting in the order of the file; a key may come twice (the last one counts).
  /// - Parameter path: named in errors only.
  package static func parse(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> [Entry] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(.syntax, "\(path):\(lineOfInvalidUTF8(bytes)): the text is not UTF-8")
    }
    var entries: [Entry] = []
    for logical in logicalLines(Array(text.unicodeScalars)) {
      entries.append(try entry(logical, path: path))
    }
    return entries
  }

  private struct LogicalLine {
    var scalars: [Unicode.Scalar]
    var number: Int
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\u{0C}" }

  /// Joins continuation lines; leaves out comments and blank lines.
  private static func logicalLines(_ scalars: [Unicode.Scalar]) -> [LogicalLine] {
    var lines: [LogicalLine] = []
    var open: LogicalLine?
    for (index, natural) in naturalLines(scalars).enumerated() {
      let body = natural.drop(while: isBlank)
      if open == nil, body.isEmpty || body.first == "#" || body.first == "!" { continue }
      var current = open ?? LogicalLine(scalars: [], number: index + 1)
      let backslashes = body.reversed().prefix { $0 == "\\" }.count
      let continues = backslashes % 2 == 1
      current.scalars += continues ? body.dropLast() : body
      if continues {
        open = current
      } else {
        lines.append(current)
        open = nil
      }
    }
    if let open, !open.scalars.isEmpty { lines.append(open) }
    return lines.filter { !$0.scalars.isEmpty }
  }

  private static func naturalLines(_ scalars: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
    var lines: [ArraySlice<Unicode.Scalar>] = []
    var start = scalars.startIndex
    var index = start
    while index < scalars.endIndex {
      guard scalars[index] == "\n" || scalars[index] == "\r" else {
        index += 1
        continue
      }
      lines.append(scalars[start..<index])
      if scalars[index] == "\r", index + 1 < scalars.endIndex, scalars[index + 1] == "\n" { index += 1 }
      index += 1
      start = index
    }
    lines.append(scalars[start...])
    return lines
  }

  private static func entry(_ line: LogicalLine, path: String) throws(ConfigurationError) -> Entry {
    let scalars = line.scalars
    var index = 0
    var isEscaped = false
    while index < scalars.count {
      let scalar = scalars[index]
      if !isEscaped, scalar == "=" || scalar == ":" || isBlank(scalar) { break }
      isEscaped = scalar == "\\" && !isEscaped
      index += 1
    }
    let key = try unescaped(scalars[..<index], line, path)
    let afterKey = index
    while index < scalars.count, isBlank(scalars[index]) { index += 1 }
    if index < scalars.count, scalars[index] == "=" || scalars[index] == ":" {
      index += 1
      while index < scalars.count, isBlank(scalars[index]) { index += 1 }
    } else if afterKey == scalars.count {
      throw ConfigurationError(.syntax, "\(path):\(line.number): key=value is expected, and there is no \"=\"")
    }
    guard !key.isEmpty else { throw ConfigurationError(.syntax, "\(path):\(line.number): there is no key before the \"=\"") }
    return Entry(key: key, value: try unescaped(scalars[index...], line, path), line: line.number)
  }

  /// Resolves `\t \n \r \f \uXXXX`; a backslash before anything else falls away.
  private static func unescaped(_ scalars: ArraySlice<Unicode.Scalar>, _ line: LogicalLine, _ path: String) throws(ConfigurationError)
    -> String
  {
    var units: [UInt16] = []
    var index = scalars.startIndex
    while index < scalars.endIndex {
      var scalar = scalars[index]
      index += 1
      if scalar == "\\", index < scalars.endIndex {
        scalar = scalars[index]
        index += 1
        if scalar == "u" {
          let digits = scalars[index...].prefix(4)
          guard digits.count == 4, digits.allSatisfy(\.properties.isASCIIHexDigit),
            let unit = UInt16(String(String.UnicodeScalarView(digits)), radix: 16)
          else { throw ConfigurationError(.syntax, "\(path):\(line.number): Malformed \\uxxxx encoding") }
          units.append(unit)
          index += 4
          continue
        }
        scalar = ["t": "\t", "n": "\n", "r": "\r", "f": "\u{0C}"][scalar] ?? scalar
      }
      units += Array(String(scalar).utf16)
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw ConfigurationError(.syntax, "\(path):\(line.number): a \\u escape is half of a surrogate pair")
    }
    return text
  }

  private static func lineOfInvalidUTF8(_ bytes: [UInt8]) -> Int {
    var line = 1
    for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil { return line }
      line += 1
    }
    return line
  }
}
