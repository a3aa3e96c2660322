// SPDX-License-Identifier: Apache-2.0

/// Times as signatures write them and as `Date` headers carry them; UTC, proleptic Gregorian.
package enum AWSTimestamp {
  /// `YYYYMMDDThhmmssZ`.
  package static func basic(_ seconds: Double) -> String {
    // The bounds are the years 1970 to 9999: outside them no clock is worth signing with.
    let whole = Int(min(max(seconds, 0), 253_402_300_799))
    let (year, month, day) = civil(fromDays: whole / 86400)
    let time = whole % 86400
    return padded(year, 4) + padded(month, 2) + padded(day, 2) + "T" + padded(time / 3600, 2) + padded(time / 60 % 60, 2)
      + padded(time % 60, 2) + "Z"
  }

  /// Seconds since 1970 of an RFC 1123 date: `Sun, 06 Nov 1994 08:49:37 GMT`. Nil for anything else.
  package static func seconds(httpDate text: String) -> Double? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", let day = Int(words[1]), let year = Int(words[3]), (1970...9999).contains(year) else {
      return nil
    }
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let month = names.firstIndex(of: String(words[2])), (1...31).contains(day) else { return nil }
    let time = words[4].split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2]) else { return nil }
    return Double(days(year: year, month: month + 1, day: day) * 86400 + time[0] * 3600 + time[1] * 60 + time[2])
  }

  /// Days since 1970-01-01, counted in eras of 400 years that start in March.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
  }

  private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719468
    let era = shifted / 146097
    let dayOfEra = shifted - era * 146097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}
