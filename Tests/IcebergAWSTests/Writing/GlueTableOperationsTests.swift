// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Logging
import TestSupport
import Testing
import WireFormats

@Suite("GlueTableOperations against recorded answers")
struct GlueTableOperationsTests {
  private static let table = TableIdentifier(namespace: Namespace(["db1"]), name: "t1")
  private static let base = "s3://b/db1/t1/metadata/00001-u.metadata.json"
  private static let new = "s3://b/db1/t1/metadata/00002-u.metadata.json"

  private static let entry = #"""
    {"Table":{"Name":"t1","DatabaseName":"db1","TableType":"EXTERNAL_TABLE","Description":"old words","Owner":"hadoop","VersionId":"2",
     "StorageDescriptor":{"Columns":[{"Name":"z","Type":"int","Comment":"kept"},{"Name":"z","Type":"int","Comment":"second"},
      {"Name":"f","Type":"binary"}],"Location":"s3://b/db1/t1"},
     "Parameters":{"table_type":"ICEBERG","metadata_location":"s3://b/db1/t1/metadata/00001-u.metadata.json",
      "previous_metadata_location":"s3://b/db1/t1/metadata/00000-u.metadata.json","write.format.default":"parquet","crawler":"x"}}}
    """#

  private static let metadata = #"""
    {"format-version":2,"location":"s3://b/db1/t1/","current-schema-id":1,"properties":{"comment":"tbl comment","write.data.path":"s3://b/dd"},
     "schemas":[
      {"type":"struct","schema-id":0,"fields":[{"id":1,"name":"id","required":true,"type":"long"},{"id":5,"name":"f","required":false,"type":"fixed[16]"}]},
      {"type":"struct","schema-id":1,"fields":[{"id":1,"name":"id","required":true,"type":"long","doc":"the id"},
       {"id":11,"name":"z","required":false,"type":"int"}]}]}
    """#

  @Test("An UpdateTable is the one that Java sends, with the version and all parameters of the entry")
  func updateBody() async throws {
    let sender = ScriptedSender([.text(Self.entry), .text("{}")])
    let outcome = try await operations(sender).commit(try commit(base: Self.base))
    #expect(outcome == .committed(TableEntry(identifier: Self.table, metadataLocation: Self.new, version: nil, modified: nil)))
    #expect(sender.requests.map(\.operation) == ["Glue.GetTable", "Glue.UpdateTable"])
    let expected = #"""
      {"DatabaseName":"db1","TableInput":{"Name":"t1","Description":"tbl comment",
       "StorageDescriptor":{"Columns":[
         {"Name":"id","Type":"bigint","Comment":"the id","Parameters":{"iceberg.field.id":"1","iceberg.field.optional":"false","iceberg.field.current":"true"}},
         {"Name":"z","Type":"int","Comment":"kept","Parameters":{"iceberg.field.id":"11","iceberg.field.optional":"true","iceberg.field.current":"true"}},
         {"Name":"f","Type":"binary","Parameters":{"iceberg.field.id":"5","iceberg.field.optional":"true","iceberg.field.current":"false"}}],
        "Location":"s3://b/db1/t1","AdditionalLocations":["s3://b/dd"]},
       "TableType":"EXTERNAL_TABLE",
       "Parameters":{"metadata_location":"s3://b/db1/t1/metadata/00002-u.metadata.json",
        "previous_metadata_location":"s3://b/db1/t1/metadata/00001-u.metadata.json","table_type":"ICEBERG",
        "write.format.default":"parquet","crawler":"x"}},
       "SkipArchive":true,"VersionId":"2"}
      """#
    #expect(try canonical(sender.requests[1].body) == canonical(Array(expected.utf8)))
  }

  @Test("A CreateTable has no version, no archive flag, no previous file, and an empty list of further locations")
  func createBody() async throws {
    let sender = ScriptedSender([.failure(.notFound, code: "EntityNotFoundException", status: 400), .text("{}")])
    var commit = try commit(base: nil)
    commit.document.properties = [:]
    commit.document.columns = Array(commit.document.columns.prefix(1))
    _ = try await operations(sender).commit(commit)
    #expect(sender.requests.map(\.operation) == ["Glue.GetTable", "Glue.CreateTable"])
    let expected = #"""
      {"DatabaseName":"db1","TableInput":{"Name":"t1","StorageDescriptor":{"Columns":[
        {"Name":"id","Type":"bigint","Comment":"the id","Parameters":{"iceberg.field.id":"1","iceberg.field.optional":"false","iceberg.field.current":"true"}}],
        "Location":"s3://b/db1/t1","AdditionalLocations":[]},"TableType":"EXTERNAL_TABLE",
       "Parameters":{"metadata_location":"s3://b/db1/t1/metadata/00002-u.metadata.json","table_type":"ICEBERG"}}}
      """#
    #expect(try canonical(sender.requests[1].body) == canonical(Array(expected.utf8)))
  }

  @Test("glue.skip-archive=false is sent, and glue.id goes with every call")
  func properties() async throws {
    let sender = ScriptedSender([.text(Self.entry), .text("{}")])
    _ = try await operations(sender, ["glue.skip-archive": "false"], catalogID: "42").commit(try commit(base: Self.base))
    #expect(sender.requests.last?.json?.root["SkipArchive"]?.bool == false)
    #expect(sender.requests.allSatisfy { $0.json?.root["CatalogId"]?.string == "42" })
  }

  @Test(
    "Every Iceberg type has its Glue name",
    arguments: [
      (#""boolean""#, "boolean"), (#""int""#, "int"), (#""long""#, "bigint"), (#""float""#, "float"), (#""double""#, "double"),
      (#""date""#, "date"), (#""time""#, "string"), (#""string""#, "string"), (#""uuid""#, "string"), (#""timestamp""#, "timestamp"),
      (#""timestamptz""#, "timestamp"), (#""fixed[16]""#, "binary"), (#""binary""#, "binary"), (#""decimal(9, 2)""#, "decimal(9,2)"),
      (#""timestamp_ns""#, "timestamp_nano"), (#""timestamptz_ns""#, "timestamp_nano"), (#""variant""#, "variant"),
      (#""unknown""#, "unknown"),
      (#""geometry(srid:3857)""#, "geometry"), (#""geography(srid:4269, karney)""#, "geography"),
      (#"{"type":"list","element-id":3,"element":"long","element-required":true}"#, "array<bigint>"),
      (
        #"{"type":"map","key-id":3,"key":"string","value-id":4,"value":{"type":"list","element-id":5,"element":"time"}}"#,
        "map<string,array<string>>"
      ),
      (
        #"{"type":"struct","fields":[{"id":3,"name":"Lat","type":"double"},{"id":4,"name":"p","type":{"type":"struct","fields":[]}}]}"#,
        "struct<Lat:double,p:struct<>>"
      ),
    ])
  func types(json: String, glue: String) throws {
    let document = TableDocument(
      try JSONDocument(
        parsing: Array(
          #"{"location":"l","current-schema-id":0,"schemas":[{"schema-id":0,"fields":[{"id":1,"name":"c","type":\#(json)}]}]}"#.utf8)
      ).root)
    let column = try #require(document.columns.first)
    #expect(GlueColumns.type(column.type) == glue)
  }

  @Test("Version 1 metadata has its columns in `schema`, and odd ones are left out")
  func versionOne() throws {
    let text =
      #"{"location":"s3://b/t//","schema":{"fields":[{"id":1,"name":"a","type":"int","required":true},{"name":"no id","type":"int"},7]}}"#
    let document = TableDocument(try JSONDocument(parsing: Array(text.utf8)).root)
    #expect(document.location == "s3://b/t")
    #expect(document.columns == [TableColumn(id: 1, name: "a", isOptional: false, isCurrent: true, type: .primitive("int"))])
  }

  @Test("Display data over Glue's limits is shortened or left out, never a reason to refuse")
  func limits() async throws {
    let sender = ScriptedSender([.text(Self.entry), .text("{}")])
    var commit = try commit(base: Self.base)
    commit.document.properties["comment"] = String(repeating: "é", count: 3000)
    commit.document.columns = [
      TableColumn(
        id: 1, name: "a", isOptional: true, isCurrent: true, type: .primitive("int"), doc: String(repeating: "x", count: 254) + "🧊🧊"),
      TableColumn(id: 2, name: String(repeating: "n", count: 256), isOptional: true, isCurrent: true, type: .primitive("int")),
    ]
    _ = try await operations(sender).commit(commit)
    let input = sender.requests.last?.json?.root["TableInput"]
    #expect(input?["Description"]?.string?.utf16.count == 2048)
    let columns = input?["StorageDescriptor"]?["Columns"].map { Array($0.elements) } ?? []
    #expect(columns.count == 1)
    #expect(columns.first?["Comment"]?.string == String(repeating: "x", count: 254))
  }

  @Test(
    "A definite refusal of the only send is told as it is, without a read-back",
    arguments: [
      (AWSError.Kind.accessDenied, "AccessDeniedException", CatalogError.Code.denied), (.badRequest, "InvalidInputException", .invalid),
      (.badRequest, "ValidationException", .invalid), (.badRequest, "ResourceNumberLimitExceededException", .failed),
    ])
  func refusals(kind: AWSError.Kind, code: String, expected: CatalogError.Code) async throws {
    let sender = ScriptedSender([.text(Self.entry), .failure(kind, code: code, status: 400)])
    let error = await #expect(throws: CatalogError.self) { _ = try await operations(sender).commit(try commit(base: Self.base)) }
    #expect(error?.code == expected)
    #expect(sender.requests.count == 2)
  }

  @Test("A table dropped before the write, or never an Iceberg table, is a conflict")
  func dropped() async throws {
    let gone = ScriptedSender([.text(Self.entry), .failure(.notFound, code: "EntityNotFoundException", status: 400)])
    guard case .conflict = try await operations(gone).commit(try commit(base: Self.base)) else {
      Issue.record("not a conflict")
      return
    }
    let hive = ScriptedSender([.text(#"{"Table":{"Name":"t1","Parameters":{"metadata_location":"\#(Self.base)"},"VersionId":"1"}}"#)])
    guard case .conflict = try await operations(hive).commit(try commit(base: Self.base)) else {
      Issue.record("not a conflict")
      return
    }
    #expect(hive.requests.count == 1)
  }

  @Test("Without a VersionId nothing is written")
  func noVersion() async throws {
    let sender = ScriptedSender([
      .text(#"{"Table":{"Name":"t1","Parameters":{"table_type":"ICEBERG","metadata_location":"\#(Self.base)"}}}"#), .text("{}"),
    ])
    let error = await #expect(throws: CatalogError.self) { _ = try await operations(sender).commit(try commit(base: Self.base)) }
    #expect(error?.code == .failed)
    #expect(sender.requests.count == 1)
  }

  @Test("A rename copies the entry, closes the old one on the version it copied, and drops it; a commit meanwhile takes the new entry back")
  func rename() async throws {
    let target = TableIdentifier(namespace: Namespace(["db2"]), name: "t2")
    let entry = TableEntry(identifier: Self.table, metadataLocation: Self.base, version: "2", modified: nil)
    let moved = Self.entry.split(separator: "00001-u.metadata.json").joined(separator: "00009-u.metadata.json")
    for isMoved in [false, true] {
      let sender = ScriptedSender { request, number in
        switch request.operation {
        case "Glue.GetDatabase": return .text(#"{"Database":{"Name":"db2"}}"#)
        case "Glue.GetTable" where request.json?.root["Name"]?.string == "t2":
          return number == 2 ? .failure(.notFound, code: "EntityNotFoundException", status: 400) : .text(Self.entry)
        case "Glue.GetTable": return .text(isMoved && number > 2 ? moved : Self.entry)
        case "Glue.UpdateTable" where isMoved && request.json?.root["TableInput"]?["Name"]?.string == "t1":
          return .failure(.conditionFailed, code: "ConcurrentModificationException", status: 400)
        default: return .text("{}")
        }
      }
      let catalog = catalog(sender)
      do {
        try await catalog.renameTable(entry, to: target)
        #expect(!isMoved)
      } catch {
        #expect(isMoved && error.code == .conflict)
      }
      let deletes = sender.requests.filter { $0.operation == "Glue.DeleteTable" }.compactMap { $0.json?.root["Name"]?.string }
      #expect(deletes == [isMoved ? "t2" : "t1"])
      if !isMoved { #expect(sender.requests.count == 6) }
      let closing = try #require(sender.requests.first { $0.operation == "Glue.UpdateTable" }?.json?.root)
      #expect(closing["VersionId"]?.string == "2" && closing["SkipArchive"]?.bool == true)
      #expect(
        closing["TableInput"]?["Parameters"]?["metadata_location"] == nil && closing["TableInput"]?["Parameters"]?["table_type"] == nil)
      #expect(closing["TableInput"]?["Parameters"]?["crawler"]?.string == "x")
      let input = sender.requests.first { $0.operation == "Glue.CreateTable" }?.json?.root["TableInput"]
      #expect(input?["Name"]?.string == "t2")
      #expect(input?["Owner"]?.string == "hadoop")
      #expect(input?["Description"]?.string == "old words")
      #expect(input?["Parameters"]?["crawler"]?.string == "x")
      #expect(input?["VersionId"] == nil)
    }
  }

  @Test("A namespace is dropped only after two looks at every page found nothing")
  func dropNamespace() async throws {
    let sender = ScriptedSender { request, _ in
      guard request.operation == "Glue.GetTables" else { return .text("{}") }
      return request.json?.root["NextToken"] == nil ? .text(#"{"TableList":[],"NextToken":"n"}"#) : .text(#"{"TableList":[]}"#)
    }
    try await catalog(sender).dropNamespace(Namespace(["db1"]))
    #expect(sender.requests.map(\.operation) == Array(repeating: "Glue.GetTables", count: 4) + ["Glue.DeleteDatabase"])
    let full = ScriptedSender { request, _ in
      request.json?.root["NextToken"] == nil ? .text(#"{"TableList":[],"NextToken":"n"}"#) : .text(#"{"TableList":[{"Name":"hive"}]}"#)
    }
    let error = await #expect(throws: CatalogError.self) { try await catalog(full).dropNamespace(Namespace(["db1"])) }
    #expect(error?.code == .notEmpty)
    #expect(full.requests.allSatisfy { $0.operation == "Glue.GetTables" })
  }

  @Test("A namespace's comment and location have their own members")
  func createNamespace() async throws {
    let sender = ScriptedSender([.text("{}")])
    try await catalog(sender).createNamespace(
      Namespace(["db1"]), properties: ["comment": "hello", "location": "s3://b/db1/", "owner": "me"])
    let expected = #"{"DatabaseInput":{"Name":"db1","Description":"hello","LocationUri":"s3://b/db1/","Parameters":{"owner":"me"}}}"#
    #expect(sender.requests.first.map { String(decoding: $0.body, as: UTF8.self) } == expected)
    let error = await #expect(throws: CatalogError.self) {
      try await catalog(sender).createNamespace(Namespace(["Bad-Name"]), properties: [:])
    }
    #expect(error?.code == .invalid)
    #expect(sender.requests.count == 1)
  }

  // MARK: parts

  private func commit(base: String?) throws -> TableCommit {
    TableCommit(
      identifier: Self.table,
      base: base.map { TableEntry(identifier: Self.table, metadataLocation: $0, version: "1", modified: nil) },
      metadataLocation: Self.new, document: TableDocument(try JSONDocument(parsing: Array(Self.metadata.utf8)).root))
  }

  private func operations(
    _ sender: ScriptedSender, _ properties: [String: String] = [:], catalogID: String? = nil
  ) -> any TableOperations {
    catalog(sender, properties, catalogID: catalogID).tableOperations
  }

  private func catalog(_ sender: ScriptedSender, _ properties: [String: String] = [:], catalogID: String? = nil) -> GlueCatalog {
    GlueCatalog(
      client: GlueClient(sender: sender, catalogID: catalogID), properties: .with(properties), files: TableFiles(shared: InMemoryFileIO()),
      logger: Logger(label: "test"), clock: SleepingClock())
  }
}

/// JSON with the members of every object sorted: equal for bodies that mean the same.
func canonical(_ bytes: [UInt8]) throws -> String {
  func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let object): .object(JSONMembers(object.members.sorted { $0.key < $1.key }.map { ($0.key, sorted($0.value)) }))
    case .array(let elements): .array(elements.map(sorted))
    default: value
    }
  }
  return String(decoding: sorted(JSONValue(try JSONDocument(parsing: bytes).root)).serialized(pretty: true), as: UTF8.self)
}
