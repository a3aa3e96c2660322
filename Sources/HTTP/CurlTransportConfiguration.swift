// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Limits and trust of a ``CurlTransport`` (spec: properties.md §5, clients.md §11).
package struct CurlTransportConfiguration: Sendable, Hashable {
  /// Which proxy requests go through.
  package enum Proxy: Sendable, Hashable {
    /// `http_proxy`, `HTTPS_PROXY`, `NO_PROXY` as libcurl reads them.
    case environment
    case none
    /// `http://host:port` or `https://host:port`.
    case endpoint(String)
  }

  /// Who asks at a proxy, by basic authentication.
  package struct ProxyLogin: Sendable, Hashable {
    package var user: String
    package var password: Secret

    package init(user: String, password: Secret) {
      self.user = user
      self.password = password
    }
  }

  /// Longest time to a connection ready for use, TLS included.
  package var connectTimeout: Duration
  /// A transfer that moves less than a byte a second for that long ends; whole seconds, at least 1. Zero: no limit.
  package var socketTimeout: Duration
  /// Transfers, and with them connections, at one time; further requests wait in order until their deadline.
  package var maxConnections: Int
  /// The longest wait of a request for one of them; nil: until its deadline.
  package var acquisitionTimeout: Duration?
  /// A connection idle for longer is not used again. Zero: libcurl's default (118 s).
  package var maxIdle: Duration
  /// A connection older than that is not used again. Zero: no limit.
  package var maxLifetime: Duration
  package var sendsTCPKeepAlive: Bool
  package var proxy: Proxy
  package var proxyLogin: ProxyLogin?
  /// PEM file of the only authorities to trust; nil: the system's.
  package var caBundle: String?
  /// Whether the server's certificate and name are checked.
  package var verifiesCertificates: Bool
  /// Threads, each with connections of its own; `maxConnections` is shared out among them.
  package var threads: Int

  package init(
    connectTimeout: Duration = .seconds(2), socketTimeout: Duration = .seconds(30), maxConnections: Int = 50,
    acquisitionTimeout: Duration? = nil, maxIdle: Duration = .seconds(60), maxLifetime: Duration = .zero, sendsTCPKeepAlive: Bool = false,
    proxy: Proxy = .environment,
    caBundle: String? = nil, verifiesCertificates: Bool = true, threads: Int = 1
  ) {
    self.connectTimeout = connectTimeout
    self.socketTimeout = socketTimeout
    self.maxConnections = maxConnections
    self.acquisitionTimeout = acquisitionTimeout
    self.maxIdle = maxIdle
    self.maxLifetime = maxLifetime
    self.sendsTCPKeepAlive = sendsTCPKeepAlive
    self.proxy = proxy
    self.caBundle = caBundle
    self.verifiesCertificates = verifiesCertificates
    self.threads = threads
  }
}
