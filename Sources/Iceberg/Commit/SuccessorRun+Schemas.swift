// SPDX-License-Identifier: Apache-2.0

/// Rows 17 to 19.
extension SuccessorRun {
  mutating func checkSchemas(_ base: TableMetadata) throws(SuccessorRefusal) {
    try checkSchemaList(base)
    guard next.lastColumnID >= base.lastColumnID else {
      throw SuccessorRefusal(
        row: .lastColumn, path: "last-column-id", expected: "at least \(base.lastColumnID)", found: "\(next.lastColumnID)")
    }
    guard let old = base.currentSchema, let new = next.currentSchema, old.fields != new.fields else { return }
    try SchemaEvolution(
      old: old, new: new, base: base, isNewSchema: !base.schemas.contains { $0.id == new.id }, version: next.head.formatVersion,
      path: "schemas[\(next.schemas.firstIndex { $0.id == new.id } ?? 0)]"
    ).check()
  }

  private mutating func checkSchemaList(_ base: TableMetadata) throws(SuccessorRefusal) {
    let byID = Dictionary(base.schemas.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var due = (byID.keys.max() ?? -1) + 1
    for (index, schema) in next.schemas.enumerated() {
      if let kept = byID[schema.id] {
        guard kept == schema else {
          throw SuccessorRefusal(
            row: .schemas, path: "schemas[\(index)]", expected: "schema \(schema.id) as the current file has it",
            found: "a changed schema \(schema.id); a change takes a new schema with id \(due)")
        }
        continue
      }
      guard schema.id == due else {
        throw SuccessorRefusal(
          row: .schemas, path: "schemas[\(index)].schema-id", expected: "\(due), one above the highest", found: "\(schema.id)")
      }
      due += 1
    }
    let kept = Set(next.schemas.map(\.id))
    let used = Set(next.snapshots.compactMap(\.schemaID))
    for id in byID.keys.sorted() where !kept.contains(id) && used.contains(id) {
      warn(.schemas, "schemas", "lost schema \(id), which a snapshot names")
    }
  }
}
