// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization
import TestSupport
import WireFormats

/// A lock table that knows the conditions of locking, keeps every request, and fails where a test says so.
final class LockTableStandIn: AWSRequestSender {
  /// What happens to a request of some operation.
  enum Fault: Sendable {
    /// Done, but the answer is lost and the client's re-send is answered: what a second try of the same request says.
    case doneAndSentAgain
    /// Done, and no answer ever comes.
    case doneWithoutAnswer
    /// Not done, and no answer ever comes.
    case lost
    /// Refused with this code.
    case refused(AWSError.Kind, String)
    /// Waits at the gate, then goes on as usual.
    case held(InMemoryGate)
  }

  private struct State {
    /// Nil while there is no table.
    var items: [String: DynamoDBItem]?
    var status = "ACTIVE"
    var requests: [AWSRequest] = []
    var faults: [String: [Fault?]] = [:]
  }

  private let state: Mutex<State>

  init(hasTable: Bool = true) {
    state = Mutex(State(items: hasTable ? [:] : nil))
  }

  var requests: [AWSRequest] { state.withLock { $0.requests } }
  var operations: [String] { requests.map { String($0.operation.dropFirst("DynamoDB.".utf8.count)) } }

  /// The bodies of the requests of one operation.
  func bodies(_ operation: String) -> [JSONDocument] {
    requests.filter { $0.operation == "DynamoDB.\(operation)" }.compactMap(\.json)
  }

  func item(_ entityID: String) -> DynamoDBItem? { state.withLock { $0.items?[entityID] } }

  func put(_ item: DynamoDBItem) {
    state.withLock { $0.items?[item["entityId"]?.string ?? ""] = item }
  }

  func putLock(_ entityID: String, owner: String, version: String, lease: Int) {
    put([
      "entityId": .string(entityID), "ownerId": .string(owner), "version": .string(version), "leaseDurationMs": .number("\(lease)"),
    ])
  }

  func dropTable() {
    state.withLock { $0.items = nil }
  }

  func setStatus(_ status: String) {
    state.withLock { $0.status = status }
  }

  /// What happens to the next requests of an operation, in turn; nil for nothing special.
  func plan(_ operation: String, _ faults: [Fault?]) {
    state.withLock { $0.faults["DynamoDB.\(operation)"] = faults }
  }

  func send(_ request: AWSRequest, sink: (any HTTPBodySink)?) async throws(AWSError) -> AWSResponse {
    let fault = state.withLock { state -> Fault? in
      state.requests.append(request)
      guard let faults = state.faults[request.operation], !faults.isEmpty else { return nil }
      return state.faults[request.operation]?.removeFirst() ?? nil
    }
    switch fault {
    case nil: return try answer(request)
    case .held(let gate):
      guard await gate.pass() else { throw Self.error(request, .cancelled, "cancelled", isDefinite: false) }
      return try answer(request)
    case .refused(let kind, let code): throw Self.error(request, kind, code)
    case .lost: throw Self.error(request, .network, "reset", isDefinite: false)
    case .doneWithoutAnswer:
      _ = try answer(request)
      throw Self.error(request, .network, "reset", isDefinite: false)
    case .doneAndSentAgain:
      _ = try answer(request)
      do throws(AWSError) {
        return try answer(request)
      } catch {
        var second = error
        second.attempts = 2
        second.isDefinite = false
        throw second
      }
    }
  }

  private func answer(_ request: AWSRequest) throws(AWSError) -> AWSResponse {
    guard let root = request.json?.root else { throw Self.error(request, .badRequest, "SerializationException") }
    let result = state.withLock { state -> Result<JSONValue, AWSError> in
      switch request.operation {
      case "DynamoDB.CreateTable":
        guard state.items == nil else { return .failure(Self.error(request, .badRequest, "ResourceInUseException")) }
        state.items = [:]
        return .success([:])
      case "DynamoDB.DescribeTable" where state.items != nil:
        return .success(["Table": ["TableStatus": .string(state.status)]])
      default: break
      }
      guard var items = state.items else { return .failure(Self.error(request, .notFound, "ResourceNotFoundException")) }
      let entityID = (root["Key"] ?? root["Item"])?["entityId"]?["S"]?.string ?? ""
      let current = items[entityID]
      if request.operation == "DynamoDB.GetItem" {
        return .success(root["Key"].flatMap { _ in current.map { ["Item": Self.json($0)] } } ?? [:])
      }
      guard Self.holds(root, current) else {
        return .failure(Self.error(request, .conditionFailed, "ConditionalCheckFailedException"))
      }
      items[entityID] = root["Item"].map(Self.item)
      state.items = items
      return .success([:])
    }
    return AWSResponse(
      http: HTTPResponse(status: 200, headers: [], body: try result.get().serialized()), requestID: "request", attempts: 1)
  }

  /// The conditions that Iceberg's manager uses, and this project's own one; any other does not hold.
  private static func holds(_ request: JSONNode, _ item: DynamoDBItem?) -> Bool {
    func value(_ name: String) -> String? { request["ExpressionAttributeValues"]?[name]?["S"]?.string }
    let isOwner = item != nil && item?["entityId"]?.string == value(":eid") && item?["ownerId"]?.string == value(":oid")
    let isVersion = item != nil && item?["version"]?.string == value(":vid")
    switch request["ConditionExpression"]?.string {
    case "attribute_not_exists(entityId)": return item == nil
    case "attribute_not_exists(entityId) OR (entityId = :eid AND version = :vid)": return item == nil || isVersion
    case "entityId = :eid AND ownerId = :oid": return isOwner
    case "entityId = :eid AND ownerId = :oid AND version = :vid": return isOwner && isVersion
    default: return false
    }
  }

  private static func item(_ node: JSONNode) -> DynamoDBItem {
    var item: DynamoDBItem = [:]
    for (name, value) in node.members {
      item[name] = value["S"]?.string.map { .string($0) } ?? .number(value["N"]?.string ?? "")
    }
    return item
  }

  private static func json(_ item: DynamoDBItem) -> JSONValue {
    .object(
      JSONMembers(
        item.map { name, value in
          (name, value.string.map { ["S": .string($0)] } ?? ["N": .string("\(value.integer ?? 0)")])
        }))
  }

  private static func error(_ request: AWSRequest, _ kind: AWSError.Kind, _ code: String, isDefinite: Bool = true) -> AWSError {
    AWSError(
      kind: kind, code: code, message: "said the stand-in", operation: request.operation, status: isDefinite ? 400 : 0,
      isDefinite: isDefinite)
  }
}

/// A manager on a stand-in, with a clock that stands still and versions that are counted.
struct LockBench: Sendable {
  let table: LockTableStandIn
  let clock: VirtualLockClock
  let manager: DynamoDbLockManager

  init(_ table: LockTableStandIn = LockTableStandIn(), chance: Double = 0, settings: LockSettings = LockSettings()) {
    self.table = table
    let clock = VirtualLockClock(chance: chance)
    self.clock = clock
    let count = Mutex(0)
    manager = DynamoDbLockManager(
      client: DynamoDBClient(sender: table), table: "locks", settings: settings, clock: clock, logger: Logger(label: "locks")
    ) {
      count.withLock { count in
        count += 1
        return "version-\(count)"
      }
    }
  }

  func acquire(_ owner: String = "me", within limit: Duration? = nil) async throws(LockError) -> LockLease {
    try await manager.acquire("db.t", ownerID: owner, within: limit)
  }

  func attempt(_ owner: String = "me", within limit: Duration? = nil) -> Task<LockLease, any Error> {
    Task { try await manager.acquire("db.t", ownerID: owner, within: limit) }
  }

  var holder: String? { table.item("db.t")?["ownerId"]?.string }
}
