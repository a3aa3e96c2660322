// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// A whole table metadata document, every member read and checked as Iceberg's own parser does, the text kept.
///
/// Source: spec/table-metadata.md §2 to §4.
package struct TableMetadata: Sendable {
  /// The file as the reader was given it.
  package let file: String
  /// The text, decompressed; nodes of the parts below point into it.
  package let document: JSONDocument
  /// Version, uuid, location, properties, metadata log, refs.
  package let head: TableMetadataHead
  /// 0 in version 1.
  package let lastSequenceNumber: Int64
  package let lastColumnID: Int
  package let schemas: [TableSchema]
  package let currentSchemaID: Int
  package let partitionSpecs: [PartitionSpec]
  package let defaultSpecID: Int
  package let lastPartitionID: Int
  package let sortOrders: [SortOrder]
  package let defaultSortOrderID: Int
  /// Version 3 only.
  package let nextRowID: Int64?
  package let encryptionKeys: [EncryptedKey]
  /// As written: without an implied `main`.
  package let references: [SnapshotReference]
  package let snapshots: [Snapshot]
  package let statistics: [StatisticsFile]
  package let partitionStatistics: [StatisticsFile]
  package let snapshotLog: [SnapshotLogEntry]

  /// The schema of new data.
  package var currentSchema: TableSchema? { schemas.first { $0.id == currentSchemaID } }
  /// The spec of new files.
  package var defaultSpec: PartitionSpec? { partitionSpecs.first { $0.id == defaultSpecID } }

  /// Reads and checks the bytes of a metadata file.
  ///
  /// Not cheap: the work is linear in the document's size, some milliseconds a megabyte.
  /// - Parameter fileName: a name or a full URI; decides on gzip, and is named in errors.
  package init(parsing bytes: [UInt8], fileName: String) throws(TableMetadataError) {
    let text = try TableMetadataHead.text(of: bytes, fileName: fileName)
    do {
      try self.init(try JSONDocument(parsing: text), file: fileName)
    } catch let error as JSONError {
      throw TableMetadataError(code: .notJSON, file: fileName, reason: "is not JSON: \(error)")
    } catch let error as TableMetadataError {
      throw error
    } catch {
      throw TableMetadataError(code: .invalid, file: fileName, reason: "cannot be read: \(error)")
    }
  }

  /// Checks a document already parsed.
  package init(_ document: JSONDocument, file: String) throws(TableMetadataError) {
    let root = try MetadataMembers(document.root, file: file)
    self.file = file
    self.document = document
    head = try TableMetadataHead(root)
    let version = head.formatVersion
    lastSequenceNumber = version == 1 ? try root.int64(ifPresent: "last-sequence-number") ?? 0 : try root.int64("last-sequence-number")
    lastColumnID = try root.int32("last-column-id")
    (schemas, currentSchemaID) = try Self.schemas(root, version)
    (partitionSpecs, defaultSpecID) = try Self.specs(root, version)
    let highest = partitionSpecs.flatMap(\.fields).map(\.fieldID).max() ?? PartitionSpec.firstFieldID - 1
    lastPartitionID = version == 1 ? try root.int32(ifPresent: "last-partition-id") ?? highest : try root.int32("last-partition-id")
    (sortOrders, defaultSortOrderID) = try Self.orders(root, version)
    nextRowID = version >= 3 ? try root.int64("next-row-id") : nil
    encryptionKeys =
      version >= 3 ? try root.objects("encryption-keys") { key throws(TableMetadataError) in try EncryptedKey(key) } : []
    snapshots = try root.objects("snapshots") { snapshot throws(TableMetadataError) in
      try Snapshot(snapshot, formatVersion: version)
    }
    var references: [SnapshotReference] = []
    for (name, members) in try root.namedObjects("refs") { references.append(try SnapshotReference(name: name, members)) }
    self.references = references
    statistics = try root.objects("statistics") { file throws(TableMetadataError) in try StatisticsFile(file, hasBlobs: true) }
    partitionStatistics = try root.objects("partition-statistics") { file throws(TableMetadataError) in
      try StatisticsFile(file, hasBlobs: false)
    }
    snapshotLog = try root.objects("snapshot-log") { entry throws(TableMetadataError) in
      SnapshotLogEntry(timestampMs: try entry.int64("timestamp-ms"), snapshotID: try entry.int64("snapshot-id"))
    }
    try checkDocument(root)
  }

  // MARK: Lists with their current one

  private static func schemas(_ root: MetadataMembers, _ version: Int) throws(TableMetadataError) -> ([TableSchema], Int) {
    if version > 1 || root.has("schemas") {
      guard root.has("schemas") else { throw root.missing("schemas") }
      let schemas = try root.objects("schemas") { schema throws(TableMetadataError) in try TableSchema(schema, formatVersion: version) }
      return (schemas, try root.int32("current-schema-id"))
    }
    guard let members = try root.object(ifPresent: "schema") else { throw root.missing("schema") }
    let schema = try TableSchema(members, formatVersion: version)
    return ([schema], schema.id)
  }

  private static func specs(_ root: MetadataMembers, _ version: Int) throws(TableMetadataError) -> ([PartitionSpec], Int) {
    if version > 1 || root.has("partition-specs") {
      guard root.has("partition-specs") else { throw root.missing("partition-specs") }
      let specs = try root.objects("partition-specs") { spec throws(TableMetadataError) in try PartitionSpec(spec) }
      return (specs, try root.int32("default-spec-id"))
    }
    return ([try PartitionSpec(id: 0, fieldsOf: root, named: "partition-spec")], 0)
  }

  private static func orders(_ root: MetadataMembers, _ version: Int) throws(TableMetadataError) -> ([SortOrder], Int) {
    if version > 1 || root.has("sort-orders") {
      guard root.has("sort-orders") else { throw root.missing("sort-orders") }
      let orders = try root.objects("sort-orders") { order throws(TableMetadataError) in try SortOrder(order) }
      return (orders, try root.int32("default-sort-order-id"))
    }
    return ([SortOrder(id: 0, fields: [])], 0)
  }
}
