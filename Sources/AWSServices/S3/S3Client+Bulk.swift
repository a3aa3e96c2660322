// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import HTTP
import WireFormats

/// S3 calls about many keys at once. Source: spec/s3fileio.md §7, §11.
extension S3Client {
  /// The most keys of one DeleteObjects.
  package static let maximumDeletions = 1000

  /// Whether a key can be written into an XML document, and read back from one as it was.
  package static func isKeyForXML(_ key: String) -> Bool {
    key.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0xFFFE && $0.value != 0xFFFF }
  }

  /// DeleteObjects, of any version. A missing object counts as deleted.
  ///
  /// - Parameter keys: 1 to ``maximumDeletions``, all of them ``isKeyForXML(_:)``.
  /// - Returns: the keys that were not deleted, and why.
  package func deleteObjects(bucket: String, keys: [String]) async throws(AWSError) -> [(key: String, error: AWSError)] {
    var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for key in keys { text += "<Object><Key>\(Self.escaped(key))</Key></Object>" }
    let body = Array((text + "</Delete>").utf8)
    var request = AWSRequest(
      operation: "S3.DeleteObjects", method: "POST", bucket: bucket, query: [("delete", nil)],
      headers: [("Content-Type", "application/xml")] + requiredChecksum(of: body, bucket: bucket), body: body)
    request.commonPrefix = Self.commonPrefix(of: keys)
    let response = try await answer(request)
    let root = try RestXMLProtocol.document(of: response, operation: request.operation)
    var refused: [(key: String, error: AWSError)] = []
    for entry in root.all("Error") {
      let (key, code) = (entry["Key"]?.text ?? "", entry["Code"]?.text ?? "")
      if code == "NoSuchKey" { continue }
      let message = entry["Message"]?.text ?? ""
      refused.append(
        (
          key,
          AWSError(
            kind: Self.kind(ofDeletionCode: code), code: code, message: message.isEmpty ? "S3 answered \(code)" : message,
            operation: request.operation, status: response.http.status, requestID: response.requestID, attempts: response.attempts)
        ))
    }
    return refused
  }

  /// What all keys begin with.
  static func commonPrefix(of keys: [String]) -> String {
    guard var common = keys.first.map({ Array($0.utf8) }) else { return "" }
    for key in keys.dropFirst() {
      common.removeLast(common.count - zip(common, key.utf8).prefix { $0 == $1 }.count)
    }
    // A prefix may end within a character, which no text could say.
    while String(validating: common, as: UTF8.self) == nil { common.removeLast() }
    return String(decoding: common, as: UTF8.self)
  }

  /// ListMultipartUploads of exactly one key, all pages.
  package func listMultipartUploads(bucket: String, key: String) async throws(AWSError) -> [S3PendingUpload] {
    var uploads: [S3PendingUpload] = []
    // A directory bucket lists directories only, and in no order.
    let isOrdered = !DirectoryBucketName.isDirectory(bucket)
    let directory = key.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(key[...$0]) } ?? ""
    var marker: (key: String, upload: String)?
    while true {
      var request = AWSRequest(
        operation: "S3.ListMultipartUploads", method: "GET", bucket: bucket,
        query: [("uploads", nil), ("encoding-type", "url"), ("prefix", isOrdered ? key : directory)])
      if let marker { request.query += [("key-marker", marker.key), ("upload-id-marker", marker.upload)] }
      let response = try await answer(request)
      let root = try RestXMLProtocol.document(of: response, operation: request.operation)
      let isEncoded = root["EncodingType"]?.text.lowercased() == "url"
      func decoded(_ text: String) -> String { isEncoded ? PercentEncoding.decode(text, plusIsSpace: true) : text }
      for entry in root.all("Upload") {
        // The prefix finds longer keys, too.
        guard let found = entry["Key"]?.text, decoded(found).utf8.elementsEqual(key.utf8), let id = entry["UploadId"]?.text, !id.isEmpty
        else { continue }
        uploads.append(
          S3PendingUpload(id: id, initiated: entry["Initiated"].flatMap { Timestamp.nanoseconds(iso8601: $0.text) } ?? 0))
      }
      guard root["IsTruncated"]?.text == "true" else { return uploads }
      let next = (key: decoded(root["NextKeyMarker"]?.text ?? ""), upload: root["NextUploadIdMarker"]?.text ?? "")
      if let marker, marker == next { throw .malformed(response, operation: request.operation, "the list of uploads does not go on") }
      // Keys come in order: behind the one asked for there is nothing more.
      if isOrdered, key.utf8.lexicographicallyPrecedes(next.key.utf8) { return uploads }
      guard !next.key.isEmpty else {
        throw .malformed(response, operation: request.operation, "the list of uploads is cut short and gives no way to go on")
      }
      marker = next
    }
  }

  private static func kind(ofDeletionCode code: String) -> AWSError.Kind {
    switch code {
    case "AccessDenied": .accessDenied
    case "InternalError", "ServiceUnavailable": .server
    case "SlowDown": .throttled
    default: .badRequest
    }
  }
}
