// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TestSupport
import WireFormats

/// A small AWS account on 127.0.0.1 that a test can break at will: one Glue database, tables in it, and objects. Signatures are not checked.
final class StandInAccount: Sendable {
  /// A request as the services understand it.
  struct Call: Sendable {
    /// `GetTables`, `Query`, `ListObjectsV2`, `GetObject`, `HeadObject`, …
    var operation: String
    /// `bucket/key` of an S3 request; a listing's prefix stands for the key.
    var path: String
    var range: Range<Int>?
    var ifMatch: String?
    /// Whether it asks for a further page.
    var isContinued = false
  }

  /// What a test makes of a request; nil lets it be answered as usual.
  typealias Fault = @Sendable (Call) -> LoopbackServer.Reply?

  struct Object: Sendable {
    var bytes: [UInt8]
    var etag: String
  }

  private struct State {
    var objects: [String: Object] = [:]
    /// Table name → metadata location.
    var pointers: [String: String] = [:]
    var fault: Fault?
    var calls: [Call] = []
    var etagCount = 0
  }

  static let database = "sales"
  static let bucket = "lake"

  private final class Shared: Sendable {
    let state = Mutex(State())
  }

  private let shared: Shared
  let server: LoopbackServer

  init() throws {
    let shared = Shared()
    self.shared = shared
    server = try LoopbackServer { request in
      Self.reply(to: request, shared)
    }
    putTable("orders")
  }

  /// Gives a test an account and ends it after.
  static func with(_ body: (StandInAccount) async throws -> Void) async throws {
    let account = try StandInAccount()
    defer { account.server.stop() }
    try await body(account)
  }

  var endpoint: String { "http://127.0.0.1:\(server.port)" }

  /// A Glue catalog in this account, with few and quick retries.
  var properties: [String: String] {
    [
      "type": "glue", "client.region": "eu-central-1", "client.access-key-id": "AKIDSTANDIN", "client.secret-access-key": "stand-in",
      "glue.endpoint": endpoint, "s3.endpoint": endpoint, "warehouse": "s3://\(Self.bucket)/warehouse",
    ].merging(Self.impatience) { $1 }
  }

  /// Properties with which a silent or failing service is given up within seconds.
  static let impatience = [
    "glue.max-retries": "1", "s3.retry.num-retries": "1", "s3.retry.min-wait-ms": "50", "s3.retry.max-wait-ms": "100",
    "http-client.apache.connection-timeout-ms": "1000", "http-client.apache.socket-timeout-ms": "1000",
  ]

  // MARK: Content

  func put(_ key: String, _ bytes: [UInt8]) {
    shared.state.withLock { state in
      state.etagCount += 1
      state.objects["\(Self.bucket)/\(key)"] = Object(bytes: bytes, etag: "\"etag-\(state.etagCount)\"")
    }
  }

  func remove(_ key: String) {
    _ = shared.state.withLock { $0.objects.removeValue(forKey: "\(Self.bucket)/\(key)") }
  }

  func etag(of key: String) -> String {
    shared.state.withLock { $0.objects["\(Self.bucket)/\(key)"]?.etag ?? "" }
  }

  /// Moves a table's pointer, as another client's commit does.
  func setPointer(_ table: String, _ key: String) {
    shared.state.withLock { $0.pointers[table] = "s3://\(Self.bucket)/\(key)" }
  }

  /// Drops a table from the catalog; its files stay.
  func removeTable(_ name: String) {
    _ = shared.state.withLock { $0.pointers.removeValue(forKey: name) }
  }

  /// A table whose current metadata file is the given bytes, or a good document; nil leaves the pointer without an object.
  func putTable(_ name: String, metadata: [UInt8]?) {
    let key = "warehouse/\(name)/metadata/\(Self.metadataName)"
    shared.state.withLock { $0.pointers[name] = "s3://\(Self.bucket)/\(key)" }
    if let metadata { put(key, metadata) }
    put("warehouse/\(name)/data/part-0.parquet", Array("PAR1 \(name) PAR1".utf8))
  }

  func putTable(_ name: String) {
    putTable(name, metadata: Self.metadata(of: name))
  }

  static let metadataName = "00001-5f0a0c3e-6a0e-4d7b-9a55-0d9b6a0f1c11.metadata.json"

  /// The smallest document that is a table of format version 2.
  static func metadata(of name: String) -> [UInt8] {
    let schema: JSONValue = [
      "type": "struct", "schema-id": 0, "fields": [["id": 1, "name": "id", "required": true, "type": "long"]],
    ]
    let document: JSONValue = [
      "format-version": 2, "table-uuid": "0b9a1d6c-13c8-4f11-8a2c-7d0a8f8f7d01", "location": .string("s3://\(bucket)/warehouse/\(name)"),
      "last-sequence-number": 0, "last-updated-ms": 1_767_225_600_000, "last-column-id": 1, "current-schema-id": 0, "schemas": [schema],
      "default-spec-id": 0, "partition-specs": [["spec-id": 0, "fields": []]], "last-partition-id": 999, "default-sort-order-id": 0,
      "sort-orders": [["order-id": 0, "fields": []]], "properties": ["owner": "sales"], "current-snapshot-id": -1, "refs": [:],
      "snapshots": [], "snapshot-log": [], "metadata-log": [],
    ]
    return document.serialized()
  }

  // MARK: Faults

  func setFault(_ fault: Fault?) {
    shared.state.withLock { $0.fault = fault }
  }

  var calls: [Call] { shared.state.withLock { $0.calls } }

  /// An error answer of S3.
  static func s3Error(_ status: Int, _ code: String, _ message: String = "said the stand-in") -> LoopbackServer.Reply {
    let body = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>\(message)</Message><RequestId>stand-in-42</RequestId></Error>"
    return .answer(
      status: status, headers: [("Content-Type", "application/xml"), ("x-amz-request-id", "stand-in-42")], body: Array(body.utf8))
  }

  /// An error answer of Glue or DynamoDB.
  static func jsonError(_ status: Int, _ type: String, _ message: String = "said the stand-in") -> LoopbackServer.Reply {
    let body: JSONValue = ["__type": .string(type), "message": .string(message)]
    return .answer(
      status: status, headers: [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", "stand-in-42")],
      body: body.serialized())
  }

  // MARK: Answers

  private static func reply(to request: LoopbackServer.Request, _ shared: Shared) -> LoopbackServer.Reply {
    let call = call(of: request)
    let (fault, objects, pointers) = shared.state.withLock { state in
      state.calls.append(call)
      return (state.fault, state.objects, state.pointers)
    }
    if let reply = fault?(call) { return reply }
    if request.header("X-Amz-Target") != nil { return glue(call.operation, request.body, pointers) }
    switch call.operation {
    case "ListObjectsV2": return list(call.path, objects)
    case "HeadBucket": return .answer(headers: [("x-amz-bucket-region", "eu-central-1")])
    default: return object(call, objects, isHead: request.method == "HEAD")
    }
  }

  private static func call(of request: LoopbackServer.Request) -> Call {
    if let target = request.header("X-Amz-Target") {
      let isContinued = (try? JSONDocument(parsing: request.body).root["NextToken"]?.string) != nil
      return Call(operation: String(target.split(separator: ".").last ?? ""), path: "", isContinued: isContinued)
    }
    let parts = request.target.split(separator: "?", maxSplits: 1)
    let path = decoded(String((parts.first ?? "").drop { $0 == "/" }))
    var operation = request.method == "HEAD" ? (path.contains("/") ? "HeadObject" : "HeadBucket") : "GetObject"
    var full = path
    if parts.count > 1, parts[1].contains("list-type=2") {
      operation = "ListObjectsV2"
      let prefix = parts[1].split(separator: "&").first { $0.hasPrefix("prefix=") }?.dropFirst("prefix=".count) ?? ""
      full = path.filter { $0 != "/" } + "/" + decoded(String(prefix))
    }
    let bounds = (request.header("Range") ?? "").drop { !$0.isNumber }.split(separator: "-").compactMap { Int($0) }
    let range: Range<Int>? = bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[0]..<(bounds[1] + 1) : nil
    return Call(
      operation: operation, path: full, range: range, ifMatch: request.header("If-Match"),
      isContinued: request.target.contains("continuation-token="))
  }

  private static func glue(_ operation: String, _ body: [UInt8], _ pointers: [String: String]) -> LoopbackServer.Reply {
    let root = try? JSONDocument(parsing: body).root
    let name = root?["Name"]?.string
    let named = operation == "GetTable" || operation == "GetTables" ? root?["DatabaseName"]?.string : name
    let isKnown = operation == "GetDatabases" || named == database
    let database: JSONValue = ["Name": .string(Self.database)]
    var answer: JSONValue?
    switch operation {
    case "GetDatabases": answer = ["DatabaseList": [database]]
    case "GetDatabase": answer = ["Database": database]
    case "GetTables": answer = ["TableList": .array(pointers.sorted { $0.key < $1.key }.map(table))]
    case "GetTable": answer = name.flatMap { name in pointers[name].map { ["Table": table((name, $0))] } }
    default: break
    }
    guard isKnown, let answer else { return jsonError(400, "EntityNotFoundException", "Entity Not Found") }
    return .answer(
      headers: [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", "stand-in-1")], body: answer.serialized())
  }

  private static func table(_ entry: (key: String, value: String)) -> JSONValue {
    [
      "Name": .string(entry.key), "DatabaseName": .string(database), "TableType": "EXTERNAL_TABLE", "VersionId": "1",
      "UpdateTime": 1_767_225_600, "Parameters": ["table_type": "ICEBERG", "metadata_location": .string(entry.value)],
    ]
  }

  /// One page with the delimiter `/`.
  private static func list(_ path: String, _ objects: [String: Object]) -> LoopbackServer.Reply {
    var xml = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
    var seen: Set<String> = []
    for (name, object) in objects.sorted(by: { $0.key < $1.key }) where name.hasPrefix(path) {
      let rest = name.dropFirst(path.count)
      let key = name.dropFirst(bucket.count + 1)
      if let slash = rest.firstIndex(of: "/") {
        let prefix = key.dropLast(rest.count) + rest[...slash]
        if seen.insert(String(prefix)).inserted { xml += "<CommonPrefixes><Prefix>\(prefix)</Prefix></CommonPrefixes>" }
      } else {
        xml += "<Contents><Key>\(key)</Key><Size>\(object.bytes.count)</Size><ETag>\(object.etag)</ETag>"
        xml += "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
      }
    }
    return .answer(headers: [("Content-Type", "application/xml")], body: Array((xml + "</ListBucketResult>").utf8))
  }

  private static func object(_ call: Call, _ objects: [String: Object], isHead: Bool) -> LoopbackServer.Reply {
    guard let object = objects[call.path] else { return isHead ? .answer(status: 404) : s3Error(404, "NoSuchKey") }
    if let ifMatch = call.ifMatch, ifMatch != object.etag { return isHead ? .answer(status: 412) : s3Error(412, "PreconditionFailed") }
    let headers = [
      ("ETag", object.etag), ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"), ("Accept-Ranges", "bytes"),
      ("x-amz-request-id", "stand-in-1"),
    ]
    if isHead {
      let head = "HTTP/1.1 200 X\r\nContent-Length: \(object.bytes.count)\r\n"
      return .bytes(Array((head + headers.map { "\($0.0): \($0.1)\r\n" }.joined() + "\r\n").utf8))
    }
    guard let range = call.range else { return .answer(headers: headers, body: object.bytes) }
    guard range.lowerBound < object.bytes.count else { return s3Error(416, "InvalidRange") }
    let part = range.clamped(to: 0..<object.bytes.count)
    let place = ("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(object.bytes.count)")
    return .answer(status: 206, headers: headers + [place], body: Array(object.bytes[part]))
  }

  private static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
