// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Rows 7 to 10, 13 to 16.
extension SuccessorRun {
  private static let operations = ["append", "replace", "overwrite", "delete"]

  mutating func checkSnapshots(_ change: SnapshotChange) throws(SuccessorRefusal) {
    let (old, new) = (change.base.lastSequenceNumber, next.lastSequenceNumber)
    guard new >= old else {
      throw SuccessorRefusal(row: .lastSequenceNumber, path: "last-sequence-number", expected: "at least \(old)", found: "\(new)")
    }
    for (index, snapshot) in next.snapshots.enumerated() {
      if let kept = change.baseByID[snapshot.id] { try checkKept(kept, snapshot, "snapshots[\(index)]", change.removed) }
    }
    for (index, snapshot) in change.added { try checkNew(snapshot, "snapshots[\(index)]", change) }
    if next.head.formatVersion >= 2, !change.added.isEmpty { try checkSequence(change) }
    if change.added.isEmpty, new != old {
      throw SuccessorRefusal(
        row: .sequenceWithoutSnapshot, path: "last-sequence-number", expected: "\(old), as no snapshot is new", found: "\(new)")
    }
    for (list, files) in [("statistics", next.statistics), ("partition-statistics", next.partitionStatistics)] {
      if let index = files.firstIndex(where: { change.removed.contains($0.snapshotID) }) {
        throw SuccessorRefusal(
          row: .removedSnapshots, path: "\(list)[\(index)]", expected: "no entry of a removed snapshot",
          found: "snapshot \(files[index].snapshotID)")
      }
    }
  }

  // MARK: Row 8

  private mutating func checkKept(
    _ old: Snapshot, _ new: Snapshot, _ path: String, _ removed: Set<Int64>
  ) throws(SuccessorRefusal) {
    if old.node.isSameValue(as: new.node) { return }
    if let parent = old.parentID, new.parentID == nil, removed.contains(parent) {
      // PyIceberg does so when it expires the parent; Java leaves the id.
      warn(.keptSnapshots, "\(path).parent-snapshot-id", "was dropped with its snapshot \(parent)")
    } else {
      try compare(path, "parent-snapshot-id", old.parentID, new.parentID)
    }
    try compare(path, "sequence-number", old.sequenceNumber, new.sequenceNumber)
    try compare(path, "timestamp-ms", old.timestampMs, new.timestampMs)
    try compare(path, "manifest-list", old.manifestList.map { Array($0.utf8) }, new.manifestList.map { Array($0.utf8) })
    try compare(path, "manifests", old.manifests, new.manifests)
    try compare(path, "schema-id", old.schemaID, new.schemaID)
    try compare(path, "first-row-id", old.firstRowID, new.firstRowID)
    try compare(path, "added-rows", old.addedRows, new.addedRows)
    try compare(path, "key-id", old.keyID, new.keyID)
    if old.summary != new.summary { try compareSummaries(old.summary ?? [:], new.summary ?? [:], "\(path).summary") }
    try compareUnknown(old, new, path)
  }

  private func compareSummaries(_ old: [String: String], _ new: [String: String], _ path: String) throws(SuccessorRefusal) {
    for key in Set(old.keys).union(new.keys).sorted() { try compare(path, key, old[key], new[key]) }
  }

  /// Members that other writers do not know are lost when they write; that is not a change by the user.
  private mutating func compareUnknown(_ old: Snapshot, _ new: Snapshot, _ path: String) throws(SuccessorRefusal) {
    for (name, value) in old.node.members where !Snapshot.knownMembers.contains(name) {
      guard let other = new.node[name] else {
        warn(.keptSnapshots, "\(path).\(name)", "is missing, the current file has it")
        continue
      }
      if !value.isSameValue(as: other) {
        throw SuccessorRefusal(row: .keptSnapshots, path: "\(path).\(name)", expected: "the current file's value", found: "another value")
      }
    }
    for (name, _) in new.node.members where !Snapshot.knownMembers.contains(name) && old.node[name] == nil {
      throw SuccessorRefusal(row: .keptSnapshots, path: "\(path).\(name)", expected: "nothing, as in the current file", found: "a value")
    }
  }

  private func compare<Value: Equatable>(_ path: String, _ name: String, _ old: Value?, _ new: Value?) throws(SuccessorRefusal) {
    guard old != new else { return }
    throw SuccessorRefusal(row: .keptSnapshots, path: "\(path).\(name)", expected: Self.text(old), found: Self.text(new))
  }

  private static func text<Value>(_ value: Value?) -> String {
    switch value {
    case nil: "nothing"
    case let bytes as [UInt8]: String(decoding: bytes.prefix(400), as: UTF8.self)
    case let value?: String("\(value)".prefix(400))
    }
  }

  // MARK: Row 9

  private mutating func checkNew(_ snapshot: Snapshot, _ path: String, _ change: SnapshotChange) throws(SuccessorRefusal) {
    func refuse(_ name: String, _ expected: String, _ found: String) -> SuccessorRefusal {
      SuccessorRefusal(row: .newSnapshots, path: "\(path).\(name)", expected: expected, found: found)
    }
    guard snapshot.id > 0 else { throw refuse("snapshot-id", "an id above 0", "\(snapshot.id)") }
    if let parent = snapshot.parentID {
      guard change.nextByID[parent] != nil || change.baseByID[parent] != nil, parent != snapshot.id else {
        throw refuse("parent-snapshot-id", "a snapshot of the table", "\(parent)")
      }
    }
    if next.head.formatVersion >= 2 {
      guard snapshot.manifestList != nil else { throw refuse("manifest-list", "a manifest list", "nothing") }
    } else if snapshot.manifestList == nil, snapshot.manifests.isEmpty, snapshot.node["manifests"] == nil {
      throw refuse("manifest-list", "a manifest list", "nothing")
    }
    switch snapshot.summary?["operation"] {
    case nil where next.head.formatVersion >= 2: throw refuse("summary.operation", "append, replace, overwrite or delete", "nothing")
    case nil: warn(.newSnapshots, "\(path).summary.operation", "is missing; readers take it for overwrite")
    case let operation? where !Self.operations.contains(operation):
      throw refuse("summary.operation", "append, replace, overwrite or delete", String(operation.prefix(80)))
    default: break
    }
    if let schemaID = snapshot.schemaID, !next.schemas.contains(where: { $0.id == schemaID }) {
      warn(.schemas, "\(path).schema-id", "names schema \(schemaID), which the document does not have")
    }
  }

  private func checkSequence(_ change: SnapshotChange) throws(SuccessorRefusal) {
    var previous = change.base.lastSequenceNumber
    for (index, snapshot) in change.added {
      guard snapshot.sequenceNumber > previous else {
        throw SuccessorRefusal(
          row: .newSnapshots, path: "snapshots[\(index)].sequence-number", expected: "above \(previous)",
          found: "\(snapshot.sequenceNumber)")
      }
      previous = snapshot.sequenceNumber
    }
    guard previous == next.lastSequenceNumber else {
      throw SuccessorRefusal(
        row: .newSnapshots, path: "last-sequence-number", expected: "\(previous), that of the newest snapshot",
        found: "\(next.lastSequenceNumber)")
    }
  }

  // MARK: Rows 14 and 15

  func checkMainIsBranch() throws(SuccessorRefusal) {
    if let main = next.references.last(where: { $0.name == "main" }), main.kind != .branch {
      throw SuccessorRefusal(row: .references, path: "refs.main.type", expected: "branch", found: main.kind.rawValue)
    }
  }

  /// That refs name snapshots and main is the current one, the document's own checks have found.
  mutating func checkReferences(_ change: SnapshotChange) throws(SuccessorRefusal) {
    let (old, new) = (change.base.head.refs, next.head.refs)
    for (name, reference) in new.sorted(by: { $0.key < $1.key }) {
      guard let previous = old[name], previous.snapshotID != reference.snapshotID else { continue }
      guard reference.kind == .branch, previous.kind == .branch else {
        warn(.references, "refs.\(name)", "is a tag and moved from \(previous.snapshotID) to \(reference.snapshotID)")
        continue
      }
      if !change.isAncestor(previous.snapshotID, of: reference.snapshotID),
        !change.isAncestor(reference.snapshotID, of: previous.snapshotID)
      {
        warn(
          .references, "refs.\(name).snapshot-id",
          "moved from \(previous.snapshotID) to \(reference.snapshotID), which are not in one line of parents")
      }
    }
  }

  // MARK: Row 16

  mutating func checkSnapshotLog(_ change: SnapshotChange) throws(SuccessorRefusal) {
    let (old, new) = (change.base.snapshotLog, next.snapshotLog)
    let isMoved = next.head.currentSnapshotID != change.base.head.currentSnapshotID
    guard let current = next.head.currentSnapshotID else { return }
    let path = "snapshot-log[\(max(0, new.count - 1))]"
    guard let last = new.last else {
      if isMoved {
        throw SuccessorRefusal(row: .snapshotLog, path: "snapshot-log", expected: "an entry of the new current snapshot", found: "none")
      }
      if !old.isEmpty { warn(.snapshotLog, "snapshot-log", "is empty, the current file's is not") }
      return
    }
    guard last.snapshotID == current else {
      throw SuccessorRefusal(
        row: .snapshotLog, path: "\(path).snapshot-id", expected: "the current snapshot \(current)", found: "\(last.snapshotID)")
    }
    let appended = isMoved ? 1 : 0
    if isMoved { checkAppended(last, path, change) }
    let lastRemoved = old.lastIndex { change.removed.contains($0.snapshotID) }
    let due = Array(old[(lastRemoved.map { $0 + 1 } ?? 0)...])
    if Array(new.dropLast(appended)) != due {
      warn(.snapshotLog, "snapshot-log", "is not the current file's log with one entry a change and none before a removed snapshot")
    }
  }

  private mutating func checkAppended(_ entry: SnapshotLogEntry, _ path: String, _ change: SnapshotChange) {
    let isNew = change.baseByID[entry.snapshotID] == nil
    let due = isNew ? change.nextByID[entry.snapshotID]?.timestampMs : next.head.lastUpdatedMs
    if let due, due != entry.timestampMs {
      warn(.snapshotLog, "\(path).timestamp-ms", "is \(entry.timestampMs), expected \(due)")
    }
  }
}
