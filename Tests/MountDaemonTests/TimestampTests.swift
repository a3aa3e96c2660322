// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MountDaemon

@Suite("Times in control files")
struct TimestampTests {
  @Test(
    "Seconds of any size have a text",
    arguments: [
      (1_771_945_200.123, "2026-02-24T15:00:00.123Z"), (0, "1970-01-01T00:00:00.000Z"), (-0.001, "1969-12-31T23:59:59.999Z"),
      (.nan, "1970-01-01T00:00:00.000Z"), (.infinity, "2255-03-14T16:00:00.000Z"), (-1e300, "1684-10-19T08:00:00.000Z"),
    ])
  func anySeconds(seconds: Double, text: String) {
    #expect(Timestamp.text(seconds: seconds) == text)
  }
}
