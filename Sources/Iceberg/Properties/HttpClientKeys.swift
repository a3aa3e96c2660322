// SPDX-License-Identifier: Apache-2.0

/// Keys of the HTTP client. Source: spec/properties.md §5.
package enum HttpClientKeys {
  package static let clientType = "http-client.type"
  package static let proxyEndpoint = "http-client.proxy-endpoint"
  package static let proxyUseEnvironmentVariableValues = "http-client.proxy-use-environment-variable-values"
  package static let apachePrefix = "http-client.apache."
  package static let urlConnectionPrefix = "http-client.urlconnection."
  package static let connectionTimeoutMs = "connection-timeout-ms"
  package static let socketTimeoutMs = "socket-timeout-ms"
  package static let apacheConnectionTimeoutMs = apachePrefix + connectionTimeoutMs
  package static let apacheSocketTimeoutMs = apachePrefix + socketTimeoutMs
  package static let apacheConnectionMaxIdleTimeMs = apachePrefix + "connection-max-idle-time-ms"
  package static let apacheConnectionTimeToLiveMs = apachePrefix + "connection-time-to-live-ms"
  package static let apacheMaxConnections = apachePrefix + "max-connections"
  package static let apacheTcpKeepAliveEnabled = apachePrefix + "tcp-keep-alive-enabled"
  package static let urlConnectionConnectionTimeoutMs = urlConnectionPrefix + connectionTimeoutMs
  package static let urlConnectionSocketTimeoutMs = urlConnectionPrefix + socketTimeoutMs

  package static let definitions: [PropertyDefinition] = [
    PropertyDefinition(
      clientType, type: .choice(["apache", "urlconnection", ""], ignoringCase: false), default: "apache", user: .http,
      status: .mapped("libcurl in any case; says which of the two groups below is read"), "HTTP client of the Java SDK.",
      refusal: "Unrecognized HTTP client type %s"),
    PropertyDefinition(proxyEndpoint, type: .endpoint, user: .http, "Proxy for all AWS requests."),
    PropertyDefinition(
      "http-client.proxy-use-system-property-values", type: .boolean, default: "true", user: .http,
      status: .notApplicable("JVM properties"),
      "Proxy from JVM properties."),
    PropertyDefinition(
      proxyUseEnvironmentVariableValues, type: .boolean, default: "true", user: .http, "Proxy from `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`."
    ),
    PropertyDefinition(
      apacheConnectionTimeoutMs, type: .int64, default: "2000", user: .http, "Longest time to connect, milliseconds.", range: natural),
    PropertyDefinition(
      apacheSocketTimeoutMs, type: .int64, default: "30000", user: .http, status: .mapped("less than one byte a second over that time"),
      "Longest silence of a connection, milliseconds.", range: natural),
    PropertyDefinition(
      apachePrefix + "connection-acquisition-timeout-ms", type: .int64, default: .described("as long as the request may take"), user: .http,
      status: .mapped(
        "only if it is set, since requests ahead of a reader on a slow line rightly wait longer than Java's 10000; a request that meets the limit "
          + "has timed out and is sent again as any other"
      ),
      "Longest wait for a pooled connection, milliseconds.",
      range: PropertyRange(minimum: 1, sentence: "the number must be above 0")),
    PropertyDefinition(
      apacheConnectionMaxIdleTimeMs, type: .int64, default: "60000", user: .http, status: .mapped("whole seconds"),
      "Idle connections are closed after this, milliseconds.", range: natural),
    PropertyDefinition(
      apacheConnectionTimeToLiveMs, type: .int64, default: "0", user: .http, status: .mapped("whole seconds; 0 has no limit"),
      "Connections are closed after this, milliseconds.", range: natural),
    PropertyDefinition(
      apachePrefix + "expect-continue-enabled", type: .boolean, default: "false", user: .http,
      status: .mapped(
        "PutObject and UploadPart ask with `Expect: 100-continue` and send their body after the answer, or after a second without one; off by "
          + "default, unlike Java's, since a server that does not answer would cost that second for every part"),
      "Whether uploads wait until the server takes them."),
    PropertyDefinition(
      apacheMaxConnections, type: .int32, default: "50", user: .http, "Connections of the pool.",
      range: PropertyRange(minimum: 1, maximum: 10_000, sentence: "a number from 1 to 10000 is expected")),
    PropertyDefinition(apacheTcpKeepAliveEnabled, type: .boolean, default: "false", user: .http, "TCP keep-alive."),
    PropertyDefinition(
      apachePrefix + "use-idle-connection-reaper-enabled", type: .boolean, default: "true", user: .http,
      status: .notApplicable("libcurl closes idle connections itself"), "Thread that closes idle connections."),
    PropertyDefinition(
      urlConnectionConnectionTimeoutMs, type: .int64, default: "2000", user: .http,
      status: .mapped("read if `http-client.type` is `urlconnection`"),
      "Longest time to connect, milliseconds.", range: natural),
    PropertyDefinition(
      urlConnectionSocketTimeoutMs, type: .int64, default: "30000", user: .http,
      status: .mapped("read if `http-client.type` is `urlconnection`; less than one byte a second over that time"),
      "Longest silence of a connection, milliseconds.", range: natural),
  ]

  private static let natural = PropertyRange(minimum: 0, sentence: "the number must not be negative")
}
