// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Rows 11 and 12, and row 20 for removed specs: what the new document names must exist and be what it says.
struct ManifestCheck {
  /// Bytes. A hundred times the list of a table with 10,000 manifests.
  private static let maximumListSize: Int64 = 256 << 20
  /// HEAD requests under way at once: as many as one connection pool carries without queueing.
  private static let width = 16

  /// A manifest that must exist.
  private struct Named: Sendable {
    var path: String
    /// Bytes; nil if it stands in the document itself, as in version 1.
    var length: Int64?
  }

  private let next: TableMetadata
  private let base: TableMetadata?
  private let files: any FileIO
  private(set) var warnings: [SuccessorWarning] = []

  init(check: SuccessorCheck, files: any FileIO) {
    next = check.next
    base = check.base?.metadata
    self.files = files
  }

  mutating func run() async throws(SuccessorRefusal) {
    let known = Set(base?.snapshots.map(\.id) ?? [])
    // A registered history may be long; what its refs show must be there.
    let heads = base == nil ? Set(next.head.refs.values.map(\.snapshotID)) : nil
    for (index, snapshot) in next.snapshots.enumerated() where !known.contains(snapshot.id) {
      if let heads, !heads.contains(snapshot.id) { continue }
      try await check(snapshot, "snapshots[\(index)]")
    }
    try await checkRemovedSpecs()
  }

  // MARK: Row 11

  private mutating func check(_ snapshot: Snapshot, _ path: String) async throws(SuccessorRefusal) {
    guard let location = snapshot.manifestList else {
      return try await checkExist(snapshot.manifests.map { Named(path: $0, length: nil) }, path)
    }
    let list = try await self.list(location, .manifestList, "\(path).manifest-list")
    guard list.snapshotID == snapshot.id else {
      throw SuccessorRefusal(
        row: .manifestList, path: "\(path).manifest-list", expected: "a manifest list of snapshot \(snapshot.id)",
        found: list.snapshotID.map { "one of snapshot \($0)" } ?? "one without a snapshot id")
    }
    if next.head.formatVersion >= 2, snapshot.sequenceNumber > 0 {
      guard list.sequenceNumber == snapshot.sequenceNumber else {
        throw SuccessorRefusal(
          row: .manifestList, path: "\(path).manifest-list", expected: "a manifest list with sequence number \(snapshot.sequenceNumber)",
          found: list.sequenceNumber.map(String.init) ?? "none")
      }
    }
    if let version = list.formatVersion, version > next.head.formatVersion {
      throw SuccessorRefusal(
        row: .manifestList, path: "\(path).manifest-list", expected: "at most format version \(next.head.formatVersion)",
        found: "\(version)")
    }
    try await checkManifests(list, snapshot, path)
  }

  private func list(_ text: String, _ row: SuccessorRow, _ path: String) async throws(SuccessorRefusal) -> ManifestList {
    let bytes: [UInt8]
    do throws(FileIOError) {
      bytes = try await ObjectReader.read(try files.location(text), limit: Self.maximumListSize, from: files)
    } catch {
      throw Self.refusal(error, row, path, text)
    }
    do throws(AvroError) {
      return try ManifestList(parsing: bytes)
    } catch {
      throw SuccessorRefusal(row: row, path: path, expected: "an Avro file at \(text)", found: error.message)
    }
  }

  // MARK: Row 12

  private mutating func checkManifests(_ list: ManifestList, _ snapshot: Snapshot, _ path: String) async throws(SuccessorRefusal) {
    let manifests: [ManifestFile]
    do throws(AvroError) {
      manifests = try list.manifests()
    } catch  where error.code == .unsupportedCodec {
      warnings.append(SuccessorWarning(row: .manifests, path: path, message: "its manifests were not checked: \(error.message)"))
      return
    } catch {
      throw SuccessorRefusal(row: .manifests, path: "\(path).manifest-list", expected: "a readable manifest list", found: error.message)
    }
    for (index, manifest) in manifests.enumerated() {
      let place = "\(path).manifest-list[\(index)]"
      guard manifest.sequenceNumber <= snapshot.sequenceNumber else {
        throw SuccessorRefusal(
          row: .manifests, path: "\(place).sequence_number", expected: "at most \(snapshot.sequenceNumber)",
          found: "\(manifest.sequenceNumber)")
      }
      if next.head.formatVersion >= 2, snapshot.sequenceNumber > 0, manifest.sequenceNumber == snapshot.sequenceNumber,
        manifest.addedSnapshotID != snapshot.id
      {
        throw SuccessorRefusal(
          row: .manifests, path: "\(place).added_snapshot_id", expected: "\(snapshot.id)",
          found: manifest.addedSnapshotID.map(String.init) ?? "nothing")
      }
    }
    try await checkExist(try await unknown(manifests, snapshot), path)
  }

  /// The manifests that the parent's list does not already name with the same length: those the table has are not asked for again.
  private func unknown(_ manifests: [ManifestFile], _ snapshot: Snapshot) async throws(SuccessorRefusal) -> [Named] {
    let named = manifests.map { Named(path: $0.path, length: $0.length) }
    guard let parent = snapshot.parentID, let location = base?.snapshots.first(where: { $0.id == parent })?.manifestList,
      manifests.contains(where: { $0.addedSnapshotID != snapshot.id })
    else { return named }
    // A parent's list that cannot be read saves nothing, and is no fault of the document.
    guard let list = try? await list(location, .manifests, ""), let known = try? list.manifests() else { return named }
    let lengths = Dictionary(known.map { (Array($0.path.utf8), $0.length) }, uniquingKeysWith: { first, _ in first })
    return named.filter { lengths[Array($0.path.utf8)] != $0.length }
  }

  private func checkExist(_ manifests: [Named], _ path: String) async throws(SuccessorRefusal) {
    let files = files
    let refusal = await withTaskGroup(of: SuccessorRefusal?.self) { group -> SuccessorRefusal? in
      var waiting = manifests.makeIterator()
      for manifest in waiting.next(Self.width) { group.addTask { await Self.checkExists(manifest, path, files) } }
      while let result = await group.next() {
        if let result {
          group.cancelAll()
          return result
        }
        if let manifest = waiting.next() { group.addTask { await Self.checkExists(manifest, path, files) } }
      }
      return nil
    }
    if let refusal { throw refusal }
  }

  private static func checkExists(_ manifest: Named, _ path: String, _ files: any FileIO) async -> SuccessorRefusal? {
    do throws(FileIOError) {
      let size = try await files.head(try files.location(manifest.path)).size
      if let length = manifest.length, size != length {
        return SuccessorRefusal(
          row: .manifests, path: "\(path).manifest-list", expected: "\(length) bytes in \(manifest.path)", found: "\(size)")
      }
      return nil
    } catch {
      return refusal(error, .manifests, "\(path).manifest-list", manifest.path)
    }
  }

  // MARK: Row 20

  private mutating func checkRemovedSpecs() async throws(SuccessorRefusal) {
    let kept = Set(next.partitionSpecs.map(\.id))
    let removed = Set(base?.partitionSpecs.map(\.id) ?? []).subtracting(kept)
    guard !removed.isEmpty else { return }
    for (index, snapshot) in next.snapshots.enumerated() {
      guard let location = snapshot.manifestList else { continue }
      let list = try await list(location, .partitionSpecs, "snapshots[\(index)].manifest-list")
      guard let manifests = try? list.manifests() else {
        warnings.append(
          SuccessorWarning(row: .partitionSpecs, path: "partition-specs", message: "\(location) was not searched for removed specs"))
        continue
      }
      if let manifest = manifests.first(where: { removed.contains(Int($0.specID)) }) {
        throw SuccessorRefusal(
          row: .partitionSpecs, path: "partition-specs",
          expected: "spec \(manifest.specID), which a manifest of snapshot \(snapshot.id) uses",
          found: "none of that id")
      }
    }
  }

  private static func refusal(_ error: FileIOError, _ row: SuccessorRow, _ path: String, _ location: String) -> SuccessorRefusal {
    switch error.code {
    case .notFound: SuccessorRefusal(row: row, path: path, expected: "an object at \(location)", found: "none")
    case .invalid: SuccessorRefusal(row: row, path: path, expected: "an object's location", found: error.message)
    case .changed, .exists, .tooLarge, .unknown, .denied, .timedOut, .failed, .unsupported, .cancelled:
      SuccessorRefusal(row: row, kind: .unavailable(error.code), path: path, expected: "to read \(location)", found: error.message)
    }
  }
}

extension IteratorProtocol {
  /// The next elements, at most `count`.
  fileprivate mutating func next(_ count: Int) -> [Element] {
    var elements: [Element] = []
    while elements.count < count, let element = next() { elements.append(element) }
    return elements
  }
}
