// SPDX-License-Identifier: Apache-2.0

/// The checks that need the whole document. Numbers are those of spec/table-metadata.md §3.
extension TableMetadata {
  /// Clocks of two writers may differ by this much. Milliseconds.
  static let clockToleranceMs: Int64 = 60_000

  func checkDocument(_ root: MetadataMembers) throws(TableMetadataError) {
    try checkLists(root)
    try checkSnapshots(root)
    try checkReferences(root)
    try checkLog(root, "snapshot-log", snapshotLog.map(\.timestampMs), check: 6)
    try checkLog(root, "metadata-log", head.metadataLog.map(\.timestampMs), check: 7)
    try checkDefaultSpec(root)
    try checkDefaultOrder(root)
    try checkLastIDs(root)
  }

  private func checkLists(_ root: MetadataMembers) throws(TableMetadataError) {
    if head.formatVersion == 1, lastSequenceNumber != 0 {
      throw root.fault(1, "last-sequence-number", "0 in version 1", "\(lastSequenceNumber)")
    }
    try checkList(root, "schemas", schemas.map(\.id), current: currentSchemaID, "current-schema-id", check: 2)
    try checkList(root, "partition-specs", partitionSpecs.map(\.id), current: defaultSpecID, "default-spec-id", check: 8)
    try checkList(root, "sort-orders", sortOrders.map(\.id), current: defaultSortOrderID, "default-sort-order-id", check: 8)
  }

  private func checkList(
    _ root: MetadataMembers, _ list: String, _ ids: [Int], current: Int, _ currentName: String, check: Int
  ) throws(TableMetadataError) {
    guard !ids.isEmpty else { throw root.fault(1, list, "at least one entry", "none") }
    if let id = Self.firstDuplicate(ids) { throw root.fault(2, list, "distinct ids", "\(id) twice") }
    guard ids.contains(current) else { throw root.fault(check, currentName, "an id of `\(list)`", "\(current)") }
  }

  private func checkSnapshots(_ root: MetadataMembers) throws(TableMetadataError) {
    if let id = Self.firstDuplicate(snapshots.map(\.id)) { throw root.fault(2, "snapshots", "distinct ids", "\(id) twice") }
    for (index, snapshot) in snapshots.enumerated() where snapshot.sequenceNumber > lastSequenceNumber {
      throw root.fault(
        2, "snapshots[\(index)].sequence-number", "at most `last-sequence-number` \(lastSequenceNumber)", "\(snapshot.sequenceNumber)")
    }
    for (list, files) in [("statistics", statistics), ("partition-statistics", partitionStatistics)] {
      if let id = Self.firstDuplicate(files.map(\.snapshotID)) {
        throw root.fault(2, list, "at most one file a snapshot", "two of snapshot \(id)")
      }
    }
  }

  private func checkReferences(_ root: MetadataMembers) throws(TableMetadataError) {
    let ids = Set(snapshots.map(\.id))
    for reference in references where !ids.contains(reference.snapshotID) {
      throw root.fault(3, "refs.\(reference.name).snapshot-id", "the id of a snapshot", "\(reference.snapshotID)")
    }
    let main = references.last { $0.name == "main" }?.snapshotID
    if let current = head.currentSnapshotID {
      if let main, main != current { throw root.fault(4, "current-snapshot-id", "the snapshot of `main`, \(main)", "\(current)") }
      guard ids.contains(current) else { throw root.fault(5, "current-snapshot-id", "the id of a snapshot", "\(current)") }
    } else if let main {
      throw root.fault(4, "current-snapshot-id", "the snapshot of `main`, \(main)", "none")
    }
  }

  private func checkLog(_ root: MetadataMembers, _ log: String, _ timestamps: [Int64], check: Int) throws(TableMetadataError) {
    for (index, (earlier, later)) in zip(timestamps, timestamps.dropFirst()).enumerated() where Self.isBefore(later, earlier) {
      throw root.fault(check, "\(log)[\(index + 1)].timestamp-ms", "at least \(earlier) less a minute", "\(later)")
    }
    if let last = timestamps.last, Self.isBefore(head.lastUpdatedMs, last) {
      throw root.fault(check, "last-updated-ms", "at least the last of `\(log)`, \(last), less a minute", "\(head.lastUpdatedMs)")
    }
  }

  /// Earlier by more than the tolerance.
  static func isBefore(_ time: Int64, _ other: Int64) -> Bool {
    let (bound, overflows) = other.subtractingReportingOverflow(clockToleranceMs)
    return !overflows && time < bound
  }

  private func checkDefaultSpec(_ root: MetadataMembers) throws(TableMetadataError) {
    guard let spec = defaultSpec, let places = currentPlaces else { return }
    for field in spec.fields where field.transform != .void {
      try checkSources(
        root, "partition-specs", "the default spec's field \(field.name.prefix(80))", field.sourceIDs, field.transform, places)
    }
  }

  private func checkDefaultOrder(_ root: MetadataMembers) throws(TableMetadataError) {
    guard let order = sortOrders.first(where: { $0.id == defaultSortOrderID }), let places = currentPlaces else { return }
    for field in order.fields where field.transform != .void {
      try checkSources(root, "sort-orders", "the default sort order", field.sourceIDs, field.transform, places)
    }
  }

  private func checkSources(
    _ root: MetadataMembers, _ list: String, _ what: String, _ sources: [Int], _ transform: Transform, _ places: [Int: SchemaPlace]
  ) throws(TableMetadataError) {
    for source in sources {
      guard let place = places[source] else {
        throw root.fault(8, list, "\(what) to take a column of the current schema", "column id \(source)")
      }
      guard case .primitive(let type) = place.type, transform.accepts(type) else {
        throw root.fault(8, list, "\(what) to take a type that \(transform) accepts", place.type.name)
      }
      var step: SchemaPlace? = place
      while let current = step {
        guard current.role == .field else {
          throw root.fault(8, list, "\(what) to take a column below structs only", place.name)
        }
        step = current.parentID.flatMap { places[$0] }
      }
    }
  }

  private func checkLastIDs(_ root: MetadataMembers) throws(TableMetadataError) {
    if let highest = schemas.flatMap(\.places).map(\.id).max(), highest > lastColumnID {
      throw root.fault(9, "last-column-id", "at least the highest field id, \(highest)", "\(lastColumnID)")
    }
    if let highest = partitionSpecs.flatMap(\.fields).map(\.fieldID).max(), highest > lastPartitionID {
      throw root.fault(8, "last-partition-id", "at least the highest partition field id, \(highest)", "\(lastPartitionID)")
    }
  }

  private var currentPlaces: [Int: SchemaPlace]? {
    currentSchema.map { Dictionary($0.places.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }) }
  }

  private static func firstDuplicate<ID: Hashable>(_ ids: [ID]) -> ID? {
    var seen: Set<ID> = []
    return ids.first { !seen.insert($0).inserted }
  }
}

extension MetadataMembers {
  fileprivate func fault(_ check: Int, _ path: String, _ expected: String, _ found: String) -> TableMetadataError {
    documentFault(check, "has a wrong `\(path)`: expected \(expected), found \(found)", path, expected: expected, found: found)
  }
}
