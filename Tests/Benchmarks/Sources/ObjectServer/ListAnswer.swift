// SPDX-License-Identifier: Apache-2.0

/// ListObjectsV2 and ListObjects: the query read from a request, and the page written as XML.
struct ListAnswer {
  private let bucketName: String
  private let isVersion2: Bool
  private let encodesNames: Bool
  private let startAfter: [UInt8]?
  private let token: [UInt8]?
  private var query = ListQuery()
  private var isTokenValid = true

  init(bucketName: String, request: HTTPRequest) {
    self.bucketName = bucketName
    isVersion2 = request.queryValue("list-type") == Array("2".utf8)
    encodesNames = request.queryValue("encoding-type") == Array("url".utf8)
    startAfter = request.queryValue(isVersion2 ? "start-after" : "marker")
    token = isVersion2 ? request.queryValue("continuation-token") : nil
    query.prefix = request.queryValue("prefix") ?? []
    query.delimiter = request.queryValue("delimiter") ?? []
    query.after = startAfter ?? []
    if let maximum = request.queryValue("max-keys"), let number = Int(String(decoding: maximum, as: UTF8.self)) {
      query.maxKeys = max(0, min(number, 1000))
    }
    if let token {
      // A token that was given out is the hexadecimal form of the last row's name.
      let after = ListAnswer.decode(token)
      isTokenValid = after != nil
      query.after = after ?? []
    }
  }

  func response(_ bucket: Bucket) -> HTTPResponse {
    guard isTokenValid else {
      return S3Service.error(400, "InvalidArgument", "The continuation token provided is incorrect", [], kind: "LIST")
    }
    let page = ListPage(query, in: bucket)
    return S3Service.xml(kind: "LIST") { xml in
      xml.element("ListBucketResult", namespace: S3Service.namespace) { xml in
        xml.element("Name", bucketName)
        xml.element("Prefix", name(query.prefix))
        if !query.delimiter.isEmpty { xml.element("Delimiter", name(query.delimiter)) }
        xml.element("MaxKeys", "\(query.maxKeys)")
        if encodesNames { xml.element("EncodingType", "url") }
        write(position: page, &xml)
        write(rows: page.rows, &xml)
      }
    }
  }

  private func write(position page: ListPage, _ xml: inout XMLText) {
    xml.element("IsTruncated", page.next == nil ? "false" : "true")
    guard isVersion2 else {
      xml.element("Marker", name(startAfter ?? []))
      // ListObjects tells the marker only when it groups; without a delimiter the client takes the last key.
      if let next = page.next, !query.delimiter.isEmpty { xml.element("NextMarker", name(next)) }
      return
    }
    xml.element("KeyCount", "\(page.rows.count)")
    if let startAfter { xml.element("StartAfter", name(startAfter)) }
    if let token { xml.element("ContinuationToken", token) }
    if let next = page.next { xml.element("NextContinuationToken", ListAnswer.encode(next)) }
  }

  private func write(rows: [ListPage.Row], _ xml: inout XMLText) {
    for case .object(let object) in rows {
      xml.element("Contents") { xml in
        xml.element("Key", name(object.key))
        xml.element("LastModified", Timestamps.iso(seconds: object.facts.modified.seconds))
        xml.element("ETag", object.facts.etag)
        xml.element("Size", "\(object.facts.size)")
        xml.element("StorageClass", "STANDARD")
      }
    }
    for case .commonPrefix(let prefix) in rows {
      xml.element("CommonPrefixes") { $0.element("Prefix", name(prefix)) }
    }
  }

  private func name(_ bytes: [UInt8]) -> [UInt8] {
    encodesNames ? PercentCoding.encode(bytes) : bytes
  }

  private static func encode(_ bytes: [UInt8]) -> String {
    "t" + bytes.map { SyntheticSource.hexadecimal($0) }.joined()
  }

  private static func decode(_ token: [UInt8]) -> [UInt8]? {
    guard token.first == UInt8(ascii: "t"), token.count % 2 == 1 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 1, to: token.count, by: 2) {
      guard let byte = UInt8(String(decoding: token[index...(index + 1)], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
