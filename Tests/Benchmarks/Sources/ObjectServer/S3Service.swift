// SPDX-License-Identifier: Apache-2.0

/// Answers S3 requests in path style from buckets. Signatures are not looked at.
package struct S3Service: Sendable {
  static let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
  /// Sub-resources of a bucket or object this server does not have.
  private static let foreignSubresources = ["acl", "tagging", "uploads", "uploadId", "versions", "policy", "lifecycle", "attributes"]

  private let buckets: Buckets

  package init(buckets: Buckets) {
    self.buckets = buckets
  }

  /// The answer to a request, without regard to shaping.
  package func answer(_ request: HTTPRequest) -> HTTPResponse {
    let path = request.path.dropFirst()
    let slash = path.firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
    let name = String(decoding: path[..<slash], as: UTF8.self)
    let key = Array(path[slash...].dropFirst())
    if request.method != "GET" && request.method != "HEAD" {
      guard !key.isEmpty, let bucket = buckets[name], let written = bucket.written else { return S3Service.refused(request) }
      return write(request, key, bucket, written)
    }
    if name.isEmpty { return listBuckets() }
    guard let bucket = buckets[name] else {
      let error = S3Service.error(404, "NoSuchBucket", "The specified bucket does not exist", [("BucketName", Array(name.utf8))])
      return request.method == "HEAD" ? error.withoutBody() : error
    }
    let response = key.isEmpty ? answerBucket(request, name, bucket) : answerObject(request, key, bucket)
    return request.method == "HEAD" ? response.withoutBody() : response
  }

  private func answerBucket(_ request: HTTPRequest, _ name: String, _ bucket: Bucket) -> HTTPResponse {
    let region = (name: "x-amz-bucket-region", value: "us-east-1")
    if request.method == "HEAD" { return HTTPResponse(status: 200, kind: "HEAD_BUCKET", fields: [region], body: .bytes([])) }
    if request.queryValue("location") != nil {
      return S3Service.xml(kind: "GET_BUCKET_LOCATION") { $0.element("LocationConstraint", namespace: S3Service.namespace) { _ in } }
    }
    if request.queryValue("versioning") != nil {
      return S3Service.xml(kind: "GET_BUCKET_VERSIONING") { $0.element("VersioningConfiguration", namespace: S3Service.namespace) { _ in } }
    }
    if S3Service.asksForeignSubresource(request) { return S3Service.refused(request) }
    return ListAnswer(bucketName: name, request: request).response(bucket)
  }

  private func answerObject(_ request: HTTPRequest, _ key: [UInt8], _ bucket: Bucket) -> HTTPResponse {
    let kind = request.method
    if S3Service.asksForeignSubresource(request) { return S3Service.refused(request) }
    guard let object = bucket.open(key) else {
      return S3Service.error(404, "NoSuchKey", "The specified key does not exist.", [("Key", key)], kind: kind)
    }
    let facts = object.facts
    if let match = request.ifMatch, !S3Service.lists(match, facts.etag) {
      let message = "At least one of the pre-conditions you specified did not hold"
      return S3Service.error(412, "PreconditionFailed", message, [("Condition", Array("If-Match".utf8))], kind: kind)
    }
    if let match = request.ifNoneMatch, S3Service.lists(match, facts.etag) {
      return HTTPResponse(status: 304, kind: kind, fields: [("ETag", facts.etag)], body: .none)
    }
    var fields = [
      (name: "ETag", value: facts.etag), (name: "Last-Modified", value: Timestamps.http(seconds: facts.modified.seconds)),
      (name: "Accept-Ranges", value: "bytes"),
    ]
    fields += object.metadata
    if object.metadata.isEmpty { fields.append(("Content-Type", "binary/octet-stream")) }
    switch ByteRange(header: request.range, size: facts.size) {
    case .whole:
      return HTTPResponse(status: 200, kind: kind, fields: fields, body: .content(object.content, offset: 0, count: facts.size))
    case .part(let offset, let count):
      fields.append(("Content-Range", "bytes \(offset)-\(offset + count - 1)/\(facts.size)"))
      return HTTPResponse(status: 206, kind: kind, fields: fields, body: .content(object.content, offset: offset, count: count))
    case .unsatisfiable:
      let details = [(name: "ActualObjectSize", value: Array("\(facts.size)".utf8))]
      var error = S3Service.error(416, "InvalidRange", "The requested range is not satisfiable", details, kind: kind)
      error.fields.append(("Content-Range", "bytes */\(facts.size)"))
      return error
    }
  }

  private func listBuckets() -> HTTPResponse {
    S3Service.xml(kind: "LIST_BUCKETS") { xml in
      xml.element("ListAllMyBucketsResult", namespace: S3Service.namespace) { xml in
        xml.element("Owner") { $0.element("ID", "read-server") }
        xml.element("Buckets") { xml in
          for name in buckets.names {
            xml.element("Bucket") { xml in
              xml.element("Name", name)
              xml.element("CreationDate", Timestamps.iso(seconds: 0))
            }
          }
        }
      }
    }
  }

  /// Whether a list of entity tags holds `etag`; `*` is any.
  private static func lists(_ header: String, _ etag: String) -> Bool {
    header.split(separator: ",").contains { item in
      let text = String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      return text == "*" || text == etag || "\"\(text)\"" == etag
    }
  }

  private static func asksForeignSubresource(_ request: HTTPRequest) -> Bool {
    request.query.contains { foreignSubresources.contains($0.name) }
  }

  static func refused(_ request: HTTPRequest) -> HTTPResponse {
    if request.method == "GET" || request.method == "POST" {
      return error(501, "NotImplemented", "A header or query you provided implies functionality that is not implemented", [])
    }
    return error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", [])
  }

  static func xml(status: Int = 200, kind: String, _ content: (inout XMLText) -> Void) -> HTTPResponse {
    var text = XMLText()
    content(&text)
    return HTTPResponse(status: status, kind: kind, fields: [("Content-Type", "application/xml")], body: .bytes(text.bytes))
  }

  static func error(
    _ status: Int, _ code: String, _ message: String, _ details: [(name: String, value: [UInt8])], kind: String = "OTHER"
  ) -> HTTPResponse {
    xml(status: status, kind: kind) { xml in
      xml.element("Error") { xml in
        xml.element("Code", code)
        xml.element("Message", message)
        for detail in details { xml.element(detail.name, detail.value) }
      }
    }
  }
}
