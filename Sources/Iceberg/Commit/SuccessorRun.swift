// SPDX-License-Identifier: Apache-2.0

/// One pass through the rows, collecting warnings.
struct SuccessorRun {
  /// How far another writer's clock is expected to be ahead at most. Milliseconds.
  static let futureToleranceMs: Int64 = 60_000

  let check: SuccessorCheck
  let next: TableMetadata
  private(set) var warnings: [SuccessorWarning] = []

  init(check: SuccessorCheck) {
    self.check = check
    next = check.next
  }

  mutating func checkDocuments() throws(SuccessorRefusal) {
    if let base = check.base {
      try checkIdentity(base)
      try checkLog(base)
      try checkTimes(base)
      let change = SnapshotChange(base.metadata, next)
      try checkSnapshots(change)
      try checkReferences(change)
      try checkSnapshotLog(change)
      try checkSchemas(base.metadata)
      try checkSpecs(base.metadata)
      try checkOrders(base.metadata)
      try checkRowIDs(change)
      checkLocation(base.metadata)
      checkKeys(base.metadata)
    } else {
      try checkCreate()
    }
    try checkMainIsBranch()
    try checkReserved()
    checkDeleteFiles()
    checkStatistics()
    checkFuture()
    try checkObjectLocation()
  }

  mutating func warn(_ row: SuccessorRow, _ path: String, _ message: String) {
    warnings.append(SuccessorWarning(row: row, path: path, message: message))
  }

  // MARK: Rows 2 and 3

  private func checkIdentity(_ base: SuccessorCheck.Base) throws(SuccessorRefusal) {
    if let uuid = base.metadata.head.tableUUID, next.head.tableUUID?.lowercased() != uuid.lowercased() {
      throw SuccessorRefusal(
        row: .uuid, path: "table-uuid", expected: uuid, found: next.head.tableUUID.map { String($0.prefix(80)) } ?? "nothing")
    }
    let (old, new) = (base.metadata.head.formatVersion, next.head.formatVersion)
    guard new >= old else {
      throw SuccessorRefusal(row: .formatVersion, path: "format-version", expected: "at least \(old)", found: "\(new)")
    }
  }

  // MARK: Rows 4 and 5

  private mutating func checkLog(_ base: SuccessorCheck.Base) throws(SuccessorRefusal) {
    let (old, new) = (base.metadata.head.metadataLog, next.head.metadataLog)
    let path = "metadata-log[\(max(0, new.count - 1))].metadata-file"
    guard let last = new.last, last.file.hasSameBytes(as: base.location) else {
      let isCopy = Self.isSameLog(old, new)
      throw SuccessorRefusal(
        row: .baseBinding, kind: .conflict, path: path,
        expected: "the current file \(base.location)"
          + (isCopy ? " appended to the log of the copied file (or the copy renamed onto current.metadata.json)" : ""),
        found: new.last.map { String($0.file.prefix(400)) } ?? "an empty log")
    }
    let kept = new.dropLast()
    guard kept.count <= old.count, Self.isSameLog(Array(old.suffix(kept.count)), Array(kept)) else {
      throw SuccessorRefusal(
        row: .metadataLog, path: "metadata-log", expected: "the entries of the current file's log, only oldest ones removed",
        found: "other entries")
    }
    let limit = MetadataProperties.previousVersionsMax(next) ?? 100
    let due = min(old.count + 1, limit)
    if MetadataProperties.deletesAfterCommit(next), new.count < due {
      throw SuccessorRefusal(
        row: .metadataLog, path: "metadata-log",
        expected: "\(due) entries, since \(MetadataProperties.deleteAfterCommit) deletes the files of missing ones", found: "\(new.count)")
    }
    if last.timestampMs != base.metadata.head.lastUpdatedMs {
      warn(
        .metadataLog, "metadata-log[\(new.count - 1)].timestamp-ms",
        "is \(last.timestampMs), the current file was last updated at \(base.metadata.head.lastUpdatedMs)")
    }
  }

  static func isSameLog(_ left: [TableMetadataHead.LogEntry], _ right: [TableMetadataHead.LogEntry]) -> Bool {
    left.count == right.count
      && zip(left, right).allSatisfy { $0.timestampMs == $1.timestampMs && $0.file.hasSameBytes(as: $1.file) }
  }

  // MARK: Row 6

  private func checkTimes(_ base: SuccessorCheck.Base) throws(SuccessorRefusal) {
    guard !TableMetadata.isBefore(next.head.lastUpdatedMs, base.metadata.head.lastUpdatedMs) else {
      throw SuccessorRefusal(
        row: .lastUpdated, path: "last-updated-ms", expected: "at least \(base.metadata.head.lastUpdatedMs) less a minute",
        found: "\(next.head.lastUpdatedMs)")
    }
  }

  private mutating func checkFuture() {
    let (bound, overflows) = check.nowMs.addingReportingOverflow(Self.futureToleranceMs)
    if !overflows, next.head.lastUpdatedMs > bound {
      warn(.lastUpdated, "last-updated-ms", "lies \(next.head.lastUpdatedMs &- check.nowMs) ms in the future")
    }
  }

  // MARK: Row 28

  private mutating func checkObjectLocation() throws(SuccessorRefusal) {
    let scheme = Self.scheme(check.location)
    let expected = check.base.map { Self.scheme($0.location) ?? "" } ?? scheme
    guard let scheme, scheme == expected else {
      throw SuccessorRefusal(
        row: .objectLocation, path: "", expected: "a full URI \(check.base.map { "with the scheme of \($0.location)" } ?? "")",
        found: String(check.location.prefix(400)))
    }
    guard let base = check.base else { return }
    if let old = MetadataFileName(base.location)?.number, let new = MetadataFileName(check.location)?.number, new <= old {
      warn(.document, "", "the file's number \(new) does not follow \(old)")
    }
  }

  private static func scheme(_ location: String) -> Substring? {
    guard let end = location.utf8.firstIndex(of: UInt8(ascii: ":")), location[end...].hasPrefix("://"), end > location.startIndex else {
      return nil
    }
    return location[..<end]
  }
}
