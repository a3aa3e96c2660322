// SPDX-License-Identifier: Apache-2.0

/// PUT, multipart uploads and DELETE, in the buckets that may be written.
extension S3Service {
  func write(_ request: HTTPRequest, _ key: [UInt8], _ bucket: Bucket, _ written: WrittenObjects) -> HTTPResponse {
    let upload = request.queryValue("uploadId").map { String(decoding: $0, as: UTF8.self) }
    switch (request.method, upload) {
    case ("PUT", nil): return put(request, key, bucket, written)
    case ("PUT", let upload?): return putPart(request, of: upload, written)
    case ("POST", nil) where request.queryValue("uploads") != nil:
      let id = written.begin(key, metadata: request.metadata)
      return Self.xml(kind: "CREATE_UPLOAD") { xml in
        xml.element("InitiateMultipartUploadResult", namespace: Self.namespace) { xml in
          xml.element("Key", key)
          xml.element("UploadId", id)
        }
      }
    case ("POST", let upload?): return complete(request, key, upload, written)
    case ("DELETE", let upload?):
      written.abort(upload)
      return HTTPResponse(status: 204, kind: "ABORT_UPLOAD", body: .none)
    case ("DELETE", nil):
      written.remove(key)
      return HTTPResponse(status: 204, kind: "DELETE", body: .none)
    default: return Self.refused(request)
    }
  }

  private func put(_ request: HTTPRequest, _ key: [UInt8], _ bucket: Bucket, _ written: WrittenObjects) -> HTTPResponse {
    guard let source = request.copySource else {
      let isNew = request.ifNoneMatch == "*"
      // The older sources hold what nobody wrote.
      let isTaken = isNew && bucket.open(key) != nil
      let etag = isTaken ? nil : written.put(key, .init([request.body]), metadata: request.metadata, isNew: isNew)
      guard let etag else { return Self.exists(kind: "PUT") }
      return HTTPResponse(status: 200, kind: "PUT", fields: [("ETag", etag)], body: .bytes([]))
    }
    // Within one bucket, as clients do that change an object's headers.
    let path = PercentCoding.decode(Array(source.utf8)[...]).split(separator: UInt8(ascii: "/"), maxSplits: 1).map(Array.init)
    guard path.count == 2, let object = bucket.open(path[1]), case .written(let body) = object.content,
      let etag = written.put(key, body, metadata: request.metadata, isNew: false)
    else { return Self.error(404, "NoSuchKey", "The specified key does not exist.", [("Key", key)], kind: "COPY") }
    return Self.xml(kind: "COPY") { xml in
      xml.element("CopyObjectResult", namespace: Self.namespace) { $0.element("ETag", etag) }
    }
  }

  private func putPart(_ request: HTTPRequest, of upload: String, _ written: WrittenObjects) -> HTTPResponse {
    guard request.copySource == nil, let text = request.queryValue("partNumber"), let number = Int(String(decoding: text, as: UTF8.self))
    else { return Self.refused(request) }
    guard let etag = written.addPart(number, of: upload, request.body) else { return Self.noUpload(kind: "PUT_PART") }
    return HTTPResponse(status: 200, kind: "PUT_PART", fields: [("ETag", etag)], body: .bytes([]))
  }

  private func complete(_ request: HTTPRequest, _ key: [UInt8], _ upload: String, _ written: WrittenObjects) -> HTTPResponse {
    switch written.complete(upload, isNew: request.ifNoneMatch == "*") {
    case .noUpload: return Self.noUpload(kind: "COMPLETE_UPLOAD")
    case .exists: return Self.exists(kind: "COMPLETE_UPLOAD")
    case .made(let etag):
      return Self.xml(kind: "COMPLETE_UPLOAD") { xml in
        xml.element("CompleteMultipartUploadResult", namespace: Self.namespace) { xml in
          xml.element("Key", key)
          xml.element("ETag", etag)
        }
      }
    }
  }

  private static func exists(kind: String) -> HTTPResponse {
    let message = "At least one of the pre-conditions you specified did not hold"
    return error(412, "PreconditionFailed", message, [("Condition", Array("If-None-Match".utf8))], kind: kind)
  }

  private static func noUpload(kind: String) -> HTTPResponse {
    error(404, "NoSuchUpload", "The specified upload does not exist.", [], kind: kind)
  }
}
