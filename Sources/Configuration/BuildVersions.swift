// SPDX-License-Identifier: Apache-2.0

/// Versions that `bergfs version` prints: the program's, and of the C libraries it runs on.
package struct BuildVersions: Sendable, Hashable {
  package var bergfs: String
  /// As `3.14.0`; nil where the owner of the library has not said.
  package var libfuse: String?
  package var libcurl: String?
  package var openSSL: String?

  /// The version of this program.
  package static let current = "0.1.0"

  package init(bergfs: String = Self.current, libfuse: String? = nil, libcurl: String? = nil, openSSL: String? = nil) {
    self.bergfs = bergfs
    self.libfuse = libfuse
    self.libcurl = libcurl
    self.openSSL = openSSL
  }

  /// One line a part.
  package var text: String {
    var lines = ["bergfs \(bergfs)"]
    for (name, version) in [("libfuse", libfuse), ("libcurl", libcurl), ("OpenSSL", openSSL)] {
      if let version { lines.append("\(name) \(version)") }
    }
    return lines.joined(separator: "\n")
  }
}
