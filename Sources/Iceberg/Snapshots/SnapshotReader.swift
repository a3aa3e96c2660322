// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// Where a snapshot says its manifests are, apart from the document that says so.
package struct SnapshotSource: Sendable, Hashable {
  package var id: Int64
  /// Full URI; nil in version 1 only.
  package var manifestList: String?
  /// Full URIs; version 1 without a manifest list only.
  package var manifests: [String]
  /// Of the manifest list, where it is encrypted.
  package var keyID: String?

  package init(_ snapshot: Snapshot) {
    id = snapshot.id
    manifestList = snapshot.manifestList
    manifests = snapshot.manifestList == nil ? snapshot.manifests : []
    keyID = snapshot.keyID
  }
}

/// Reads the manifests of snapshots. Source: spec/manifests.md §5.
///
/// Every call reads what the cache has not, with one request a file; nothing is listed and no file's attributes are asked for.
package struct SnapshotReader: Sendable {
  /// Bytes. Of a manifest ten times what Iceberg's writers make.
  private static let largestFile: Int64 = 512 << 20

  private let files: any FileIO
  private let contents: ManifestContents

  package init(files: any FileIO, contents: ManifestContents) {
    self.files = files
    self.contents = contents
  }

  /// The manifests of a snapshot in the order of its list.
  package struct Manifests: Sendable {
    package var files: [ManifestFile]
    /// Bytes; nil if there is no list.
    package var listLength: Int64?
  }

  /// - Parameter summaries: whether to decode what they hold of each partition field.
  /// - Throws: `missing`, `encrypted`, `corrupt`, `unavailable`.
  package func manifests(of snapshot: SnapshotSource, summaries: Bool = false) async throws(SnapshotError) -> Manifests {
    guard let location = snapshot.manifestList else { return Manifests(files: try await unlisted(snapshot), listLength: nil) }
    guard snapshot.keyID == nil else { throw SnapshotError.encrypted("manifest list", location) }
    let bytes = try await self.bytes(of: location, "manifest list")
    do throws(AvroError) {
      return Manifests(files: try ManifestList(parsing: bytes).manifests(summaries: summaries), listLength: Int64(bytes.count))
    } catch {
      throw SnapshotError(error, "manifest list", location)
    }
  }

  /// The content of a manifest. Throws `missing`, `encrypted`, `unavailable`.
  package func bytes(of manifest: ManifestFile) async throws(SnapshotError) -> [UInt8] {
    guard !manifest.isEncrypted else { throw SnapshotError.encrypted("manifest", manifest.path) }
    return try await bytes(of: manifest.path, "manifest")
  }

  /// Calls the body with each live entry of a manifest, in the file's order.
  ///
  /// - Parameter bytes: the manifest's content.
  /// - Throws: `corrupt`, and what the body throws.
  package static func forEachLiveEntry(
    in bytes: [UInt8], of manifest: ManifestFile, columns: ManifestColumns,
    _ body: (borrowing ManifestEntry) throws(AvroError) -> Void
  ) throws(SnapshotError) {
    do throws(AvroError) {
      try reader(bytes, manifest).forEachEntry(of: manifest, columns: columns) { entry throws(AvroError) in
        if entry.status != .deleted { try body(entry) }
      }
    } catch {
      throw SnapshotError(error, "manifest", manifest.path)
    }
  }

  /// The same, entry by entry, deleted ones too, for a reader that stops and goes on.
  package static func entries(
    in bytes: [UInt8], of manifest: ManifestFile, columns: ManifestColumns
  ) throws(SnapshotError) -> ManifestEntries {
    do throws(AvroError) {
      return try reader(bytes, manifest).entries(of: manifest, columns: columns)
    } catch {
      throw SnapshotError(error, "manifest", manifest.path)
    }
  }

  private static func reader(_ bytes: [UInt8], _ manifest: ManifestFile) throws(AvroError) -> ManifestReader {
    let reader = try ManifestReader(parsing: bytes)
    guard reader.content == manifest.content else {
      throw AvroError(code: .corrupt, message: "it does not hold the kind of files that its list says, data or deletes")
    }
    if let specID = reader.partitionSpecID, specID != manifest.specID {
      throw AvroError(code: .corrupt, message: "its partition spec is \(specID), and \(manifest.specID) in its list")
    }
    return reader
  }

  /// Version 1 without a list: what a list would say is found in the manifests themselves.
  private func unlisted(_ snapshot: SnapshotSource) async throws(SnapshotError) -> [ManifestFile] {
    var manifests: [ManifestFile] = []
    for path in snapshot.manifests {
      let bytes = try await bytes(of: path, "manifest")
      let reader: ManifestReader
      do throws(AvroError) {
        reader = try ManifestReader(parsing: bytes)
      } catch {
        throw SnapshotError(error, "manifest", path)
      }
      manifests.append(
        ManifestFile(
          path: path, length: Int64(bytes.count), specID: reader.partitionSpecID ?? 0, content: .data, sequenceNumber: 0,
          minSequenceNumber: 0, addedSnapshotID: nil, files: .init(), rows: .init(), isEncrypted: false))
    }
    return manifests
  }

  private func bytes(of text: String, _ what: String) async throws(SnapshotError) -> [UInt8] {
    if let known = contents.bytes(of: text) { return known }
    do throws(FileIOError) {
      let bytes = try await ObjectReader.readAll(try files.location(text), limit: Self.largestFile, from: files)
      contents.keep(bytes, of: text)
      return bytes
    } catch {
      throw SnapshotError(error, what, text)
    }
  }
}

extension SnapshotError {
  /// - Parameter what: `manifest list`, `manifest`.
  package init(_ error: AvroError, _ what: String, _ location: String) {
    self.init(.corrupt, "the \(what) \(location) cannot be read: \(error)")
  }
}
