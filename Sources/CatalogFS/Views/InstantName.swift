// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The names of `by-time/`: an instant to the millisecond, the second, the minute or the day, in UTC or with an offset from it.
///
/// `2026-02-24T150000.123Z`, `2026-02-24T15:00:00+01:00`, `2026-02-24T1500`, `2026-02-24`. What is left out is zero: a date is its midnight.
enum InstantName {
  /// The name that listings show, to the millisecond.
  ///
  /// - Parameter milliseconds: since 1970.
  static func name(_ milliseconds: Int64) -> String {
    // `2026-02-24T15:00:00.123000+00:00` without colons, and to the millisecond.
    let text = CivilTime.instant(milliseconds: milliseconds).utf8
    return String(decoding: text.dropLast(9).filter { $0 != UInt8(ascii: ":") }, as: UTF8.self) + "Z"
  }

  /// Milliseconds since 1970; nil for what is no such name.
  static func milliseconds(_ name: some Collection<UInt8>) -> Int64? {
    var text = Scanner(rest: Array(name)[...])
    guard let year = text.number(4), text.take("-"), let month = text.number(2), text.take("-"), let day = text.number(2),
      let days = CivilTime.days(year: year, month: month, day: day)
    else { return nil }
    let midnight = days * 86_400_000
    if text.rest.isEmpty { return midnight }
    guard text.take("T"), let time = text.time(), let offset = text.offset(), text.rest.isEmpty else { return nil }
    return midnight + time - offset
  }

  private struct Scanner {
    var rest: ArraySlice<UInt8>

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest.removeFirst()
      return true
    }

    mutating func number(_ digits: Int) -> Int64? {
      let text = rest.prefix(digits)
      guard text.count == digits, text.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
      rest = rest.dropFirst(digits)
      return text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// Milliseconds since midnight.
    mutating func time() -> Int64? {
      guard let hour = number(2), hour < 24 else { return nil }
      _ = take(":")
      guard let minute = number(2), minute < 60 else { return nil }
      let hasColon = take(":")
      guard let second = number(2) else { return hasColon ? nil : (hour * 60 + minute) * 60_000 }
      guard second < 60 else { return nil }
      var time = ((hour * 60 + minute) * 60 + second) * 1000
      guard take(".") else { return time }
      let fraction = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      guard 1...9 ~= fraction.count else { return nil }
      rest = rest.dropFirst(fraction.count)
      let thousandths = Array(fraction.prefix(3)) + Array(repeating: UInt8(ascii: "0"), count: max(0, 3 - fraction.count))
      time += thousandths.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
      return time
    }

    /// Milliseconds east of UTC; none is UTC.
    mutating func offset() -> Int64? {
      if rest.isEmpty || take("Z") { return 0 }
      let isWest = rest.first == UInt8(ascii: "-")
      guard isWest || rest.first == UInt8(ascii: "+") else { return nil }
      rest.removeFirst()
      guard let hours = number(2), hours <= 18 else { return nil }
      _ = take(":")
      let minutes = rest.isEmpty ? 0 : number(2)
      guard let minutes, minutes < 60 else { return nil }
      return (hours * 60 + minutes) * (isWest ? -60_000 : 60_000)
    }
  }
}
