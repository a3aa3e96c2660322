// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Times as people and `jq` read them: `2026-02-24T15:00:00.123Z`.
enum Timestamp {
  static func text(nanoseconds: Int64) -> String {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    var time = time_t(rest < 0 ? seconds - 1 : seconds)
    let milliseconds = (rest < 0 ? rest + 1_000_000_000 : rest) / 1_000_000
    var parts = tm()
    gmtime_r(&time, &parts)
    func padded(_ number: some BinaryInteger, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
    return "\(date)T\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2)).\(padded(milliseconds, 3))Z"
  }

  /// Of any number, as credentials bring it: what nanoseconds of 64 bits cannot hold shows as the last time that they can.
  static func text(seconds: Double) -> String {
    let bounded = seconds.isNaN ? 0 : min(max(seconds, -9e9), 9e9)
    return text(nanoseconds: Int64(bounded * 1000) * 1_000_000)
  }

  /// Nanoseconds since 1970.
  static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
