// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Answers `POST /` by its `X-Amz-Target`: from recorded files first, then from the fixed catalog.
package final class MetastoreService: Sendable {
  private let glue: GlueAnswers
  private let dynamoDB: DynamoDBAnswers
  private let recordings: String?
  private let counts = Mutex<[String: Int]>([:])

  /// - Parameter recordings: a folder of answers, or nil. The n-th request of a target is answered by `<target>.<n>.json` (n from 1), else by
  ///   `<target>.json`; a file whose document has `__type` is sent with status 400.
  package init(fixture: CatalogFixture, dynamoDBTable: String, recordings: String?) {
    glue = GlueAnswers(fixture: fixture)
    dynamoDB = DynamoDBAnswers(fixture: fixture, tableName: dynamoDBTable)
    self.recordings = recordings
  }

  package func answer(_ target: String, _ request: HTTPRequest) -> HTTPResponse {
    let parts = target.split(separator: ".", maxSplits: 1).map(String.init)
    let isGlue = parts.first == "AWSGlue"
    let operation = parts.count == 2 ? parts[1] : target
    let kind = (isGlue ? "Glue." : parts.first?.hasPrefix("DynamoDB") == true ? "DynamoDB." : "Other.") + operation
    let type = isGlue ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0"
    let answer = recorded(target) ?? computed(isGlue, operation, request)
    let fields = [(name: "Content-Type", value: type)]
    return HTTPResponse(status: answer.status, kind: kind, fields: fields, body: .bytes(answer.body))
  }

  /// Starts the recorded sequences again.
  package func reset() {
    counts.withLock { $0 = [:] }
    dynamoDB.reset()
  }

  private func computed(_ isGlue: Bool, _ operation: String, _ request: HTTPRequest) -> (status: Int, body: [UInt8]) {
    guard let document = JSONValue(parsing: request.body) else {
      return (400, JSONValue.object(["__type": .string("SerializationException")]).serialized)
    }
    let answer = isGlue ? glue.answer(operation, document) : dynamoDB.answer(operation, document)
    return (answer.status, answer.document.serialized)
  }

  private func recorded(_ target: String) -> (status: Int, body: [UInt8])? {
    guard let recordings, !target.contains("/") else { return nil }
    let number = counts.withLock { counts in
      counts[target, default: 0] += 1
      return counts[target, default: 0]
    }
    let source = FolderSource(root: recordings)
    for name in ["\(target).\(number).json", "\(target).json"] {
      guard let object = source.open(Array(name.utf8)), case .file(let file) = object.content else { continue }
      let bytes = [UInt8](unsafeUninitializedCapacity: object.facts.size) { buffer, count in
        count = max(0, pread(file.raw, buffer.baseAddress, object.facts.size, 0))
      }
      return (JSONValue(parsing: bytes)?["__type"] == nil ? 200 : 400, bytes)
    }
    return nil
  }
}
