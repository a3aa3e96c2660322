// SPDX-License-Identifier: Apache-2.0

/// Turns names of the catalog and segments of keys into directory entry names, and back, exactly.
///
/// A name is shown as it is unless it holds `/` or NUL, is `.`, `..` or empty, holds `%` followed by two hex digits or by `~`, or ends in
/// `%`; then those bytes and every `%` are percent-encoded, and an empty name is `%`. Over 255 bytes, the first 200 and a digest stand for
/// it. An entry that lost its name to another gets a trailing `%`. Source: design of the tree, docs/semantics.md "Names".
package struct NameCodec: Sendable {
  package static let longest = 255
  private static let keptOfLong = 200
  private static let percent = UInt8(ascii: "%")

  /// What a shown name says of the name behind it.
  package enum Decoded: Equatable, Sendable {
    /// The name itself. `isSecond`: another entry keeps the plain form.
    case name(String, isSecond: Bool)
    /// Too long to be shown: only a listing can tell which one it is.
    case digest(isSecond: Bool)
    /// No name is ever shown like this.
    case impossible
  }

  /// SHA-256 of bytes, 32 bytes long.
  private let digest: @Sendable ([UInt8]) -> [UInt8]

  package init(digest: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    self.digest = digest
  }

  /// The entry name for a name. `isSecond` is set for an entry whose plain form another entry keeps.
  package func encode(_ name: some StringProtocol, isSecond: Bool = false) -> EntryName {
    encode(Array(name.utf8), isSecond: isSecond)
  }

  package func encode(_ name: [UInt8], isSecond: Bool = false) -> EntryName {
    var shown = Self.needsEncoding(name) ? Self.percentEncoded(name) : name
    let room = Self.longest - (isSecond ? 1 : 0)
    if shown.count > room {
      shown = Array(shown.prefix(Self.keptOfLong)) + Array("%~".utf8) + Self.hexadecimal(digest(name).prefix(8))
    }
    if isSecond {
      shown.append(Self.percent)
    }
    return EntryName(shown)
  }

  /// The name behind an entry name.
  package func decode(_ entry: EntryName) -> Decoded {
    var bytes = entry.bytes
    if bytes == [Self.percent] {
      return .name("", isSecond: false)
    }
    var isSecond = false
    if bytes.last == Self.percent {
      bytes.removeLast()
      isSecond = true
      if bytes == [Self.percent] {
        return .name("", isSecond: true)
      }
    }
    if Self.isDigestForm(bytes) {
      return .digest(isSecond: isSecond)
    }
    let raw = Self.holdsEscape(bytes) ? Self.percentDecoded(bytes) : bytes
    guard encode(raw, isSecond: isSecond) == entry, let text = String(validating: raw, as: UTF8.self) else { return .impossible }
    return .name(text, isSecond: isSecond)
  }

  private static func needsEncoding(_ name: [UInt8]) -> Bool {
    if name.isEmpty || name == [UInt8(ascii: ".")] || name == [UInt8(ascii: "."), UInt8(ascii: ".")] || name.last == percent {
      return true
    }
    return name.contains { $0 == UInt8(ascii: "/") || $0 == 0 } || holdsEscape(name)
  }

  /// Whether a `%` is followed by two hex digits or by `~`.
  private static func holdsEscape(_ bytes: [UInt8]) -> Bool {
    for (index, byte) in bytes.enumerated() where byte == percent {
      if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "~") { return true }
      if index + 2 < bytes.count, nibble(bytes[index + 1]) != nil, nibble(bytes[index + 2]) != nil { return true }
    }
    return false
  }

  private static func isDigestForm(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == keptOfLong + 18 else { return false }
    let tail = bytes[keptOfLong...]
    return tail.starts(with: "%~".utf8) && tail.dropFirst(2).allSatisfy { nibble($0) != nil }
  }

  private static func percentEncoded(_ name: [UInt8]) -> [UInt8] {
    if name.isEmpty { return [percent] }
    let isDots = name.allSatisfy { $0 == UInt8(ascii: ".") } && name.count <= 2
    var shown: [UInt8] = []
    shown.reserveCapacity(name.count + 8)
    for byte in name {
      if byte == percent || byte == UInt8(ascii: "/") || byte == 0 || isDots {
        shown.append(percent)
        shown += upperHexadecimal(byte)
      } else {
        shown.append(byte)
      }
    }
    return shown
  }

  private static func percentDecoded(_ bytes: [UInt8]) -> [UInt8] {
    var name: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == percent, index + 2 < bytes.count, let high = nibble(bytes[index + 1]), let low = nibble(bytes[index + 2]) {
        name.append(high << 4 | low)
        index += 3
      } else {
        name.append(bytes[index])
        index += 1
      }
    }
    return name
  }

  private static func nibble(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func upperHexadecimal(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }
}
