// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// Iceberg's reading of a location: scheme, authority, key, nothing decoded and nothing normalised. Source: spec/s3fileio.md §1.
package enum S3URI {
  /// The location that a text names. The scheme is not looked at, and neither bucket nor key need be there.
  ///
  /// The key ends before the first `?` or `#`: objects with these in their keys cannot be named so, in Iceberg as here.
  /// - Throws: `invalid` with Java's sentence.
  package static func parse(_ text: String) throws(FileIOError) -> ObjectLocation {
    let bytes = Array(text.utf8)
    let mark = Array("://".utf8)
    let marks = bytes.indices.filter { bytes[$0...].starts(with: mark) }
    // Java's split drops empty pieces at the end, so `s3://` has one piece and not two.
    guard marks.count == 1, let schemeEnd = marks.first, schemeEnd + mark.count < bytes.count else {
      throw FileIOError(code: .invalid, message: "Invalid S3 URI, cannot determine scheme: \(text)")
    }
    let rest = bytes[(schemeEnd + mark.count)...]
    let authority = rest.prefix { $0 != UInt8(ascii: "/") }
    let key = rest.dropFirst(authority.count + 1).prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    return ObjectLocation(
      scheme: String(decoding: bytes[..<schemeEnd], as: UTF8.self), bucket: String(decoding: authority, as: UTF8.self),
      key: String(decoding: key, as: UTF8.self))
  }
}
