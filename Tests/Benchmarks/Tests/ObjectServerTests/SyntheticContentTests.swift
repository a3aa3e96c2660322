// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct SyntheticContentTests {
  @Test("Any part of the content equals the same part of the whole")
  func parts() {
    let whole = SyntheticContent.bytes(offset: 0, count: 100)
    for offset in 0..<20 {
      for count in 0..<20 {
        #expect(SyntheticContent.bytes(offset: offset, count: count) == Array(whole[offset..<(offset + count)]))
      }
    }
  }

  @Test("The content is what the documented function says")
  func function() {
    // Word 0: 1 * 0x9E3779B97F4A7C15, xored with itself shifted right by 29, little-endian.
    let product: UInt64 = 0x9E37_79B9_7F4A_7C15
    let word = product ^ (product >> 29)
    let expected = (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
    #expect(SyntheticContent.bytes(offset: 0, count: 8) == expected)
  }

  @Test("Options with numbers take suffixes and refuse what is none")
  func options() throws {
    let options = try ServerOptions(["--synthetic", "b/k=v=2M", "--bandwidth-mbps", "90"])
    let object = try #require(options.synthetic.first)
    #expect(object.bucket == "b" && object.key == "k=v" && object.number == 2 << 20)
    #expect(options.shape.bytesPerSecond == 90_000_000)
    for arguments in [["--synthetic", "b=1"], ["--port", "65536"], ["--port"], ["--unknown", "1"], ["--synthetic", "b/k=9999999G"]] {
      #expect(throws: UsageError.self) { try ServerOptions(arguments) }
    }
  }
}
