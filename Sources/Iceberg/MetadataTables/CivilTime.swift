// SPDX-License-Identifier: Apache-2.0

/// A day of the Gregorian calendar, and times of day, as text of ISO 8601; all in UTC.
package enum CivilTime {
  private static let secondsADay: Int64 = 86_400

  /// `2026-02-24`. Years before 0 and above 9999 have more digits or a sign.
  ///
  /// - Parameter days: since 1970-01-01.
  package static func date(days: Int64) -> String {
    let (year, month, day) = civil(days)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  /// `2026-02`. Months since 1970-01.
  package static func month(_ months: Int64) -> String {
    let (years, rest) = floorDivided(months, 12)
    return "\(padded(1970 + years, 4))-\(padded(rest + 1, 2))"
  }

  /// `2026-02-24-15`. Hours since 1970-01-01.
  package static func hour(_ hours: Int64) -> String {
    let (days, rest) = floorDivided(hours, 24)
    return "\(date(days: days))-\(padded(rest, 2))"
  }

  /// `15:04:05.000006`, with as many digits as the unit has.
  ///
  /// - Parameters:
  ///   - ticks: since midnight.
  ///   - digits: of the fraction of a second that a tick is: 3, 6 or 9.
  package static func time(_ ticks: Int64, digits: Int) -> String {
    let unit = power(digits)
    let (seconds, fraction) = floorDivided(ticks, unit)
    return "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(fraction, digits))"
  }

  /// `2026-02-24T15:04:05.000006`.
  ///
  /// - Parameter ticks: since 1970-01-01T00:00:00.
  package static func timestamp(_ ticks: Int64, digits: Int) -> String {
    let (days, rest) = floorDivided(ticks, secondsADay * power(digits))
    return "\(date(days: days))T\(time(rest, digits: digits))"
  }

  /// `2026-02-24T15:04:05.123000+00:00`, as Iceberg writes a timestamp with zone.
  package static func instant(milliseconds: Int64) -> String {
    let (days, rest) = floorDivided(milliseconds, secondsADay * 1000)
    return "\(date(days: days))T\(time(rest, digits: 3))000+00:00"
  }

  /// Days since 1970-01-01; nil if there is no such day.
  package static func days(year: Int64, month: Int64, day: Int64) -> Int64? {
    guard 0...9999 ~= year, 1...12 ~= month, 1...31 ~= day else { return nil }
    // Years begin in March, so that the leap day comes last.
    let shifted = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = floorDivided(shifted, 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    return civil(days) == (year, month, day) ? days : nil
  }

  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Far beyond any date that a file holds, and far from overflowing.
    let shifted = min(max(days, -1 << 50), 1 << 50) + 719_468
    let (era, dayOfEra) = floorDivided(shifted, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
    return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
  }

  private static func power(_ digits: Int) -> Int64 { digits == 3 ? 1_000 : digits == 6 ? 1_000_000 : 1_000_000_000 }

  private static func floorDivided(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
