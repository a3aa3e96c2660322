// SPDX-License-Identifier: Apache-2.0

/// Looks whether other entries of a catalog need metadata files that a table no longer names.
///
/// Two entries may share a history: one was registered at the other's file, or a rename that ended with both names. An entry needs the file
/// that it points at and those of its current file's log.
struct MetadataFileUse: Sendable {
  let catalog: any Catalog
  let watch: CatalogWatch
  let reader: ReachReader

  /// The files among these that are needed, or may be, each with the reason as a sentence.
  ///
  /// Pointers are compared wherever they lie. Read are only the current files of those other entries whose directories overlap that of the
  /// files: an entry that was moved elsewhere since may lose old files of its log, as if it had deleted them itself.
  func needed(_ files: [ObjectLocation], besides table: TableIdentifier) async -> [ObjectLocation: String] {
    let sight: CatalogWatch.Sight
    do throws(CatalogError) {
      sight = try await watch.tables()
    } catch {
      return all(files, "The tables of the catalog cannot be listed: \(error.message)")
    }
    if let why = sight.unclear.first { return all(files, why) }
    let digests = files.map { (file: $0, digest: PathDigest($0)) }
    let places = Set(files.flatMap { ReachArea.around(file: "\($0)") })
    var needed: [ObjectLocation: String] = [:]
    var others: [TableEntry] = []
    for entry in sight.present {
      let pointer = PathDigest.all(entry.metadataLocation)
      for (file, digest) in digests where pointer.contains(digest) {
        needed[file] = "Table \(entry.identifier): it is the current metadata file."
      }
      if entry.identifier != table, overlaps(entry, files, places) { others.append(entry) }
    }
    let requests = others.map {
      ReachReader.Request(location: $0.metadataLocation, kind: .metadata, files: catalog.fileIO(for: $0.identifier))
    }
    await reader.read(requests) { index, outcome in
      let entry = others[index]
      func keepAll(_ why: String) {
        needed.merge(all(files, "The metadata file \(entry.metadataLocation) of table \(entry.identifier) \(why).")) { old, _ in old }
      }
      switch outcome {
      case .facts(.metadata(let reach)):
        let log = Set(reach.log.flatMap(PathDigest.all))
        for (file, digest) in digests where log.contains(digest) && needed[file] == nil {
          needed[file] = "Table \(entry.identifier): it stands in the metadata log of \(entry.metadataLocation)."
        }
      case .facts(.missing): keepAll("is missing")
      case .facts(.unreadable(let why)): keepAll("cannot be made out: \(why)")
      case .facts(.manifestList), .facts(.manifest): keepAll("is named as a manifest elsewhere")
      case .failed(let why): keepAll("cannot be read: \(why)")
      }
      return needed.count < files.count
    }
    return needed
  }

  /// A text that is no location may mean any.
  private func overlaps(_ entry: TableEntry, _ files: [ObjectLocation], _ places: Set<ReachArea>) -> Bool {
    guard let text = LocationText(entry.metadataLocation) else { return true }
    let pointer = ObjectLocation(bucket: String(Substring(text.bucket)), key: String(Substring(text.key)))
    if places.contains(where: { $0.contains(pointer) }) { return true }
    let areas = ReachArea.around(file: entry.metadataLocation)
    return files.contains { file in areas.contains { $0.contains(file) } }
  }

  private func all(_ files: [ObjectLocation], _ why: String) -> [ObjectLocation: String] {
    Dictionary(files.map { ($0, why) }) { old, _ in old }
  }
}
