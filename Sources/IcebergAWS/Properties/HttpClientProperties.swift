// SPDX-License-Identifier: Apache-2.0

package import HTTP

/// The `http-client.*` properties. Source: spec/properties.md §5.
package struct HttpClientProperties: Sendable {
  /// What the transport of all clients is made with. Clients with equal configurations share one transport and its connections.
  package var transport: CurlTransportConfiguration
  /// Whether uploads to S3 ask before they send their body.
  package var expectsContinue = false

  /// - Parameter caBundle: PEM file of the authorities to trust; nil for the system's.
  package init(_ properties: [String: String], caBundle: String? = nil) throws(PropertyError) {
    let map = PropertyMap(properties)
    transport = CurlTransportConfiguration(caBundle: caBundle)
    let type = map.nonEmpty("http-client.type") ?? "apache"
    switch type {
    case "apache":
      transport.maxIdle = try map.milliseconds("http-client.apache.connection-max-idle-time-ms") ?? transport.maxIdle
      transport.maxLifetime = try map.milliseconds("http-client.apache.connection-time-to-live-ms") ?? transport.maxLifetime
      transport.maxConnections = Int(
        try map.integer("http-client.apache.max-connections", default: Int64(transport.maxConnections), in: 1...10_000))
      transport.acquisitionTimeout = try map.integer(
        "http-client.apache.connection-acquisition-timeout-ms", in: 1...86_400_000_000
      ).map { .milliseconds($0) }
      expectsContinue = map.bool("http-client.apache.expect-continue-enabled", default: false)
      transport.sendsTCPKeepAlive = map.bool("http-client.apache.tcp-keep-alive-enabled", default: false)
    case "urlconnection": break
    default: throw PropertyError(key: "http-client.type", message: "Unrecognized HTTP client type \(type)")
    }
    // A timeout's key works only for the type of client that it names.
    transport.connectTimeout = try map.milliseconds("http-client.\(type).connection-timeout-ms") ?? transport.connectTimeout
    transport.socketTimeout = try map.milliseconds("http-client.\(type).socket-timeout-ms") ?? transport.socketTimeout
    if let proxy = map.nonEmpty("http-client.proxy-endpoint") {
      transport.proxy = .endpoint(proxy)
    } else if !map.bool("http-client.proxy-use-environment-variable-values", default: true) {
      transport.proxy = .none
    }
  }

  /// Of endpoints on this machine or its link, which no proxy reaches.
  static let link = CurlTransportConfiguration(connectTimeout: .seconds(2), maxConnections: 2, proxy: .none)

  /// The transport of S3, for which PyIceberg has keys of its own.
  package func transport(forS3 properties: S3FileIOProperties) -> CurlTransportConfiguration {
    var s3 = transport
    s3.connectTimeout = properties.connectTimeout ?? s3.connectTimeout
    s3.socketTimeout = properties.requestTimeout ?? s3.socketTimeout
    if let proxy = properties.proxy { s3.proxy = .endpoint(proxy) }
    if let limit = properties.maxConcurrency { s3.maxConnections = min(s3.maxConnections, limit) }
    return s3
  }
}
