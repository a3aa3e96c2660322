// SPDX-License-Identifier: Apache-2.0

import WireFormats

extension TableMetadataHead {
  private static let supportedVersions: ClosedRange<Int64> = 1...3
  /// Bytes. Ten times the largest metadata known of real tables; keeps a small file from filling the memory.
  static let maximumSize = 512 << 20

  /// Reads the bytes of a metadata file.
  ///
  /// Only what this type holds is checked, and for its type alone; other members may be anything.
  /// - Parameter fileName: a name or a full URI; decides on gzip, and is named in errors.
  package init(parsing bytes: [UInt8], fileName: String) throws(TableMetadataError) {
    let text = try Self.text(of: bytes, fileName: fileName)
    let document: JSONDocument
    do {
      document = try JSONDocument(parsing: text)
    } catch {
      throw TableMetadataError(code: .notJSON, file: fileName, reason: "is not JSON: \(error)")
    }
    try self.init(MetadataMembers(document.root, file: fileName))
  }

  /// The JSON text, decompressed if the name says so.
  static func text(of bytes: [UInt8], fileName: String) throws(TableMetadataError) -> [UInt8] {
    guard let name = MetadataFileName(fileName) else {
      throw TableMetadataError(
        code: .invalidName, file: fileName, reason: "is not a valid metadata file: its name does not hold .metadata.json")
    }
    guard name.isGzip else {
      if Gzip.isGzip(bytes) {
        throw TableMetadataError(code: .compression, file: fileName, reason: "is gzip data under a plain name")
      }
      return bytes
    }
    do {
      return try Gzip.decompress(bytes, limit: maximumSize)
    } catch  where error.code == .notGzip {
      throw TableMetadataError(code: .compression, file: fileName, reason: "is not gzip data, but has a gzip name")
    } catch {
      throw TableMetadataError(code: .compression, file: fileName, reason: "cannot be decompressed: \(error)")
    }
  }

  init(_ root: MetadataMembers) throws(TableMetadataError) {
    let version = try root.int64("format-version")
    guard Self.supportedVersions.contains(version) else {
      throw TableMetadataError(
        code: version > Self.supportedVersions.upperBound ? .unsupportedVersion : .invalid, file: root.file,
        reason: "has format version \(version); versions 1 to 3 are supported", path: "format-version", expected: "1 to 3",
        found: "\(version)")
    }
    formatVersion = Int(version)
    tableUUID = version == 1 ? try root.optionalString("table-uuid") : try root.string("table-uuid")
    location = Self.strippingTrailingSlashes(try root.string("location"))
    guard !location.isEmpty else { throw root.invalid("has an empty `location`", path: "location") }
    lastUpdatedMs = try root.int64("last-updated-ms")
    currentSnapshotID = try root.optionalInt64("current-snapshot-id").flatMap { $0 < 0 ? nil : $0 }
    properties = try root.stringMap("properties")
    metadataLog = try root.objects("metadata-log") { entry throws(TableMetadataError) in
      LogEntry(timestampMs: try entry.int64("timestamp-ms"), file: try entry.string("metadata-file"))
    }
    refs = [:]
    for (name, entry) in try root.namedObjects("refs") {
      // Java reads the kind in any case.
      guard let kind = Reference.Kind(rawValue: try entry.string("type").lowercased()) else {
        throw entry.invalid("has a wrong `\(entry.path("type"))`: expected branch or tag")
      }
      refs[name] = Reference(snapshotID: try entry.int64("snapshot-id"), kind: kind)
    }
    if let currentSnapshotID, refs["main"] == nil {
      refs["main"] = Reference(snapshotID: currentSnapshotID, kind: .branch)
    }
  }
}
