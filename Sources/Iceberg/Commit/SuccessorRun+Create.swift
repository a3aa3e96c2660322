// SPDX-License-Identifier: Apache-2.0

/// Row C1, and the rows that one document decides by itself: 22, 24 to 27.
extension SuccessorRun {
  mutating func checkCreate() throws(SuccessorRefusal) {
    guard next.head.tableUUID != nil else {
      throw SuccessorRefusal(row: .create, path: "table-uuid", expected: "a uuid", found: "nothing")
    }
    let hasHistory = !next.head.metadataLog.isEmpty
    if hasHistory {
      warn(.create, "metadata-log", "names \(next.head.metadataLog.count) earlier files: a history is registered")
    }
    if next.snapshots.isEmpty {
      guard next.lastSequenceNumber == 0 || hasHistory else {
        throw SuccessorRefusal(
          row: .create, path: "last-sequence-number", expected: "0 without snapshots", found: "\(next.lastSequenceNumber)")
      }
    } else {
      warn(.create, "snapshots", "holds \(next.snapshots.count) snapshots of an existing history")
    }
    if let current = next.head.currentSnapshotID, let last = next.snapshotLog.last, last.snapshotID != current {
      throw SuccessorRefusal(
        row: .snapshotLog, path: "snapshot-log[\(next.snapshotLog.count - 1)].snapshot-id", expected: "the current snapshot \(current)",
        found: "\(last.snapshotID)")
    }
    try checkDefaultTransforms()
    if let nextRowID = next.nextRowID { try checkHistoricRowIDs(nextRowID) }
  }

  private func checkHistoricRowIDs(_ nextRowID: Int64) throws(SuccessorRefusal) {
    for snapshot in next.snapshots {
      let (end, overflows) = (snapshot.firstRowID ?? 0).addingReportingOverflow(snapshot.addedRows ?? 0)
      guard !overflows, end <= nextRowID else {
        throw SuccessorRefusal(
          row: .rowIDs, path: "next-row-id", expected: "at least the end of snapshot \(snapshot.id)'s rows", found: "\(nextRowID)")
      }
    }
  }

  func checkReserved() throws(SuccessorRefusal) {
    if let key = MetadataProperties.reserved.first(where: { next.head.properties[$0] != nil }) {
      throw SuccessorRefusal(row: .reservedProperties, path: "properties.\(key)", expected: "no reserved property", found: "a value")
    }
  }

  /// By what the summaries of new snapshots say; the manifests themselves are not read.
  mutating func checkDeleteFiles() {
    let known = Set(check.base?.metadata.snapshots.map(\.id) ?? next.snapshots.map(\.id))
    for (index, snapshot) in next.snapshots.enumerated() where !known.contains(snapshot.id) {
      let positional = snapshot.summary?["added-position-delete-files"].flatMap { Int64($0) } ?? 0
      let vectors = snapshot.summary?["added-dvs"].flatMap { Int64($0) } ?? 0
      let path = "snapshots[\(index)].summary"
      if next.head.formatVersion >= 3, positional > 0 {
        warn(.deleteFiles, "\(path).added-position-delete-files", "version 3 takes deletion vectors, no new position delete files")
      }
      if next.head.formatVersion < 3, vectors > 0 {
        warn(.deleteFiles, "\(path).added-dvs", "deletion vectors need format version 3")
      }
    }
  }

  mutating func checkLocation(_ base: TableMetadata) {
    if !next.head.location.hasSameBytes(as: base.head.location) {
      warn(.location, "location", "changed from \(base.head.location); files written earlier stay there")
    }
    if !next.head.metadataLocation.hasSameBytes(as: base.head.metadataLocation) {
      warn(.location, "properties.\(MetadataProperties.path)", "the next metadata file goes to \(next.head.metadataLocation)")
    }
  }

  mutating func checkStatistics() {
    let ids = Set(next.snapshots.map(\.id))
    for (list, files) in [("statistics", next.statistics), ("partition-statistics", next.partitionStatistics)] {
      for (index, file) in files.enumerated() where !ids.contains(file.snapshotID) {
        warn(.statistics, "\(list)[\(index)].snapshot-id", "names snapshot \(file.snapshotID), which the document does not have")
      }
    }
  }

  mutating func checkKeys(_ base: TableMetadata) {
    let kept = Set(next.encryptionKeys.map(\.keyID))
    let used = Set(next.snapshots.compactMap(\.keyID))
    for (index, snapshot) in next.snapshots.enumerated() {
      if let key = snapshot.keyID, !kept.contains(key) {
        warn(.encryptionKeys, "snapshots[\(index)].key-id", "names a key that `encryption-keys` does not have")
      }
    }
    for key in base.encryptionKeys where !kept.contains(key.keyID) && used.contains(key.keyID) {
      warn(.encryptionKeys, "encryption-keys", "lost the key \(key.keyID.prefix(80)), which a snapshot uses")
    }
  }
}
