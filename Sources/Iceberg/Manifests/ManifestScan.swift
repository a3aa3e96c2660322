// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// The paths that manifest lists and manifests name, without the rest of their records. Source: spec/manifests.md §2, §3.
enum ManifestScan {
  /// A manifest as its list names it.
  struct Manifest {
    /// Full URI.
    var path: String
    /// Bytes, as the list says; nil where it does not.
    var length: Int64?
    /// Whether it can only be read with a key.
    var isEncrypted: Bool
  }

  private static let listFields: [[AvroContainer.Selection]] = [
    [.init(500, "manifest_path")], [.init(501, "manifest_length")], [.init(519, "key_metadata")],
  ]
  private static let entryFields: [[AvroContainer.Selection]] = [
    [.init(0, "status")], [.init(2, "data_file"), .init(100, "file_path")],
  ]
  /// Status of an entry that says of a file that it is no longer there.
  private static let deleted: Int64 = 2

  /// The manifests of a manifest list.
  static func manifests(in bytes: [UInt8]) throws(AvroError) -> [Manifest] {
    let container = try AvroContainer(parsing: bytes)
    var manifests: [Manifest] = []
    try container.scan(listFields) { values throws(AvroError) in
      guard let path = values[0].string else {
        throw AvroError(code: .corrupt, message: "the manifest list has a record without manifest_path")
      }
      manifests.append(Manifest(path: path, length: values[1].long, isEncrypted: values[2].isPresent))
    }
    return manifests
  }

  /// The files that a manifest holds as live: data files, delete files, the Puffin files of deletion vectors.
  ///
  /// An entry counts unless it says clearly that its file was deleted.
  static func liveFiles(in bytes: [UInt8], _ body: (String) throws(AvroError) -> Void) throws(AvroError) {
    let container = try AvroContainer(parsing: bytes)
    try container.scan(entryFields) { values throws(AvroError) in
      if values[0].long == deleted { return }
      guard let path = values[1].string else {
        throw AvroError(code: .corrupt, message: "the manifest has an entry without file_path")
      }
      try body(path)
    }
  }
}

extension AvroValue {
  /// Whether there is a value at all.
  fileprivate var isPresent: Bool { if case .null = self { false } else { true } }
}
