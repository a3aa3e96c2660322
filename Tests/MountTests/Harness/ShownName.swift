// SPDX-License-Identifier: Apache-2.0

import Testing

/// The rule by which names are shown, written a second time from its sentence in the documents.
///
/// A name is shown as it is, unless it holds `/` or NUL, is `.`, `..` or empty, holds `%` followed by two hex digits or by `~`, or ends in `%`:
/// then those bytes and every `%` are percent-encoded (an empty segment is `%`). Over 255 bytes: the first 200 bytes + `%~` + 16 hex digits of
/// its SHA-256. The second of two entries that want one name gets a trailing `%`.
enum ShownName {
  static let longest = 255

  /// - Parameter digests: of the names too long to be shown; see ``digests(of:)``.
  static func encode(_ name: [UInt8], isSecond: Bool = false, digests: [[UInt8]: String] = [:]) -> [UInt8] {
    var shown = percentEncoded(name)
    if shown.count + (isSecond ? 1 : 0) > longest {
      shown = shown.prefix(200) + Array("%~\(digests[name]?.prefix(16) ?? "no digest")".utf8)
    }
    return isSecond ? shown + [UInt8(ascii: "%")] : shown
  }

  /// The SHA-256 of every name that may be too long to be shown, by coreutils.
  static func digests(of names: Set<[UInt8]>) async throws -> [[UInt8]: String] {
    let long = names.filter { $0.count > longest / 3 }.sorted { $0.lexicographicallyPrecedes($1) }
    guard !long.isEmpty else { return [:] }
    let script = "while IFS= read -r -d '' name; do printf %s \"$name\" | sha256sum; done"
    let lines = try await Shell.bash(script, input: long.flatMap { $0 + [0] }).succeeded().lines
    guard lines.count == long.count else { throw HarnessError("\(lines.count) digests of \(long.count) names") }
    return Dictionary(uniqueKeysWithValues: zip(long, lines.map { String($0.prefix(64)) }))
  }

  private static func percentEncoded(_ name: [UInt8]) -> [UInt8] {
    if name.isEmpty { return Array("%".utf8) }
    let isDots = name == Array(".".utf8) || name == Array("..".utf8)
    let isPlain = !isDots && !name.contains(0) && !name.contains(UInt8(ascii: "/")) && name.last != UInt8(ascii: "%") && !holdsEscape(name)
    if isPlain { return name }
    return name.flatMap { byte -> [UInt8] in
      let isEncoded = byte == 0 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%") || isDots
      guard isEncoded else { return [byte] }
      let digits = String(byte, radix: 16, uppercase: true)
      return Array(("%" + (digits.count == 1 ? "0" : "") + digits).utf8)
    }
  }

  private static func holdsEscape(_ name: [UInt8]) -> Bool {
    name.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false).dropFirst().contains { part in
      part.first == UInt8(ascii: "~") || part.count >= 2 && part.prefix(2).allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
    }
  }
}
