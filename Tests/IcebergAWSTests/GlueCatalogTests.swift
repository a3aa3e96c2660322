// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import TestSupport
import Testing
import WireFormats

@Suite("GlueCatalog against recorded answers")
struct GlueCatalogTests {
  private let sales = Namespace(["sales"])

  @Test("1,000 tables in pages of 100 cost ten requests, pointers included")
  func requestsOfALongListing() async throws {
    let sender = ScriptedSender { request, _ in
      let first = Int(request.json?.root["NextToken"]?.string ?? "0") ?? 0
      let tables = (first..<(first + 100)).map { #"{"Name":"t\#($0)","Parameters":\#(icebergParameters($0)),"VersionId":"1"}"# }
      let next = first + 100 < 1000 ? #","NextToken":"\#(first + 100)""# : ""
      return .text(#"{"TableList":[\#(tables.joined(separator: ","))]\#(next)}"#)
    }
    let catalog = catalog(sender)
    var entries: [TableEntry] = []
    var token: String?
    repeat {
      let page = try await catalog.listTables(in: sales, after: token)
      entries += page.entries
      token = page.next
    } while token != nil
    #expect(entries.map(\.identifier.name) == (0..<1000).map { "t\($0)" })
    #expect(entries.last?.metadataLocation == "s3://b/999.metadata.json")
    #expect(sender.requests.count == 10)
  }

  @Test("A page with nothing to show still leads to the next")
  func emptyPage() async throws {
    let sender = ScriptedSender([.text(#"{"TableList":[{"Name":"hive","Parameters":{}}],"NextToken":"n"}"#)])
    let page = try await catalog(sender).listTables(in: sales, after: nil)
    #expect(page.entries.isEmpty)
    #expect(page.next == "n")
  }

  @Test(
    "Only entries marked iceberg, in any letters, with a pointer are tables",
    arguments: [
      (#"{"table_type":"ICEBERG","metadata_location":"s3://b/m"}"#, true),
      (#"{"table_type":"IceBerg","metadata_location":"s3://b/m"}"#, true),
      (#"{"table_type":"iceberg-view","metadata_location":"s3://b/m"}"#, false), (#"{"metadata_location":"s3://b/m"}"#, false),
      (#"{"table_type":"ICEBERG"}"#, false), (#"{"table_type":"ICEBERG","metadata_location":""}"#, false),
      (#"{"table_type":"ICEBERG","metadata_location":null}"#, false), ("null", false),
    ])
  func tableMark(parameters: String, isTable: Bool) async throws {
    let sender = ScriptedSender([.text(#"{"Table":{"Name":"t","Parameters":\#(parameters),"VersionId":"4","UpdateTime":1.7E9}}"#)])
    let entry = try await catalog(sender).loadTable(TableIdentifier(namespace: sales, name: "t"))
    #expect((entry != nil) == isTable)
    if isTable {
      #expect(entry?.version == "4")
      #expect(entry?.modified == 1_700_000_000_000_000_000)
    }
  }

  @Test("Names that the rules exclude are answered without a request")
  func excludedNames() async throws {
    let sender = ScriptedSender([])
    let catalog = catalog(sender)
    for name in ["", "Upper", "a-b", "a.b", "ü", String(repeating: "n", count: 253)] {
      #expect(try await catalog.loadNamespace(Namespace([name])) == nil)
      #expect(try await catalog.loadTable(TableIdentifier(namespace: Namespace([name]), name: "t")) == nil)
      let error = await #expect(throws: CatalogError.self) { _ = try await catalog.listTables(in: Namespace([name]), after: nil) }
      #expect(error?.code == .namespaceNotFound)
    }
    #expect(try await catalog.loadTable(TableIdentifier(namespace: sales, name: String(repeating: "n", count: 256))) == nil)
    #expect(try await catalog.loadNamespace(Namespace(["a", "b"])) == nil)
    #expect(try await catalog.listNamespaces(under: sales, after: nil).entries.isEmpty)
    #expect(sender.requests.isEmpty)
  }

  @Test("The longest names are 252 bytes of a database and 255 of a table")
  func longestNames() {
    let names = GlueNames(isValidationSkipped: false)
    #expect(names.isDatabase(String(repeating: "n", count: 252)))
    #expect(!names.isDatabase(String(repeating: "n", count: 253)))
    #expect(names.isTable(String(repeating: "n", count: 255)))
    #expect(!names.isTable(String(repeating: "n", count: 256)))
  }

  @Test("With the check of names switched off any name goes through, but levels are never dropped")
  func skippedValidation() async throws {
    let sender = ScriptedSender([.text(#"{"Database":{"Name":"Up-per"}}"#)])
    let catalog = catalog(sender, ["glue.skip-name-validation": "true"])
    #expect(try await catalog.loadNamespace(Namespace(["Up-per"]))?.namespace == Namespace(["Up-per"]))
    #expect(try await catalog.loadNamespace(Namespace(["a", "b"])) == nil)
    #expect(sender.requests.count == 1)
  }

  @Test("What cannot be named is not listed, and said once")
  func hiddenNames() async throws {
    let log = RecordingLog()
    let sender = ScriptedSender([.text(#"{"DatabaseList":[{"Name":"good"},{"Name":"Bad"}]}"#)])
    let catalog = catalog(sender, logger: log.logger)
    for _ in 0..<3 {
      #expect(try await catalog.listNamespaces(under: .root, after: nil).entries.map(\.namespace) == [Namespace(["good"])])
    }
    #expect(log.count == 1)
  }

  @Test("A database's location loses its trailing slash, its description is the comment")
  func databaseProperties() async throws {
    let body = #"{"Database":{"Name":"sales","Description":"d","LocationUri":"s3://b/x//","Parameters":{"owner":"me"},"CreateTime":5}}"#
    let entry = try await catalog(ScriptedSender([.text(body)])).loadNamespace(sales)
    #expect(entry?.properties == ["owner": "me", "location": "s3://b/x", "comment": "d"])
    #expect(entry?.modified == 5_000_000_000)
  }

  @Test("Glue's codes decide what is missing, not the status")
  func missing() async throws {
    let missing = ScriptedSender([.failure(.notFound, code: "EntityNotFoundException", status: 400)])
    #expect(try await catalog(missing).loadNamespace(sales) == nil)
    #expect(try await catalog(missing).loadTable(TableIdentifier(namespace: sales, name: "t")) == nil)
    let error = await #expect(throws: CatalogError.self) { _ = try await catalog(missing).listTables(in: sales, after: nil) }
    #expect(error?.code == .namespaceNotFound)
    #expect(error?.requestID == "request-7")
    let invalid = ScriptedSender([.failure(.badRequest, code: "InvalidInputException", status: 400)])
    #expect(try await catalog(invalid).loadNamespace(sales) == nil)
    await #expect(throws: CatalogError.self) { _ = try await catalog(invalid).loadTable(TableIdentifier(namespace: sales, name: "t")) }
  }

  @Test(
    "Errors of Glue become errors of the catalog, with their request id",
    arguments: [
      (AWSError.Kind.accessDenied, "AccessDeniedException", CatalogError.Code.denied), (.credentials, "ExpiredTokenException", .denied),
      (.throttled, "ThrottlingException", .failed), (.server, "InternalServiceException", .failed), (.timedOut, "timedOut", .timedOut),
      (.network, "refused", .timedOut), (.network, "tls", .failed), (.malformed, "Malformed", .failed),
      (.cancelled, "cancelled", .cancelled),
    ])
  func errors(kind: AWSError.Kind, code: String, expected: CatalogError.Code) async {
    let error = await #expect(throws: CatalogError.self) {
      _ = try await catalog(ScriptedSender([.failure(kind, code: code, status: 400)])).listNamespaces(under: .root, after: nil)
    }
    #expect(error?.code == expected)
    #expect(error?.requestID == "request-7")
    #expect(error?.message.contains(code) == true)
  }

  private func catalog(
    _ sender: ScriptedSender, _ properties: [String: String] = [:], logger: Logger = Logger(label: "test")
  ) -> GlueCatalog {
    GlueCatalog(
      client: GlueClient(sender: sender, catalogID: nil), properties: .with(properties), files: TableFiles(shared: InMemoryFileIO()),
      logger: logger)
  }
}

private func icebergParameters(_ number: Int) -> String {
  #"{"table_type":"ICEBERG","metadata_location":"s3://b/\#(number).metadata.json"}"#
}

extension AwsProperties {
  /// Properties known to be good.
  static func with(_ properties: [String: String]) -> AwsProperties {
    // SAFETY: only called with values that the tests of properties show to be good.
    try! AwsProperties(properties)
  }
}

/// Counts the lines that are logged.
final class RecordingLog: Sendable {
  private let lines = Mutex(0)

  var count: Int { lines.withLock { $0 } }

  var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  private struct Handler: LogHandler {
    let log: RecordingLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      log.lines.withLock { $0 += 1 }
    }
  }
}
