// SPDX-License-Identifier: Apache-2.0

/// Times as signatures write them; UTC, proleptic Gregorian.
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

  /// `YYYY-MM-DDThh:mm:ssZ`.
  static func extended(_ seconds: Double) -> String {
    let text = basic(seconds)
    func part(_ offset: Int, _ count: Int) -> Substring { text.dropFirst(offset).prefix(count) }
    return "\(part(0, 4))-\(part(4, 2))-\(part(6, 2))T\(part(9, 2)):\(part(11, 2)):\(part(13, 2))Z"
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
