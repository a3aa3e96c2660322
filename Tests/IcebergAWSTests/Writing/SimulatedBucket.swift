// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Synchronization

/// A bucket with conditional writes and multipart uploads, as far as writing one object needs it.
final class SimulatedBucket: Sendable {
  /// What it makes of the condition that there is no object.
  enum Conditions: Sendable, Hashable {
    case kept, ignored
    /// Answers so, and does nothing.
    case refused(Int, String)
  }

  struct Object {
    var bytes: [UInt8]
    var mark: String?
    var etag: String
  }

  private struct Upload {
    var mark: String?
    var parts: [Int: [UInt8]] = [:]
  }

  private struct State {
    var objects: [String: Object] = [:]
    var uploads: [String: Upload] = [:]
    var number = 0
    var writes = 0
    var hooks: [(operation: String, run: @Sendable (SimulatedBucket) -> Void)] = []
  }

  private let state = Mutex(State())
  private let conditions: Conditions

  init(conditions: Conditions = .kept) {
    self.conditions = conditions
  }

  var paths: [String] { state.withLock { $0.objects.keys.sorted() } }
  var uploadsLeft: Int { state.withLock { $0.uploads.count } }
  /// How often an object came to be.
  var writes: Int { state.withLock { $0.writes } }

  func object(_ path: String) -> Object? { state.withLock { $0.objects[path] } }

  /// Puts another writer's object.
  func put(_ path: String, _ bytes: [UInt8], mark: String? = nil) {
    state.withLock { state in
      state.number += 1
      state.objects[path] = Object(bytes: bytes, mark: mark, etag: "\"\(state.number)\"")
    }
  }

  /// Runs something right before the first send of an operation is done.
  func before(_ operation: String, _ run: @escaping @Sendable (SimulatedBucket) -> Void) {
    state.withLock { $0.hooks.append((operation, run)) }
  }

  /// Files on this bucket through a wire with faults.
  func files(
    _ properties: [String: String] = [:], memory: any UploadMemory = UnlimitedUploadMemory(),
    logger: Logger = Logger(label: "test"),
    fault: @escaping @Sendable (_ operation: String, _ number: Int) -> SendFault? = { _, _ in nil }
  ) throws -> (files: S3FileIO, transport: FaultyTransport) {
    let transport = FaultyTransport(service: { [self] in answer($0, $1) }, fault: fault)
    let client = S3Client(sender: try transport.client(.s3, retry: .s3(), clock: SleepingClock()))
    return (S3FileIO(client: client, properties: try S3FileIOProperties(properties), uploadMemory: memory, logger: logger), transport)
  }

  func answer(_ operation: String, _ request: HTTPRequest) -> HTTPResponse {
    let due = state.withLock { state in
      defer { state.hooks.removeAll { $0.operation == operation } }
      return state.hooks.filter { $0.operation == operation }
    }
    for hook in due { hook.run(self) }
    let halves = request.target.split(separator: "?", maxSplits: 1).map(String.init)
    let (path, query) = (halves.first ?? "", Self.query(halves.count > 1 ? halves[1] : ""))
    let response = HTTPResponse(status: 0, headers: request.headers, body: [])
    if case .refused(let status, let code) = conditions, response.header("If-None-Match") != nil { return Self.error(status, code) }
    return state.withLock { state in
      switch operation {
      case "HeadObject":
        guard let object = state.objects[path] else { return Self.error(404, "NotFound", body: false) }
        var headers = [
          ("ETag", object.etag), ("Content-Length", "\(object.bytes.count)"), ("Last-Modified", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ]
        if let mark = object.mark { headers.append(("x-amz-meta-bergfs-upload", mark)) }
        return HTTPResponse(status: 200, headers: headers, body: [])
      case "PutObject":
        return publish(&state, path, request.body, mark: response.header("x-amz-meta-bergfs-upload"), response)
      case "CreateMultipartUpload":
        state.number += 1
        state.uploads["u\(state.number)"] = Upload(mark: response.header("x-amz-meta-bergfs-upload"))
        return Self.xml("<InitiateMultipartUploadResult><UploadId>u\(state.number)</UploadId></InitiateMultipartUploadResult>")
      case "UploadPart", "UploadPartCopy":
        guard let id = query["uploadId"], state.uploads[id] != nil, let number = query["partNumber"].flatMap({ Int($0) }) else {
          return Self.error(404, "NoSuchUpload")
        }
        state.uploads[id]?.parts[number] = request.body
        if operation == "UploadPartCopy" { return Self.xml("<CopyPartResult><ETag>\"p\(number)\"</ETag></CopyPartResult>") }
        return HTTPResponse(status: 200, headers: [("ETag", "\"p\(number)\"")], body: [])
      case "CompleteMultipartUpload":
        guard let id = query["uploadId"], let upload = state.uploads[id] else { return Self.error(404, "NoSuchUpload") }
        let bytes = upload.parts.sorted { $0.key < $1.key }.flatMap(\.value)
        let answer = publish(&state, path, bytes, mark: upload.mark, response)
        guard answer.status == 200, let etag = answer.header("ETag") else { return answer }
        state.uploads[id] = nil
        return Self.xml("<CompleteMultipartUploadResult><ETag>\(etag)</ETag></CompleteMultipartUploadResult>")
      case "AbortMultipartUpload":
        guard let id = query["uploadId"], state.uploads.removeValue(forKey: id) != nil else { return Self.error(404, "NoSuchUpload") }
        return HTTPResponse(status: 204, headers: [], body: [])
      case "DeleteObject":
        if let etag = response.header("If-Match"), state.objects[path]?.etag != etag {
          return Self.error(412, "PreconditionFailed")
        }
        state.objects[path] = nil
        return HTTPResponse(status: 204, headers: [], body: [])
      default: return Self.error(501, "NotImplemented")
      }
    }
  }

  private func publish(
    _ state: inout State, _ path: String, _ bytes: [UInt8], mark: String?, _ request: HTTPResponse
  ) -> HTTPResponse {
    if conditions == .kept, request.header("If-None-Match") == "*", state.objects[path] != nil {
      return Self.error(412, "PreconditionFailed")
    }
    state.number += 1
    state.writes += 1
    let object = Object(bytes: bytes, mark: mark, etag: "\"\(state.number)\"")
    state.objects[path] = object
    return HTTPResponse(status: 200, headers: [("ETag", object.etag), ("Date", "Sun, 22 Nov 2026 10:00:00 GMT")], body: [])
  }

  private static func query(_ text: String) -> [String: String] {
    var items: [String: String] = [:]
    for item in text.split(separator: "&") {
      let halves = item.split(separator: "=", maxSplits: 1).map(String.init)
      if halves.count == 2 { items[halves[0]] = halves[1] }
    }
    return items
  }

  static func xml(_ text: String) -> HTTPResponse {
    HTTPResponse(status: 200, headers: [], body: Array(text.utf8))
  }

  static func error(_ status: Int, _ code: String, body: Bool = true) -> HTTPResponse {
    HTTPResponse(status: status, headers: [], body: body ? Array("<Error><Code>\(code)</Code></Error>".utf8) : [])
  }
}

/// Keeps what it is told.
final class RecordingJournal: WriteJournal {
  private struct State {
    var open: Set<String> = []
    var uploads: [String: String] = [:]
    var begun = 0
  }

  private let state = Mutex(State())

  /// Marks of writes whose end it was not told.
  var open: Set<String> { state.withLock { $0.open } }
  /// Ids of uploads by the mark of their write.
  var uploads: [String: String] { state.withLock { $0.uploads } }
  var begun: Int { state.withLock { $0.begun } }

  func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    state.withLock { state in
      state.begun += 1
      state.open.insert(mark.text)
    }
  }

  func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    state.withLock { $0.uploads[mark.text] = id }
  }

  func didEnd(_ location: ObjectLocation, mark: WriteMark) async {
    state.withLock { state in
      state.open.remove(mark.text)
      state.uploads[mark.text] = nil
    }
  }
}
