// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Testing
import WireFormats

/// What every ``WritableCatalog`` has to do, whatever is behind it.
struct WritableCatalogConformance {
  let catalog: any WritableCatalog
  let files: any WritableFileIO
  /// Names of one run do not meet those of another; the reading suite leaves out what starts so.
  let namespace = Namespace(["writing_\(RandomUUID.text().prefix(8))"])

  func makesAndDropsNamespaces() async throws {
    try await catalog.createNamespace(namespace, properties: ["owner": "ops", "location": "s3://writing/x"])
    let entry = try #require(try await catalog.loadNamespace(namespace))
    #expect(entry.properties["owner"] == "ops" && entry.properties["location"] == "s3://writing/x")
    await expect(.alreadyExists) { try await catalog.createNamespace(namespace, properties: [:]) }
    let made = try await create("t")
    await expect(.notEmpty) { try await catalog.dropNamespace(namespace) }
    try await catalog.dropTable(made.identifier)
    try await catalog.dropNamespace(namespace)
    #expect(try await catalog.loadNamespace(namespace) == nil)
    await expect(.namespaceNotFound) { try await catalog.dropNamespace(namespace) }
    await expect(.invalid) { try await catalog.createNamespace(Namespace([""]), properties: [:]) }
  }

  func checksNamesAndPlacesTables() async throws {
    try catalog.checkNamespaceName(namespace)
    try catalog.checkTableName(identifier("t"))
    await expect(.invalid) { try catalog.checkNamespaceName(Namespace([""])) }
    await expect(.invalid) { try catalog.checkNamespaceName(.root) }
    await expect(.invalid) { try catalog.checkTableName(identifier("")) }
    await expect(.invalid) { try catalog.checkTableName(TableIdentifier(namespace: .root, name: "t")) }
    await expect(.invalid) { _ = try await catalog.defaultLocation(of: identifier("")) }
    await expect(.namespaceNotFound) { _ = try await catalog.defaultLocation(of: identifier("t")) }
    // Once more does no harm.
    for _ in 0..<2 { try await catalog.createIfMissing() }
    try await catalog.createNamespace(namespace, properties: ["location": "s3://writing/place"])
    #expect(try await catalog.defaultLocation(of: identifier("t")) == "s3://writing/place/t")
    try await catalog.dropNamespace(namespace)
    try await catalog.createNamespace(namespace, properties: [:])
    let location = try await catalog.defaultLocation(of: identifier("t"))
    #expect(location.hasPrefix("s3://") && location.hasSuffix("/\(namespace).db/t"))
  }

  func commitsAndRefuses() async throws {
    try await catalog.createNamespace(namespace, properties: [:])
    let table = identifier("t")
    let first = try await create("t")
    #expect(try await catalog.loadTable(table)?.metadataLocation == first.metadataLocation)
    await expect(.alreadyExists) { _ = try await create("t", number: 7) }
    let second = try await ConformanceMetadata.write(table, after: first.metadataLocation, log: [first.metadataLocation], files)
    #expect(await outcome(table, first, second) == .committed)
    #expect(try await catalog.loadTable(table)?.metadataLocation == second)
    // The same again is the same commit; another one on the old base is refused and moves nothing.
    #expect(await outcome(table, first, second) == .committed)
    let rival = try await ConformanceMetadata.write(table, after: first.metadataLocation, log: [first.metadataLocation], files)
    #expect(await outcome(table, first, rival) == .conflict)
    #expect(try await catalog.loadTable(table)?.metadataLocation == second)
    try await catalog.dropTable(table)
    #expect(await outcome(table, first, rival) == .conflict)
    #expect(try await catalog.loadTable(table) == nil)
  }

  func renamesWhatTheCallerSawAndDropsWhatIsThere() async throws {
    try await catalog.createNamespace(namespace, properties: [:])
    let first = try await create("a")
    let table = first.identifier
    let second = try await ConformanceMetadata.write(table, after: first.metadataLocation, log: [first.metadataLocation], files)
    #expect(await outcome(table, first, second) == .committed)
    await expect(.conflict) { try await catalog.renameTable(first, to: identifier("b")) }
    let current = try #require(try await catalog.loadTable(table))
    let other = try await create("taken")
    await expect(.alreadyExists) { try await catalog.renameTable(current, to: other.identifier) }
    await expect(.namespaceNotFound) {
      try await catalog.renameTable(current, to: TableIdentifier(namespace: Namespace(["writing_absent"]), name: "b"))
    }
    #expect(try await catalog.loadTable(table)?.metadataLocation == second)
    try await catalog.renameTable(current, to: identifier("b"))
    #expect(try await catalog.loadTable(table) == nil)
    let renamed = try #require(try await catalog.loadTable(identifier("b")))
    #expect(renamed.metadataLocation == second)
    let third = try await ConformanceMetadata.write(table, after: second, log: [first.metadataLocation, second], files)
    #expect(await outcome(renamed.identifier, renamed, third) == .committed)
    // Whatever was committed since anyone looked.
    try await catalog.dropTable(identifier("b"))
    await expect(.tableNotFound) { try await catalog.dropTable(identifier("b")) }
    await expect(.tableNotFound) { try await catalog.renameTable(renamed, to: identifier("c")) }
  }

  /// Eight writers, each deriving anew after a conflict.
  ///
  /// - Returns: commits tried, accepted, and found in the table's history.
  func losesNoUpdate(writers: Int, commitsEach: Int) async throws -> (attempted: Int, accepted: Int, found: Int) {
    try await catalog.createNamespace(namespace, properties: [:])
    let first = try await create("raced")
    let table = first.identifier
    let (attempted, accepted) = try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
      for _ in 0..<writers {
        group.addTask { try await race(table, commitsEach) }
      }
      return try await group.reduce(into: (0, [String]())) { sum, part in
        sum.0 += part.0
        sum.1 += part.1
      }
    }
    let last = try #require(try await catalog.loadTable(table)).metadataLocation
    // Each file names the one it was made from, and no two the same: one unbroken chain back to the first.
    var chain = [last]
    while let previous = try await ConformanceMetadata.log(of: chain[chain.count - 1], files).last { chain.append(previous) }
    #expect(chain.last == first.metadataLocation)
    #expect(Set(chain).count == chain.count)
    #expect(try await ConformanceMetadata.log(of: last, files) == Array(chain.dropFirst().reversed()))
    #expect(Set(accepted) == Set(chain.dropLast()))
    return (attempted, accepted.count, chain.count - 1)
  }

  private func race(_ table: TableIdentifier, _ commits: Int) async throws -> (Int, [String]) {
    var attempted = 0
    var accepted: [String] = []
    while accepted.count < commits {
      let base = try #require(try await catalog.loadTable(table))
      let log = try await ConformanceMetadata.log(of: base.metadataLocation, files) + [base.metadataLocation]
      let new = try await ConformanceMetadata.write(table, after: base.metadataLocation, log: log, files)
      attempted += 1
      switch await outcome(table, base, new) {
      case .committed: accepted.append(new)
      case .conflict: continue
      case .failed(let why): throw CatalogError(code: .failed, message: why)
      }
    }
    return (attempted, accepted)
  }

  // MARK: parts

  enum Outcome: Hashable {
    case committed, conflict
    case failed(String)
  }

  func identifier(_ name: String) -> TableIdentifier { TableIdentifier(namespace: namespace, name: name) }

  func create(_ name: String, number: Int = 0) async throws -> TableEntry {
    let table = identifier(name)
    let location = try await ConformanceMetadata.write(table, after: nil, log: [], files)
    let commit = TableCommit(
      identifier: table, base: nil, metadataLocation: location, document: try await ConformanceMetadata.document(location, files))
    guard case .committed(let entry) = try await catalog.tableOperations.commit(commit) else {
      throw CatalogError(code: .failed, message: "not created")
    }
    return entry
  }

  func outcome(_ table: TableIdentifier, _ base: TableEntry, _ location: String) async -> Outcome {
    do {
      let commit = TableCommit(
        identifier: table, base: base, metadataLocation: location, document: try await ConformanceMetadata.document(location, files))
      switch try await catalog.tableOperations.commit(commit) {
      case .committed(let entry): return entry.metadataLocation == location ? .committed : .failed("\(entry)")
      case .conflict: return .conflict
      case .unknown(let why): return .failed("unknown: \(why)")
      }
    } catch {
      return .failed("\(error)")
    }
  }

  private func expect(
    _ code: CatalogError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
  ) async {
    let error = await #expect(throws: CatalogError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
  }
}

/// Metadata files that Iceberg takes, with a log.
enum ConformanceMetadata {
  /// Writes a metadata file for a table and returns its location.
  static func write(
    _ table: TableIdentifier, after previous: String?, log: [String], _ files: any WritableFileIO
  ) async throws -> String {
    let location = "s3://writing/\(table.namespace)/\(table.name)"
    let digits = String(log.count)
    let name = "\(String(repeating: "0", count: max(0, 5 - digits.count)) + digits)-\(RandomUUID.text()).metadata.json"
    let place = try files.location("\(location)/metadata/\(name)")
    let time = 1_700_000_000_000 + Int64(log.count)
    let entries = log.enumerated().map { index, file -> JSONValue in
      ["timestamp-ms": .integer(1_700_000_000_000 + Int64(index)), "metadata-file": .string(file)]
    }
    let fields: JSONValue = [
      ["id": 1, "name": "id", "required": true, "type": "long", "doc": "the id"],
      [
        "id": 2, "name": "tags", "required": false,
        "type": ["type": "list", "element-id": 3, "element": "string", "element-required": true],
      ],
    ]
    let uuid = "5f2c9d1e-0000-4000-8000-0000000000aa"
    let document: JSONValue = [
      "format-version": 2, "table-uuid": .string(uuid), "location": .string(location), "last-sequence-number": 0,
      "last-updated-ms": .integer(time), "last-column-id": 3, "current-schema-id": 0,
      "schemas": [["type": "struct", "schema-id": 0, "fields": fields]], "default-spec-id": 0,
      "partition-specs": [["spec-id": 0, "fields": []]], "last-partition-id": 999, "default-sort-order-id": 0,
      "sort-orders": [["order-id": 0, "fields": []]],
      "properties": ["owner": "ops", "comment": "made by a test", "write.metadata.previous-versions-max": "10000"], "refs": [:],
      "snapshots": [], "snapshot-log": [], "metadata-log": .array(entries),
    ]
    _ = try await files.create(place, from: BytesContent(document.serialized()), options: WriteOptions(table: table))
    return "\(place)"
  }

  static func log(of location: String, _ files: any FileIO) async throws -> [String] {
    try TableMetadataHead(parsing: try await read(location, files), fileName: location).metadataLog.map(\.file)
  }

  static func document(_ location: String, _ files: any FileIO) async throws -> TableDocument {
    TableDocument(try JSONDocument(parsing: try await read(location, files)).root)
  }

  static func read(_ location: String, _ files: any FileIO) async throws -> [UInt8] {
    let sink = CollectedBytes()
    _ = try await files.read(try files.location(location), etag: nil, range: 0..<(64 << 20), into: sink)
    return sink.bytes
  }
}
