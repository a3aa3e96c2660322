// SPDX-License-Identifier: Apache-2.0

import AWSCore
package import HTTP
import WireFormats

/// The checksum of a whole object that an answer to GetObject names, counted while the bytes come. Source: spec/s3fileio.md §13.
package struct S3ObjectChecksum: Sendable {
  private enum Counter: Sendable {
    case crc32(UInt32)
    case crc(ReflectedCRC, bytes: Int)
    case digest(RunningDigest)
  }

  /// The header's name.
  package let header: String
  private let expected: String
  private var counter: Counter

  /// Those that cost least come first: an object may have several.
  private static let algorithms: [(name: String, counter: @Sendable () -> Counter)] = [
    ("crc32", { .crc32(0) }), ("crc64nvme", { .crc(.nvme, bytes: 8) }), ("crc32c", { .crc(.castagnoli, bytes: 4) }),
    ("sha256", { .digest(RunningDigest(.sha256)) }), ("sha1", { .digest(RunningDigest(.sha1)) }),
  ]

  /// Nil where the answer has none, or only one of parts, which says nothing of the bytes in a row.
  package init?(_ response: HTTPResponse) {
    guard response.header("x-amz-checksum-type")?.uppercased() != "COMPOSITE" else { return nil }
    for (name, counter) in Self.algorithms {
      let header = "x-amz-checksum-\(name)"
      guard let value = response.header(header), !value.isEmpty, !value.contains("-") else { continue }
      self.header = header
      expected = value
      self.counter = counter()
      return
    }
    return nil
  }

  /// The next bytes of the object.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch counter {
    case .crc32(let crc): counter = .crc32(CRC32Checksum.update(crc, bytes))
    case .crc(var crc, let count):
      crc.update(bytes)
      counter = .crc(crc, bytes: count)
    case .digest(let digest): digest.update(bytes)
    }
  }

  /// Whether the bytes so far are the object's. Asked once. Where libcrypto forbids the algorithm, nothing can be said against them.
  package func isMet() -> Bool {
    switch counter {
    case .crc32(let crc): Base64.encode(crc) == expected
    case .crc(let crc, let count): Base64.encode(Self.bigEndian(crc.value, bytes: count)) == expected
    case .digest(let digest): digest.finish().map { Base64.encode($0) == expected } ?? true
    }
  }

  private static func bigEndian(_ number: UInt64, bytes: Int) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
  }
}
