// SPDX-License-Identifier: Apache-2.0

package import HTTP
import Telemetry

/// The `rest.client.*` and `header.*` properties. Source: spec/properties.md §6.
package struct RestClientProperties: Sendable {
  /// Sends after the first.
  package var maxRetries: Int
  package var userAgent: String
  /// Sent with every REST call, in the order of their names. Never to be logged.
  package var headers: [(name: String, value: String)]
  package var transport: CurlTransportConfiguration

  /// - Parameter caBundle: PEM file of the authorities to trust; nil for the system's.
  package init(_ map: PropertyMap, caBundle: String? = nil) throws(PropertyError) {
    let retriesKey = "rest.client.max-retries"
    let retries = try map.integer(retriesKey, default: 5, in: Int64(Int32.min)...Int64(Int32.max))
    guard retries > 0 else { throw PropertyError(key: retriesKey, message: "\(retriesKey)=\(retries): it must be more than 0") }
    maxRetries = Int(retries)
    userAgent = map.nonEmpty("rest.client.user-agent") ?? "bergfs"
    headers = map.prefixed("header.").filter { !$0.key.isEmpty }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    for (name, value) in headers where !Self.isHeader(name, value) {
      throw PropertyError(key: "header.\(name)", message: "header.\(name) holds a character that HTTP does not allow in a header")
    }
    transport = CurlTransportConfiguration(caBundle: caBundle)
    let connections = try map.integer("rest.client.max-connections", default: 100, in: 1...10_000)
    transport.maxConnections = Int(min(connections, try map.integer("rest.client.connections-per-route", default: 100, in: 1...10_000)))
    transport.connectTimeout = try map.milliseconds("rest.client.connection-timeout-ms") ?? transport.connectTimeout
    transport.socketTimeout = try map.milliseconds("rest.client.socket-timeout-ms") ?? transport.socketTimeout
    try setProxy(map)
  }

  /// Only host and port together name a proxy, and only user and password together identify to it.
  private mutating func setProxy(_ map: PropertyMap) throws(PropertyError) {
    let hostKey = "rest.client.proxy.hostname"
    guard let host = map.nonEmpty(hostKey), let port = try map.integer("rest.client.proxy.port", in: 1...65535) else { return }
    guard (try? RestURL("http://\(host):\(port)")) != nil, !host.contains("/") else {
      throw PropertyError(key: hostKey, message: "\(hostKey)=\(host) is not a host name")
    }
    transport.proxy = .endpoint("http://\(host):\(port)")
    guard let user = map.nonEmpty("rest.client.proxy.username"), let password = map.nonEmpty("rest.client.proxy.password") else { return }
    transport.proxyLogin = CurlTransportConfiguration.ProxyLogin(user: user, password: Secret(password))
  }

  static func isHeader(_ name: String, _ value: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
      && value.utf8.allSatisfy { $0 != 0 && $0 != 0x0A && $0 != 0x0D }
  }
}
