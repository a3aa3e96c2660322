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

/// A Glue or DynamoDB service with entries under several names, which remembers what was done to it.
final class SimulatedCatalog: Sendable {
  struct Entry: Equatable {
    var pointer: String
    var previous: String?
    var version: String
    var created: String
    /// Nil for what is no Iceberg table.
    var kind: String? = "ICEBERG"
    /// Of Glue, beside the pointers and the kind.
    var parameters: [String: String] = [:]
  }

  /// A change that a request made; refused ones leave none.
  enum Change: Equatable {
    case created(String), removed(String), renamed, namespaceCreated, namespaceDropped
  }

  private struct State {
    var hasTable = true
    var describes = 0
    var namespaces: [String: String] = [:]
    var entries: [String: Entry] = [:]
    var number = 0
    var changes: [Change] = []
    var tokens: [String: HTTPResponse] = [:]
    var hooks: [(operation: String, number: Int, run: @Sendable (SimulatedCatalog) -> Void)] = []
    var calls: [String: Int] = [:]
    var order: [String] = []
    var commits: [String] = []
  }

  let kind: MetastoreKind
  private let state = Mutex(State())

  /// - Parameter namespaces: there from the start.
  init(_ kind: MetastoreKind, namespaces: [String] = ["db1", "db2"], hasTable: Bool = true) {
    self.kind = kind
    state.withLock { state in
      for name in namespaces { state.namespaces[name] = "n" }
      state.hasTable = hasTable
    }
  }

  /// The entry of a table, `db1.t1`; nil for one that is no Iceberg table.
  func entry(_ name: String) -> Entry? { anyEntry(name).flatMap { $0.kind == nil ? nil : $0 } }
  func anyEntry(_ name: String) -> Entry? { state.withLock { $0.entries[name] } }
  func hasNamespace(_ name: String) -> Bool { state.withLock { $0.namespaces[name] != nil } }
  var hasTable: Bool { state.withLock { $0.hasTable } }
  var changes: [Change] { state.withLock { $0.changes } }
  /// Operations that reached the service, in order.
  var order: [String] { state.withLock { $0.order } }

  /// Makes an entry or moves its pointer, as another client does.
  func set(_ name: String, _ pointer: String, isNew: Bool = false, kind: String? = "ICEBERG") {
    state.withLock { state in
      state.number += 1
      let old = isNew ? nil : state.entries[name]
      state.entries[name] = Entry(
        pointer: pointer, previous: old?.pointer, version: "v\(state.number)", created: old?.created ?? "\(state.number)", kind: kind)
    }
  }

  /// Commits as another client does, if the table is there and has that pointer.
  func commit(_ name: String, from base: String, to pointer: String) {
    guard entry(name)?.pointer == base else { return }
    set(name, pointer)
    state.withLock { $0.commits.append(name) }
  }

  /// Names of tables under which ``commit(_:from:to:)`` was accepted.
  var commits: [String] { state.withLock { $0.commits } }

  func remove(_ name: String) { state.withLock { $0.entries[name] = nil } }

  /// Runs something when an operation reaches the service for the n-th time (from 0), before it is done.
  func before(_ operation: String, _ number: Int, _ run: @escaping @Sendable (SimulatedCatalog) -> Void) {
    state.withLock { $0.hooks.append((operation, number, run)) }
  }

  /// The catalog under test, on this service through a wire with faults.
  func catalog(
    _ properties: [String: String] = [:], _ fault: @escaping @Sendable (_ operation: String, _ number: Int) -> SendFault? = { _, _ in nil }
  ) throws -> (catalog: any WritableCatalog, transport: FaultyTransport) {
    let transport = FaultyTransport(service: { [self] in answer($0, $1) }, fault: fault)
    let clock = SleepingClock()
    let logger = Logger(label: "test")
    let properties = try AwsProperties(properties)
    switch kind {
    case .glue:
      let client = GlueClient(sender: try transport.client(.glue, clock: clock), catalogID: nil)
      return (
        GlueCatalog(client: client, properties: properties, files: TableFiles(shared: InMemoryFileIO()), logger: logger, clock: clock),
        transport
      )
    case .dynamodb:
      let client = DynamoDBClient(sender: try transport.client(.dynamodb, clock: clock))
      return (
        DynamoDbCatalog(client: client, properties: properties, files: TableFiles(shared: InMemoryFileIO()), logger: logger, clock: clock),
        transport
      )
    }
  }

  private func answer(_ operation: String, _ request: HTTPRequest) -> HTTPResponse {
    let due = state.withLock { state in
      let number = state.calls[operation] ?? 0
      state.calls[operation] = number + 1
      state.order.append(operation)
      return state.hooks.filter { $0.operation == operation && $0.number == number }
    }
    for hook in due { hook.run(self) }
    guard let root = try? JSONDocument(parsing: request.body).root else { return FaultyTransport.error(400, "SerializationException") }
    return state.withLock { kind == .glue ? Self.glue(operation, root, &$0) : Self.dynamo(operation, root, &$0) }
  }

  // MARK: Glue

  private static func glue(_ operation: String, _ root: JSONNode, _ state: inout State) -> HTTPResponse {
    let missing = FaultyTransport.error(400, "EntityNotFoundException")
    let database = root["DatabaseName"]?.string ?? root["Name"]?.string ?? root["DatabaseInput"]?["Name"]?.string ?? ""
    if operation != "CreateDatabase", state.namespaces[database] == nil { return missing }
    let name = "\(database).\(root["TableInput"]?["Name"]?.string ?? root["Name"]?.string ?? "")"
    switch operation {
    case "GetDatabase": return json(#"{"Database":{"Name":"\#(database)"}}"#)
    case "CreateDatabase":
      guard state.namespaces[database] == nil else { return FaultyTransport.error(400, "AlreadyExistsException") }
      state.namespaces[database] = "n"
      state.changes.append(.namespaceCreated)
    case "DeleteDatabase":
      state.namespaces[database] = nil
      state.entries = state.entries.filter { !$0.key.hasPrefix("\(database).") }
      state.changes.append(.namespaceDropped)
    case "GetTable":
      guard let entry = state.entries[name] else { return missing }
      var parameters = entry.parameters
      parameters["table_type"] = entry.kind
      if entry.kind != nil { parameters["metadata_location"] = entry.pointer }
      parameters["previous_metadata_location"] = entry.previous
      let members = parameters.sorted { $0.key < $1.key }.map { #""\#($0.key)":"\#($0.value)""# }
      return json(
        #"{"Table":{"Name":"\#(name.dropFirst(database.count + 1))","VersionId":"\#(entry.version)","Retention":7,"#
          + #""Parameters":{\#(members.joined(separator: ","))}}}"#)
    case "UpdateTable":
      guard let entry = state.entries[name] else { return missing }
      guard root["VersionId"]?.string == entry.version else { return FaultyTransport.error(400, "ConcurrentModificationException") }
      // What an update leaves out is gone.
      guard root["TableInput"]?["Retention"]?.int64 == 7, root["SkipArchive"] != nil else {
        return FaultyTransport.error(400, "InvalidInputException")
      }
      var parameters: [String: String] = [:]
      for (key, value) in root["TableInput"]?["Parameters"]?.members.map({ ($0.key, $0.value) }) ?? [] { parameters[key] = value.string }
      state.number += 1
      state.entries[name] = Entry(
        pointer: parameters.removeValue(forKey: "metadata_location") ?? "",
        previous: parameters.removeValue(forKey: "previous_metadata_location"),
        version: "v\(state.number)", created: entry.created, kind: parameters.removeValue(forKey: "table_type"), parameters: parameters)
    case "GetTables":
      let names = state.entries.keys.filter { $0.hasPrefix("\(database).") }.map { #"{"Name":"\#($0.dropFirst(database.count + 1))"}"# }
      return json(#"{"TableList":[\#(names.joined(separator: ","))]}"#)
    case "CreateTable":
      guard state.entries[name] == nil else { return FaultyTransport.error(400, "AlreadyExistsException") }
      state.number += 1
      let pointer = root["TableInput"]?["Parameters"]?["metadata_location"]?.string ?? ""
      state.entries[name] = Entry(pointer: pointer, previous: nil, version: "v\(state.number)", created: "\(state.number)")
      state.changes.append(.created(name))
    case "DeleteTable":
      guard state.entries.removeValue(forKey: name) != nil else { return missing }
      state.changes.append(.removed(name))
    default: return FaultyTransport.error(400, "UnknownOperationException")
    }
    return json("{}")
  }

  // MARK: DynamoDB

  private static func dynamo(_ operation: String, _ root: JSONNode, _ state: inout State) -> HTTPResponse {
    let refused = FaultyTransport.error(400, "ConditionalCheckFailedException")
    if operation == "CreateTable" {
      guard !state.hasTable else { return FaultyTransport.error(400, "ResourceInUseException") }
      state.hasTable = true
      return json("{}")
    }
    guard state.hasTable else { return FaultyTransport.error(400, "ResourceNotFoundException") }
    let key = root["Key"] ?? root["Item"]
    let name = key?["identifier"]?["S"]?.string ?? ""
    let namespace = key?["namespace"]?["S"]?.string ?? ""
    switch operation {
    case "DescribeTable":
      // Two looks find a table that is still being made.
      state.describes += 1
      return json(#"{"Table":{"TableName":"iceberg","TableStatus":"\#(state.describes < 3 ? "CREATING" : "ACTIVE")"}}"#)
    case "GetItem" where name == "NAMESPACE":
      return json(state.namespaces[namespace].map { #"{"Item":{"v":{"S":"\#($0)"}}}"# } ?? "{}")
    case "GetItem": return json(state.entries[name].map { #"{"Item":\#(item($0))}"# } ?? "{}")
    case "PutItem":
      guard state.namespaces[namespace] == nil else { return refused }
      state.namespaces[namespace] = root["Item"]?["v"]?["S"]?.string ?? ""
      state.changes.append(.namespaceCreated)
    case "DeleteItem" where name == "NAMESPACE":
      guard state.namespaces.removeValue(forKey: namespace) != nil else { return refused }
      state.changes.append(.namespaceDropped)
    case "DeleteItem":
      guard state.entries[name]?.version == root["ExpressionAttributeValues"]?[":v"]?["S"]?.string else { return refused }
      state.entries[name] = nil
      state.changes.append(.removed(name))
    case "Query":
      let wanted = root["ExpressionAttributeValues"]?[":ns"]?["S"]?.string ?? ""
      let names = state.entries.keys.filter { $0.hasPrefix("\(wanted).") }
      let items = wanted.hasSuffix(".") ? [] : names.map { #"{"identifier":{"S":"\#($0)"},"namespace":{"S":"\#(wanted)"}}"# }
      return json(#"{"Items":[\#(items.joined(separator: ","))]}"#)
    case "TransactWriteItems":
      let token = root["ClientRequestToken"]?.string ?? ""
      if let known = state.tokens[token] { return known }
      let response = transact(root, &state)
      if response.status == 200 { state.tokens[token] = response }
      return response
    default: return FaultyTransport.error(400, "UnknownOperationException")
    }
    return json("{}")
  }

  private static func transact(_ root: JSONNode, _ state: inout State) -> HTTPResponse {
    let items = root["TransactItems"].map { Array($0.elements) } ?? []
    let (delete, put) = (items.first?["Delete"], items.last?["Put"]?["Item"])
    let source = delete?["Key"]?["identifier"]?["S"]?.string ?? ""
    let target = put?["identifier"]?["S"]?.string ?? ""
    let isSeen = state.entries[source]?.version == delete?["ExpressionAttributeValues"]?[":v"]?["S"]?.string
    guard isSeen, state.entries[target] == nil else {
      let codes = [isSeen, state.entries[target] == nil].map { #"{"Code":"\#($0 ? "None" : "ConditionalCheckFailed")"}"# }
      let body = #"{"__type":"TransactionCanceledException","Message":"no","CancellationReasons":[\#(codes.joined(separator: ","))]}"#
      return HTTPResponse(status: 400, headers: [], body: Array(body.utf8))
    }
    state.entries[source] = nil
    state.entries[target] = Entry(
      pointer: put?["p.metadata_location"]?["S"]?.string ?? "", previous: nil, version: put?["v"]?["S"]?.string ?? "",
      created: put?["created_at"]?["N"]?.string ?? "")
    state.changes.append(.renamed)
    return json("{}")
  }

  private static func item(_ entry: Entry) -> String {
    let previous = entry.previous.map { #","p.previous_metadata_location":{"S":"\#($0)"}"# } ?? ""
    return #"{"v":{"S":"\#(entry.version)"},"created_at":{"N":"\#(entry.created)"},"p.table_type":{"S":"ICEBERG"},"#
      + #""p.metadata_location":{"S":"\#(entry.pointer)"}\#(previous)}"#
  }

  private static func json(_ text: String) -> HTTPResponse {
    HTTPResponse(status: 200, headers: [], body: Array(text.utf8))
  }
}
