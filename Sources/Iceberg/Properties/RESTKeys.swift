// SPDX-License-Identifier: Apache-2.0

/// Keys of REST services: the request signer, its OAuth2, vended credentials. Source: spec/properties.md §6.
package enum RESTKeys {
  package static let definitions = signer + authentication + client + catalogOnly

  private static let tokenTypes = "urn:ietf:params:oauth:token-type:"

  private static let signer: [PropertyDefinition] = [
    PropertyDefinition(
      "s3.signer.uri", default: .described("`uri`"), user: .signer, "Base address of the signer (older key)."),
    PropertyDefinition("s3.signer.endpoint", default: "v1/aws/s3/sign", user: .signer, "Path of the signer (older key)."),
    PropertyDefinition("signer.uri", default: .described("`uri`"), user: .signer, "Base address of the signer."),
    PropertyDefinition("signer.endpoint", default: "v1/aws/s3/sign", user: .signer, "Path of the signer."),
    PropertyDefinition(
      "rest.remote-signing.endpoint", user: .signer, "Path of the signer where `signer.endpoint` is absent."),
    PropertyDefinition("rest.remote-signing.config", secret: true, user: .signer, "JSON settings passed to the signer."),
    PropertyDefinition("rest-scan-plan-id", user: .signer, "Scan plan named to the address that vends credentials."),
    PropertyDefinition("credentials.uri", user: .signer, "Address that vends credentials."),
    PropertyDefinition("header.", prefixOf: "<Name>", secret: true, user: .signer, "Header of REST calls."),
  ]

  private static let authentication: [PropertyDefinition] =
    [
      PropertyDefinition(
        "rest.auth.type", default: .described("`oauth2` if `credential` or `token` is set, else `none`"), user: .signer,
        status: .mapped("`none`, `basic`, `oauth2` or `sigv4`; others are refused"), "Who calls REST services."),
      PropertyDefinition("rest.auth.basic.username", user: .signer, "User of basic authentication."),
      PropertyDefinition("rest.auth.basic.password", secret: true, user: .signer, "Password of basic authentication."),
      PropertyDefinition(
        "rest.sigv4-enabled", type: .boolean, default: "false", user: .signer, "Older form of `rest.auth.type=sigv4`."),
      PropertyDefinition(
        "rest.auth.sigv4.delegate-auth-type", default: "oauth2", user: .signer, "Authentication beside SigV4."),
      PropertyDefinition("token", secret: true, user: .signer, "Bearer token."),
      PropertyDefinition("credential", secret: true, user: .signer, "`id:secret` of the client credentials flow."),
      PropertyDefinition("oauth2-server-uri", default: "v1/oauth/tokens", user: .signer, "Token endpoint."),
      PropertyDefinition(
        "token-expires-in-ms", type: .int64, default: .described("none"), user: .signer,
        "Life of a configured token that does not say when it ends, milliseconds."),
      PropertyDefinition(
        "token-refresh-enabled", type: .boolean, default: "true", user: .signer, "Refresh tokens in time."),
      PropertyDefinition(
        "token-exchange-enabled", type: .boolean, default: "true", user: .signer, "Refresh by token exchange."),
      PropertyDefinition("scope", default: .described("`sign`; `catalog` for vended credentials"), user: .signer, "Scope of the token."),
      PropertyDefinition("audience", user: .signer, "Audience of the token."),
      PropertyDefinition("resource", user: .signer, "Resource of the token."),
    ]
    + ["id_token", "access_token", "jwt", "saml2", "saml1"].map {
      PropertyDefinition(
        tokenTypes + $0, secret: true, user: .signer, status: .notApplicable("sessions of REST catalogs only"), "Token to exchange.")
    }

  private static let client: [PropertyDefinition] = [
    PropertyDefinition(
      "rest.client.max-retries", type: .int32, default: "5", user: .signer, "Retries of REST calls.",
      range: PropertyRange(minimum: 1, sentence: "it must be more than 0")),
    PropertyDefinition(
      "rest.client.max-connections", type: .int32, default: "100", user: .signer, "Connections of the REST pool."),
    PropertyDefinition(
      "rest.client.connections-per-route", type: .int32, default: "100", user: .signer,
      status: .mapped("the smaller of this and `rest.client.max-connections`"), "The same for one host."),
    PropertyDefinition("rest.client.connection-timeout-ms", type: .int64, user: .signer, "Longest time to connect, milliseconds."),
    PropertyDefinition(
      "rest.client.socket-timeout-ms", type: .int32, user: .signer, status: .mapped("less than one byte a second over that time"),
      "Longest silence of a connection, milliseconds."),
    PropertyDefinition("rest.client.proxy.hostname", user: .signer, "Host of the REST proxy."),
    PropertyDefinition("rest.client.proxy.port", type: .int32, user: .signer, "Port of the REST proxy."),
    PropertyDefinition("rest.client.proxy.username", user: .signer, "User at the REST proxy."),
    PropertyDefinition("rest.client.proxy.password", secret: true, user: .signer, "Password at the REST proxy."),
    PropertyDefinition("rest.client.user-agent", default: "bergfs", user: .signer, "User agent of REST calls."),
    PropertyDefinition(
      "rest.client.tls.configurer-impl", user: .signer, status: .notApplicable("a Java class"), "Java class that sets up TLS."),
  ]

  private static let catalogOnly = [
    "snapshot-loading-mode", "rest-metrics-reporting-enabled", "view-endpoints-supported", "rest-page-size", "namespace-separator",
    "scan-planning-mode", "rest-scan-planning.poll-timeout-ms", "rest-table-cache.expire-after-write-ms", "rest-table-cache.max-entries",
    "prefix",
  ].map { PropertyDefinition($0, user: .signer, status: .notApplicable("REST catalogs only"), "Setting of a REST catalog.") }
}
