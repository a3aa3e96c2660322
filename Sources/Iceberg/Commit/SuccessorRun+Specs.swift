// SPDX-License-Identifier: Apache-2.0

/// Rows 20, 21 and 23.
extension SuccessorRun {
  mutating func checkSpecs(_ base: TableMetadata) throws(SuccessorRefusal) {
    guard next.lastPartitionID >= base.lastPartitionID else {
      throw SuccessorRefusal(
        row: .partitionSpecs, path: "last-partition-id", expected: "at least \(base.lastPartitionID)", found: "\(next.lastPartitionID)")
    }
    let byID = Dictionary(base.partitionSpecs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var due = (byID.keys.max() ?? -1) + 1
    for (index, spec) in next.partitionSpecs.enumerated() {
      if let kept = byID[spec.id] {
        guard kept == spec else {
          throw SuccessorRefusal(
            row: .partitionSpecs, path: "partition-specs[\(index)]", expected: "spec \(spec.id) as the current file has it",
            found: "a changed spec \(spec.id); a change takes a new spec with id \(due)")
        }
        continue
      }
      guard spec.id == due else {
        throw SuccessorRefusal(
          row: .partitionSpecs, path: "partition-specs[\(index)].spec-id", expected: "\(due), one above the highest", found: "\(spec.id)")
      }
      due += 1
      try checkFields(of: spec, "partition-specs[\(index)]", base)
    }
    try checkDefaultTransforms()
  }

  func checkDefaultTransforms() throws(SuccessorRefusal) {
    for field in next.defaultSpec?.fields ?? [] {
      if case .unknown = field.transform {
        throw SuccessorRefusal(
          row: .partitionSpecs, path: "default-spec-id", expected: "a spec with known transforms", found: field.transform.description)
      }
    }
  }

  private mutating func checkFields(of spec: PartitionSpec, _ path: String, _ base: TableMetadata) throws(SuccessorRefusal) {
    let historic = base.partitionSpecs.flatMap(\.fields)
    for (index, field) in spec.fields.enumerated() {
      let fieldPath = "\(path).fields[\(index)].field-id"
      if next.head.formatVersion == 1, field.fieldID != PartitionSpec.firstFieldID + index {
        throw SuccessorRefusal(
          row: .partitionSpecs, path: fieldPath, expected: "\(PartitionSpec.firstFieldID + index), as version 1 numbers fields in order",
          found: "\(field.fieldID)")
      }
      let equal = historic.filter { $0.sourceIDs == field.sourceIDs && $0.transform == field.transform }
      if field.fieldID <= base.lastPartitionID {
        // A field that version 1 dropped stays as void under its id.
        let isKnown = historic.contains { known in
          known.fieldID == field.fieldID && known.sourceIDs == field.sourceIDs
            && (known.transform == field.transform || field.transform == .void)
        }
        guard isKnown else {
          throw SuccessorRefusal(
            row: .partitionSpecs, path: fieldPath, expected: "an id above \(base.lastPartitionID) for a new partition field",
            found: "\(field.fieldID), which was given before")
        }
      } else if next.head.formatVersion >= 2, let earlier = equal.first {
        guard !equal.contains(where: { $0.name.hasSameBytes(as: field.name) }) else {
          throw SuccessorRefusal(
            row: .partitionSpecs, path: fieldPath, expected: "\(earlier.fieldID), which the same field had before",
            found: "\(field.fieldID)")
        }
        warn(.partitionSpecs, fieldPath, "is new, though an earlier field had the same source and transform under another name")
      }
    }
  }

  // MARK: Row 21

  func checkOrders(_ base: TableMetadata) throws(SuccessorRefusal) {
    let byID = Dictionary(base.sortOrders.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var due = max(0, byID.keys.max() ?? 0) + 1
    for (index, order) in next.sortOrders.enumerated() {
      if let kept = byID[order.id] {
        guard kept == order else {
          throw SuccessorRefusal(
            row: .sortOrders, path: "sort-orders[\(index)]", expected: "order \(order.id) as the current file has it",
            found: "a changed order \(order.id); a change takes a new order with id \(due)")
        }
      } else if order.id != 0 {
        guard order.id == due else {
          throw SuccessorRefusal(
            row: .sortOrders, path: "sort-orders[\(index)].order-id", expected: "\(due), one above the highest", found: "\(order.id)")
        }
        due += 1
      }
    }
  }

  // MARK: Row 23

  func checkRowIDs(_ change: SnapshotChange) throws(SuccessorRefusal) {
    guard let nextRowID = next.nextRowID else { return }
    var running = change.base.nextRowID ?? 0
    for (index, snapshot) in change.added {
      let path = "snapshots[\(index)]"
      guard let first = snapshot.firstRowID, first >= running else {
        throw SuccessorRefusal(
          row: .rowIDs, path: "\(path).first-row-id", expected: "at least \(running)",
          found: snapshot.firstRowID.map(String.init) ?? "nothing")
      }
      let (end, overflows) = running.addingReportingOverflow(snapshot.addedRows ?? 0)
      guard !overflows else {
        throw SuccessorRefusal(row: .rowIDs, path: "\(path).added-rows", expected: "row ids within 64 bits", found: "more")
      }
      running = end
    }
    guard nextRowID == running else {
      throw SuccessorRefusal(row: .rowIDs, path: "next-row-id", expected: "\(running)", found: "\(nextRowID)")
    }
  }
}
