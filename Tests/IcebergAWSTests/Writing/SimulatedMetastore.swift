// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import TestSupport
import WireFormats

enum MetastoreKind: String, CaseIterable, Sendable {
  case glue, dynamodb

  var readOperation: String { self == .glue ? "GetTable" : "GetItem" }
  func writeOperation(creates: Bool) -> String {
    switch (self, creates) {
    case (.glue, true): "CreateTable"
    case (.glue, false): "UpdateTable"
    case (.dynamodb, true): "PutItem"
    case (.dynamodb, false): "UpdateItem"
    }
  }
}

/// One table of a metastore that keeps its guard as the real ones do, and remembers every pointer it ever had.
final class SimulatedMetastore: Sendable {
  struct Entry {
    var pointer: String
    var version: String
  }

  private struct State {
    var entry: Entry?
    var history: [String] = []
    var number = 0
    var hooks: [(operation: String, number: Int, run: @Sendable (SimulatedMetastore) -> Void)] = []
    var calls: [String: Int] = [:]
  }

  static let identifier = TableIdentifier(namespace: Namespace(["db1"]), name: "t1")
  static func location(_ name: String) -> String { "s3://b/db1/t1/metadata/\(name).metadata.json" }

  let kind: MetastoreKind
  let files = InMemoryFileIO(buckets: ["b"])
  private let state = Mutex(State())

  init(_ kind: MetastoreKind, pointer: String?) {
    self.kind = kind
    if let pointer { set(pointer, log: []) }
  }

  /// Every pointer the table had, in order.
  var history: [String] { state.withLock { $0.history } }
  var pointer: String? { state.withLock { $0.entry?.pointer } }

  /// Moves the pointer as another writer does, with a metadata file whose log holds the files before it.
  func set(_ pointer: String, log: [String]? = nil) {
    let before = log ?? history
    let entries = before.map { #"{"timestamp-ms":1,"metadata-file":"\#($0)"}"# }.joined(separator: ",")
    let text =
      #"{"format-version":2,"table-uuid":"u","location":"s3://b/db1/t1","last-updated-ms":1,"properties":{},"metadata-log":[\#(entries)]}"#
    files.put(ObjectLocation(bucket: "b", key: String(pointer.dropFirst("s3://b/".count))), Array(text.utf8))
    state.withLock { state in
      state.number += 1
      state.entry = Entry(pointer: pointer, version: "v\(state.number)")
      state.history.append(pointer)
    }
  }

  /// Moves the guard alone, as a crawler does.
  func touch() {
    state.withLock { state in
      state.number += 1
      state.entry?.version = "v\(state.number)"
    }
  }

  func drop() { state.withLock { $0.entry = nil } }

  /// Runs something when an operation reaches the service for the n-th time (from 0), before it is done.
  func before(_ operation: String, _ number: Int, _ run: @escaping @Sendable (SimulatedMetastore) -> Void) {
    state.withLock { $0.hooks.append((operation, number, run)) }
  }

  func answer(_ operation: String, _ request: HTTPRequest) -> HTTPResponse {
    let due = state.withLock { state in
      let number = state.calls[operation] ?? 0
      state.calls[operation] = number + 1
      return state.hooks.filter { $0.operation == operation && $0.number == number }
    }
    for hook in due { hook.run(self) }
    guard let root = try? JSONDocument(parsing: request.body).root else { return FaultyTransport.error(400, "SerializationException") }
    switch operation {
    case "GetTable":
      guard let entry = state.withLock({ $0.entry }) else { return FaultyTransport.error(400, "EntityNotFoundException") }
      return Self.json(
        #"{"Table":{"Name":"t1","Parameters":{"table_type":"ICEBERG","metadata_location":"\#(entry.pointer)"},"VersionId":"\#(entry.version)"}}"#
      )
    case "GetItem":
      guard let entry = state.withLock({ $0.entry }) else { return Self.json("{}") }
      return Self.json(
        #"{"Item":{"v":{"S":"\#(entry.version)"},"p.metadata_location":{"S":"\#(entry.pointer)"},"p.table_type":{"S":"ICEBERG"}}}"#)
    case "UpdateTable":
      return write(
        root["TableInput"]?["Parameters"]?["metadata_location"]?.string, new: nil, guarded: root["VersionId"]?.string,
        refusal: "ConcurrentModificationException")
    case "UpdateItem":
      let values = root["ExpressionAttributeValues"]
      return write(
        values?[":v0"]?["S"]?.string, new: values?[":uv"]?["S"]?.string, guarded: values?[":v"]?["S"]?.string,
        refusal: "ConditionalCheckFailedException")
    case "CreateTable":
      return write(
        root["TableInput"]?["Parameters"]?["metadata_location"]?.string, new: nil, guarded: nil, refusal: "AlreadyExistsException")
    case "PutItem":
      return write(
        root["Item"]?["p.metadata_location"]?["S"]?.string, new: root["Item"]?["v"]?["S"]?.string, guarded: nil,
        refusal: "ConditionalCheckFailedException")
    default: return FaultyTransport.error(400, "UnknownOperationException")
    }
  }

  /// The operations under test, on this metastore through a wire with faults.
  func operations(
    _ fault: @escaping @Sendable (_ operation: String, _ number: Int) -> SendFault?
  ) throws -> (operations: any TableOperations, transport: FaultyTransport) {
    let transport = FaultyTransport(service: { [self] in answer($0, $1) }, fault: fault)
    let clock = SleepingClock()
    let logger = Logger(label: "test")
    let properties = try AwsProperties(["warehouse": "s3://b"])
    switch kind {
    case .glue:
      let client = GlueClient(sender: try transport.client(.glue, clock: clock), catalogID: nil)
      return (
        GlueCatalog(client: client, properties: properties, files: TableFiles(shared: files), logger: logger, clock: clock).tableOperations,
        transport
      )
    case .dynamodb:
      let client = DynamoDBClient(sender: try transport.client(.dynamodb, clock: clock))
      return (
        DynamoDbCatalog(client: client, properties: properties, files: TableFiles(shared: files), logger: logger, clock: clock)
          .tableOperations, transport
      )
    }
  }

  private func write(_ pointer: String?, new: String?, guarded: String?, refusal: String) -> HTTPResponse {
    guard let pointer else { return FaultyTransport.error(400, "ValidationException") }
    return state.withLock { state in
      guard state.entry?.version == guarded else {
        let isGone = kind == .glue && state.entry == nil
        return FaultyTransport.error(400, isGone ? "EntityNotFoundException" : refusal)
      }
      state.number += 1
      state.entry = Entry(pointer: pointer, version: new ?? "v\(state.number)")
      state.history.append(pointer)
      return Self.json("{}")
    }
  }

  private static func json(_ text: String) -> HTTPResponse {
    HTTPResponse(status: 200, headers: [], body: Array(text.utf8))
  }
}
