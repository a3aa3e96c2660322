// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Testing

@Suite("Timestamps")
struct TimestampTests {
  @Test(
    "ISO 8601 times of listings are read",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2026-01-02T03:04:05.678Z", 1_767_323_045_678_000_000),
      ("2000-02-29T23:59:59.5Z", 951_868_799_500_000_000), ("1969-12-31T23:59:59Z", -1_000_000_000),
      ("2026-01-02T03:04:05.1234567891Z", 1_767_323_045_123_456_789), ("2026-01-02T03:04:05+00:00", 1_767_323_045_000_000_000),
      ("2026-01-02T03:04:05.678+00:00", 1_767_323_045_678_000_000), ("2026-01-02T03:04:05.678-00:00", 1_767_323_045_678_000_000),
      ("2026-01-02T05:34:05.5+02:30", 1_767_323_045_500_000_000), ("2026-01-01T22:04:05-05:00", 1_767_323_045_000_000_000),
    ] as [(String, Int64)])
  func iso8601(text: String, nanoseconds: Int64) {
    #expect(Timestamp.nanoseconds(iso8601: text) == nanoseconds)
  }

  @Test("HTTP dates are read")
  func httpDate() {
    #expect(Timestamp.nanoseconds(httpDate: "Fri, 02 Jan 2026 03:04:05 GMT") == 1_767_323_045_000_000_000)
    #expect(Timestamp.nanoseconds(httpDate: "Thu, 01 Jan 1970 00:00:00 GMT") == 0)
  }

  @Test(
    "What is no time gives nil",
    arguments: [
      "", "Z", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T25:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z",
      "2026-01-02T03:04:05+0000", "2026-01-02T03:04:05+00:00Z", "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05 00:00", "+00:00",
      "2026-01-02T03:04:05.+00:00",
      "9999-01-02T03:04:05Z", "2026-01-0xT03:04:05Z", "Fri, 02 Foo 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04 GMT",
      "Fri, 02 Jan 99999999999999999999 03:04:05 GMT",
    ])
  func nonsense(text: String) {
    #expect(Timestamp.nanoseconds(iso8601: text) == nil)
    #expect(Timestamp.nanoseconds(httpDate: text) == nil)
  }

  @Test("Epoch seconds keep milliseconds, and a number out of range gives nil")
  func epochSeconds() {
    #expect(Timestamp.nanoseconds(epochSeconds: 1_700_000_000.123) == 1_700_000_000_123_000_000)
    #expect(Timestamp.nanoseconds(epochSeconds: 1e300) == nil)
    #expect(Timestamp.nanoseconds(epochSeconds: .nan) == nil)
  }
}
