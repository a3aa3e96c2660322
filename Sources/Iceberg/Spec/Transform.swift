// SPDX-License-Identifier: Apache-2.0

/// The function from a column's value to a partition's value.
package enum Transform: Sendable, Hashable, CustomStringConvertible {
  case identity, year, month, day, hour, void
  case bucket(Int)
  case truncate(Int)
  /// A transform of the future, as written; kept, but not to be used by a default spec.
  case unknown(String)

  /// Nil for a parameter that cannot be: `bucket[0]`.
  package init?(_ text: String) {
    switch text.lowercased() {
    case "identity": self = .identity
    case "year": self = .year
    case "month": self = .month
    case "day": self = .day
    case "hour": self = .hour
    case "void": self = .void
    case let name:
      guard name.last == "]", let open = name.firstIndex(of: "["), ["bucket", "truncate"].contains(name[..<open]),
        let parameter = Int32(name[name.index(after: open)...].dropLast())
      else {
        self = .unknown(text)
        return
      }
      guard parameter > 0 else { return nil }
      self = name.first == "b" ? .bucket(Int(parameter)) : .truncate(Int(parameter))
    }
  }

  package var description: String {
    switch self {
    case .identity: "identity"
    case .year: "year"
    case .month: "month"
    case .day: "day"
    case .hour: "hour"
    case .void: "void"
    case .bucket(let count): "bucket[\(count)]"
    case .truncate(let width): "truncate[\(width)]"
    case .unknown(let text): String(text.prefix(80))
    }
  }

  /// Whether the transform takes values of the type.
  package func accepts(_ type: PrimitiveType) -> Bool {
    switch (self, type) {
    case (.void, _), (.unknown, _): true
    case (.identity, .variant), (.identity, .geometry), (.identity, .geography): false
    case (.identity, _): true
    case (.year, .date), (.month, .date), (.day, .date): true
    case (.year, _), (.month, _), (.day, _), (.hour, _): [.timestamp, .timestamptz, .timestampNs, .timestamptzNs].contains(type)
    case (.bucket, .fixed), (.bucket, .decimal), (.truncate, .decimal): true
    case (.bucket, _):
      [.int, .long, .date, .time, .timestamp, .timestamptz, .timestampNs, .timestamptzNs, .string, .uuid, .binary].contains(type)
    case (.truncate, _): [.int, .long, .string, .binary].contains(type)
    }
  }
}
