// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Times as S3 writes them.
package enum Timestamps {
  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, for `Last-Modified`.
  package static func http(seconds: Int) -> String {
    let parts = parts(seconds)
    let date = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
    return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }

  /// `1994-11-06T08:49:37.000Z`, for listings: S3 keeps whole seconds and writes milliseconds as zero.
  package static func iso(seconds: Int) -> String {
    let parts = parts(seconds)
    let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).000Z"
  }

  private static func parts(_ seconds: Int) -> tm {
    var time: time_t = seconds
    var parts = tm()
    gmtime_r(&time, &parts)
    return parts
  }

  private static func two(_ number: Int32) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}
