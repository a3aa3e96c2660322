// SPDX-License-Identifier: Apache-2.0

/// Times as AWS services write them, read into nanoseconds since 1970.
package enum Timestamp {
  /// ISO 8601, as in S3 listings: `2026-01-02T03:04:05.678Z`. The fraction is optional and cut after nanoseconds; for `Z`, which S3 writes,
  /// an offset may stand, as `+00:00`. Nil for any other text.
  package static func nanoseconds(iso8601 text: String) -> Int64? {
    var bytes = Array(text.utf8)[...]
    guard let offset = takeOffset(&bytes), bytes.count >= 19, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
      let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19])
    else { return nil }
    var fraction: Int64 = 0
    if bytes.count > 19 {
      let digits = bytes[20...]
      guard bytes[19] == UInt8(ascii: "."), !digits.isEmpty, number(digits.prefix(9)) != nil else { return nil }
      for index in 0..<9 {
        fraction = fraction * 10 + (index < digits.count ? Int64(digits[digits.startIndex + index] - UInt8(ascii: "0")) : 0)
      }
    }
    return nanoseconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second, fraction: fraction)
      .map { $0 - offset * 60_000_000_000 }
  }

  /// Takes `Z` or `±hh:mm` off the end; the minutes that the clock is ahead of UTC.
  private static func takeOffset(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    if bytes.last == UInt8(ascii: "Z") {
      bytes.removeLast()
      return 0
    }
    let tail = Array(bytes.suffix(6))
    guard tail.count == 6, tail[0] == UInt8(ascii: "+") || tail[0] == UInt8(ascii: "-"), tail[3] == UInt8(ascii: ":"),
      let hours = number(tail[1..<3]), let minutes = number(tail[4..<6]), hours < 24, minutes < 60
    else { return nil }
    bytes.removeLast(6)
    return (tail[0] == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
  }

  /// RFC 1123, as in HTTP headers: `Fri, 02 Jan 2026 03:04:05 GMT`. Nil for any other text.
  package static func nanoseconds(httpDate text: String) -> Int64? {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(where: { $0 == words[2] }),
      let day = number(words[1].utf8), let year = number(words[3].utf8)
    else { return nil }
    let clock = words[4].split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count == 3, let hour = number(clock[0].utf8), let minute = number(clock[1].utf8), let second = number(clock[2].utf8)
    else { return nil }
    return nanoseconds(year: year, month: Int64(month) + 1, day: day, hour: hour, minute: minute, second: second, fraction: 0)
  }

  /// As ``nanoseconds(iso8601:)``, in seconds: as expiry times are kept.
  package static func seconds(iso8601 text: String) -> Double? { nanoseconds(iso8601: text).map { Double($0) / 1e9 } }

  /// As ``nanoseconds(httpDate:)``, in seconds.
  package static func seconds(httpDate text: String) -> Double? { nanoseconds(httpDate: text).map { Double($0) / 1e9 } }

  /// Epoch seconds with a fraction, as in JSON answers. Nil when out of the range of Int64 nanoseconds.
  package static func nanoseconds(epochSeconds seconds: Double) -> Int64? {
    // Milliseconds are what the services keep; a Double has no more at today's dates.
    let milliseconds = (seconds * 1000).rounded()
    guard milliseconds.isFinite, abs(milliseconds) < 9_000_000_000_000 else { return nil }
    return Int64(milliseconds) * 1_000_000
  }

  private static func number(_ digits: some Sequence<UInt8>) -> Int64? {
    var value: Int64 = 0
    var count = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9"), count < 9 else { return nil }
      value = value * 10 + Int64(digit - UInt8(ascii: "0"))
      count += 1
    }
    return count == 0 ? nil : value
  }

  private static func nanoseconds(
    year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64, fraction: Int64
  ) -> Int64? {
    // 2262 is the last full year that Int64 nanoseconds hold; 60 is a leap second.
    guard (1678..<2262).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60 else {
      return nil
    }
    // Days of the proleptic Gregorian calendar, counted in years that start in March.
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    return ((days * 24 + hour) * 60 + minute) * 60_000_000_000 + second * 1_000_000_000 + fraction
  }
}
