// SPDX-License-Identifier: Apache-2.0

/// A type without children.
package enum PrimitiveType: Sendable, Hashable, CustomStringConvertible {
  case boolean, int, long, float, double, date, time, timestamp, timestamptz, string, uuid, binary
  /// Bytes.
  case fixed(Int)
  case decimal(precision: Int, scale: Int)
  /// From version 3 on, as all below.
  case timestampNs, timestamptzNs, unknown, variant
  /// With its parameters as written, in lower case.
  case geometry(String), geography(String)

  private static let simple: [String: PrimitiveType] = [
    "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double, "date": .date, "time": .time,
    "timestamp": .timestamp, "timestamptz": .timestamptz, "string": .string, "uuid": .uuid, "binary": .binary,
    "timestamp_ns": .timestampNs, "timestamptz_ns": .timestamptzNs, "unknown": .unknown, "variant": .variant,
  ]

  /// Reads a type's name in any case; nil if there is no such type.
  package init?(_ text: String) {
    let name = text.lowercased()
    if let simple = Self.simple[name] {
      self = simple
      return
    }
    let (word, parameters) = Self.split(name)
    switch word {
    case "fixed[":
      guard let length = parameters.flatMap(Self.number) else { return nil }
      self = .fixed(length)
    case "decimal(":
      let parts = parameters?.split(separator: ",", omittingEmptySubsequences: false) ?? []
      guard parts.count == 2, let precision = Self.number(parts[0]), let scale = Self.number(parts[1]), precision <= 38 else { return nil }
      self = .decimal(precision: precision, scale: scale)
    case "geometry", "geometry(": self = .geometry(parameters.map(String.init) ?? "")
    case "geography", "geography(": self = .geography(parameters.map(String.init) ?? "")
    default: return nil
    }
  }

  package var description: String {
    switch self {
    case .fixed(let length): "fixed[\(length)]"
    case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
    case .geometry(let parameters): parameters.isEmpty ? "geometry" : "geometry(\(parameters))"
    case .geography(let parameters): parameters.isEmpty ? "geography" : "geography(\(parameters))"
    case .timestampNs: "timestamp_ns"
    case .timestamptzNs: "timestamptz_ns"
    case .boolean, .int, .long, .float, .double, .date, .time, .timestamp, .timestamptz, .string, .uuid, .binary, .unknown, .variant:
      Self.simple.first { $0.value == self }?.key ?? ""
    }
  }

  /// The lowest format version that has the type.
  package var minimumVersion: Int {
    switch self {
    case .timestampNs, .timestamptzNs, .unknown, .variant, .geometry, .geography: 3
    default: 1
    }
  }

  /// Whether values of this type may be read as the other: equal, or widened as schema evolution allows.
  package func promotes(to other: PrimitiveType, formatVersion: Int) -> Bool {
    if self == other { return true }
    switch (self, other) {
    case (.int, .long), (.float, .double): return true
    case (.decimal(let precision, let scale), .decimal(let wider, let same)): return scale == same && wider >= precision
    case (.unknown, _): return formatVersion >= 3
    case (.date, .timestamp), (.date, .timestampNs): return formatVersion >= 3
    default: return false
    }
  }

  /// The word with its bracket, and what stands between the brackets.
  private static func split(_ name: String) -> (word: String, parameters: Substring?) {
    guard let open = name.firstIndex(where: { $0 == "(" || $0 == "[" }) else { return (name, nil) }
    guard name.last == (name[open] == "(" ? ")" : "]") else { return ("", nil) }
    return (String(name[...open]), name[name.index(after: open)...].dropLast())
  }

  private static func number(_ text: Substring) -> Int? {
    var digits = text
    while digits.first == " " { digits.removeFirst() }
    while digits.last == " " { digits.removeLast() }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    return Int32(digits).map { Int($0) }
  }
}
