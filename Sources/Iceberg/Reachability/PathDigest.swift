// SPDX-License-Identifier: Apache-2.0

/// Stands for an object by 16 bytes, made of its bucket and key: the scheme does not matter (`s3`, `s3a`, `s3n` name one object).
///
/// Two objects that share a digest would both count as referenced when one is, which errs on the side of keeping. Digests hold for one
/// process.
struct PathDigest: Hashable, Sendable, Comparable {
  private let high: UInt64
  private let low: UInt64

  init(bucket: some Sequence<UInt8>, key: some Sequence<UInt8>) {
    let bytes = Array(bucket) + [0] + Array(key)
    // The two halves differ by what each begins with.
    func half(_ start: UInt8) -> UInt64 {
      var hasher = Hasher()
      hasher.combine(start)
      bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
      return UInt64(bitPattern: Int64(hasher.finalize()))
    }
    high = half(1)
    low = half(2)
  }

  init(_ location: ObjectLocation) {
    self.init(bucket: location.bucket.utf8, key: location.key.utf8)
  }

  static func < (left: PathDigest, right: PathDigest) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }

  /// The objects that a location's text may stand for; empty if it is none.
  ///
  /// Iceberg's own reader ends a key before `?` and `#`, others do not: then it may be either object. Source: spec/s3fileio.md §1.
  static func all(_ text: String) -> [PathDigest] {
    guard let parts = LocationText(text) else { return [] }
    var digests = [PathDigest(bucket: parts.bucket, key: parts.key)]
    if parts.shortKey.count != parts.key.count { digests.append(PathDigest(bucket: parts.bucket, key: parts.shortKey)) }
    return digests
  }
}

/// The bytes of a location's text: no copy, nothing decoded. Takes more than Iceberg's reader does.
struct LocationText {
  let bucket: Substring.UTF8View
  /// To the end of the text.
  let key: Substring.UTF8View
  /// To the first `?` or `#`.
  var shortKey: Substring.UTF8View { key.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") } }

  /// Nil without `scheme://` or without a bucket.
  init?(_ text: String) {
    var rest = Substring(text).utf8
    guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), rest[colon...].starts(with: "://".utf8) else { return nil }
    rest = rest[rest.index(colon, offsetBy: 3)...]
    bucket = rest.prefix { $0 != UInt8(ascii: "/") }
    key = rest.dropFirst(bucket.count + 1)
    if bucket.isEmpty { return nil }
  }
}

/// Digests in little room: sorted, without doubles.
struct DigestSet: Sendable {
  private let digests: [PathDigest]

  init(_ unsorted: [PathDigest]) {
    var sorted = unsorted.sorted()
    var kept = 0
    for index in sorted.indices where index == 0 || sorted[index] != sorted[kept - 1] {
      sorted[kept] = sorted[index]
      kept += 1
    }
    sorted.removeLast(sorted.count - kept)
    digests = sorted
  }

  var count: Int { digests.count }

  func contains(_ digest: PathDigest) -> Bool {
    var (low, high) = (0, digests.count)
    while low < high {
      let middle = (low + high) / 2
      if digests[middle] < digest { low = middle + 1 } else { high = middle }
    }
    return low < digests.count && digests[low] == digest
  }
}
