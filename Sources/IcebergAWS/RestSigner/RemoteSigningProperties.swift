// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Where and how S3 requests are signed by a service, in the spelling of any Iceberg version. Source: spec/remote-signer.md §2.
package struct RemoteSigningProperties: Sendable {
  package var endpoint: RestURL
  /// The address without a path, for relative ones; nil where only an absolute `…endpoint` is set.
  package var base: String?
  /// Headers of the sign call alone.
  package var headers: [(name: String, value: String)] = []
  /// Sent as `properties` of each sign request, sorted.
  package var properties: [(name: String, value: String)] = []
  /// Nobody has named a path, and Iceberg's next version has none for this case.
  package var isPathDefault: Bool

  private static let configurationKey = "rest.remote-signing.config"

  package init(_ map: PropertyMap) throws(PropertyError) {
    base = ["s3.signer.uri", "signer.uri", "uri"].lazy.compactMap { map.nonEmpty($0) }.first
    let pathKey = ["s3.signer.endpoint", "signer.endpoint", "rest.remote-signing.endpoint"].first { map.nonEmpty($0) != nil }
    let path = pathKey.flatMap { map.nonEmpty($0) } ?? "v1/aws/s3/sign"
    isPathDefault = pathKey == nil
    let address = RestURL.resolve(path, on: base)
    guard base != nil || address.hasPrefix("http") else {
      throw PropertyError(
        key: "signer.uri", message: "S3 signer service URI is required: s3.remote-signing-enabled needs signer.uri, s3.signer.uri or uri")
    }
    do throws(RestURL.Fault) {
      endpoint = try RestURL(address)
    } catch {
      throw PropertyError(key: pathKey ?? "signer.uri", message: "the signer's address cannot be used: \(error.reason)")
    }
    try readConfiguration(map)
  }

  private mutating func readConfiguration(_ map: PropertyMap) throws(PropertyError) {
    guard let text = map.nonEmpty(Self.configurationKey) else { return }
    func refused(_ reason: String) -> PropertyError {
      PropertyError(key: Self.configurationKey, message: "\(Self.configurationKey) cannot be used: \(reason)")
    }
    let root: JSONNode
    do throws(JSONError) {
      root = try JSONDocument(parsing: Array(text.utf8), maximumDepth: 20).root
    } catch {
      throw refused("it is not JSON (line \(error.line), column \(error.column))")
    }
    guard root.kind == .object else { throw refused("it is not an object") }
    if let node = root["headers"], !node.isNull {
      for (name, values) in node.members {
        let texts = values.elements.compactMap(\.string)
        guard node.kind == .object, values.kind == .array, texts.count == Array(values.elements).count,
          RestClientProperties.isHeader(name, texts.joined(separator: ", "))
        else { throw refused("headers must be an object of arrays of texts, as in {\"headers\":{\"Name\":[\"value\"]}}") }
        headers.append((name, texts.joined(separator: ", ")))
      }
    }
    if let node = root["properties"], !node.isNull {
      for (name, value) in node.members {
        guard node.kind == .object, let text = value.string else { throw refused("properties must be an object of texts") }
        properties.append((name, text))
      }
    }
    if let wrong = ["headers", "properties"].first(where: { root[$0].map { $0.kind != .object && !$0.isNull } == true }) {
      throw refused("\(wrong) must be an object")
    }
  }
}
