// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct ByteRangeTests {
  @Test(
    "A range header resolves as S3 resolves it",
    arguments: [
      ("bytes=0-9", ByteRange.part(offset: 0, count: 10)),
      ("bytes=90-200", .part(offset: 90, count: 10)),
      ("bytes=90-", .part(offset: 90, count: 10)),
      ("bytes=-5", .part(offset: 95, count: 5)),
      ("bytes=-500", .part(offset: 0, count: 100)),
      ("bytes=99999999999999999999-", .unsatisfiable),
      ("bytes=100-", .unsatisfiable),
      ("bytes=-0", .unsatisfiable),
      ("bytes=9-3", .whole),
      ("bytes=0-1,4-5", .whole),
      ("bytes=-", .whole),
      ("lines=0-1", .whole),
    ])
  func resolves(header: String, expected: ByteRange) {
    #expect(ByteRange(header: header, size: 100) == expected)
  }

  @Test("An empty object satisfies no range")
  func emptyObject() {
    #expect(ByteRange(header: "bytes=0-", size: 0) == .unsatisfiable)
    #expect(ByteRange(header: "bytes=-1", size: 0) == .unsatisfiable)
    #expect(ByteRange(header: nil, size: 0) == .whole)
  }
}
