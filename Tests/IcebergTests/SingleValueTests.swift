// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Iceberg
@testable import WireFormats

/// Values of bounds and partitions as people read them: vectors of spec/manifests.md §7 and of Iceberg's specification, Appendix D.
@Suite struct SingleValueTests {
  @Test(
    "Bounds are read by the column's type, also where the column was widened since; others are ignored",
    arguments: [
      ("01", "boolean", "true"), ("22000000", "int", "34"), ("2200000000000000", "long", "34"), ("22000000", "long", "34"),
      ("ffffffff", "int", "-1"), ("5d440000", "date", "2017-12-01"), ("ffffffff", "date", "1969-12-31"),
      ("00c3262d215e0500", "timestamp", "2017-11-16T22:31:08.000000"),
      ("00c3262d215e0500", "timestamptz", "2017-11-16T22:31:08.000000+00:00"),
      ("5d440000", "timestamp", "2017-12-01T00:00:00.000000"), ("0000803f", "float", "1.0"), ("000000000000f03f", "double", "1.0"),
      ("0000803f", "double", "1.0"), ("69636562657267", "string", "iceberg"), ("058c", "decimal(9, 2)", "14.20"),
      ("0080", "decimal(9, 2)", "1.28"),
      ("ff", "decimal(9, 2)", "-0.01"), ("00", "decimal(9, 0)", "0"), ("8000", "decimal(9, 3)", "-32.768"), ("00ff", "binary", "00ff"),
      ("f79c3e09677c4bbda479512f87f4f7fb", "uuid", "f79c3e09-677c-4bbd-a479-512f87f4f7fb"), ("40420f0000000000", "time", "00:00:01.000000"),
      ("0100000000000000", "timestamp_ns", "1970-01-01T00:00:00.000000001"),
      ("0000000000000080", "timestamp", "-290308-12-21T19:59:05.224192"),
      ("ffffffffffffffffffffffffffffffff", "decimal(38, 38)", "-0." + String(repeating: "0", count: 37) + "1"),
      ("", "boolean", nil), ("2200", "int", nil), ("00", "date", nil), ("ff", "string", nil), ("00", "uuid", nil),
      ("0000000000000000000000000000000000", "decimal(38, 0)", nil), ("00", "variant", nil),
    ] as [(String, String, String?)])
  func bounds(hexadecimal: String, type: String, expected: String?) throws {
    let bytes = stride(from: 0, to: hexadecimal.count, by: 2).compactMap { UInt8(hexadecimal.dropFirst($0).prefix(2), radix: 16) }
    #expect(SingleValue(bytes, try #require(PrimitiveType(type)))?.text == expected)
  }

  @Test("Days, months and hours before and after 1970 have their dates, leap years among them")
  func calendar() {
    #expect(
      [-1, 0, 59, 11_016, 19_782, -25_567].map { CivilTime.date(days: $0) } == [
        "1969-12-31", "1970-01-01", "1970-03-01", "2000-02-29", "2024-02-29", "1900-01-01",
      ])
    #expect([-1, 0, 575].map { CivilTime.month($0) } == ["1969-12", "1970-01", "2017-12"])
    #expect([-1, 420_034].map { CivilTime.hour($0) } == ["1969-12-31-23", "2017-12-01-10"])
    #expect(CivilTime.days(year: 2024, month: 2, day: 29) == 19_782 && CivilTime.days(year: 2023, month: 2, day: 29) == nil)
    for days in stride(from: Int64(-700_000), through: 2_900_000, by: 997) {
      let parts = CivilTime.date(days: days).split(separator: "-").compactMap { Int64($0) }
      if parts.count == 3, parts[0] <= 9_999, CivilTime.date(days: days).first != "-" {
        #expect(CivilTime.days(year: parts[0], month: parts[1], day: parts[2]) == days)
      }
    }
    for extreme in [Int64.min, .max] {
      #expect(!CivilTime.date(days: extreme).isEmpty && !CivilTime.month(extreme).isEmpty && !CivilTime.hour(extreme).isEmpty)
      #expect(!CivilTime.instant(milliseconds: extreme).isEmpty && !CivilTime.timestamp(extreme, digits: 9).isEmpty)
    }
  }
}
