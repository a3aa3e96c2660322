// SPDX-License-Identifier: Apache-2.0

/// Keys of REST services: the request signer, its OAuth2, vended credentials. Source: spec/properties.md §6.
package enum RESTKeys {
  package static let definitions = signer + authentication + client + catalogOnly

  private static let feature = PropertyStatus.notYet("remote signing and vended credentials")
  private static let tokenTypes = "urn:ietf:params:oauth:token-type:"

  private static let signer: [PropertyDefinition] = [
    PropertyDefinition(
      "s3.signer.uri", default: .described("`uri`"), user: .signer, status: feature, "Base address of the signer (older key)."),
    PropertyDefinition("s3.signer.endpoint", default: "v1/aws/s3/sign", user: .signer, status: feature, "Path of the signer (older key)."),
    PropertyDefinition("signer.uri", default: .described("`uri`"), user: .signer, status: feature, "Base address of the signer."),
    PropertyDefinition("signer.endpoint", default: "v1/aws/s3/sign", user: .signer, status: feature, "Path of the signer."),
    PropertyDefinition(
      "rest.remote-signing.endpoint", user: .signer, status: feature, "Path of the signer where `signer.endpoint` is absent."),
    PropertyDefinition("rest.remote-signing.config", secret: true, user: .signer, status: feature, "JSON settings passed to the signer."),
    PropertyDefinition("rest-scan-plan-id", user: .signer, status: feature, "Scan plan named to the address that vends credentials."),
    PropertyDefinition("credentials.uri", user: .signer, status: feature, "Address that vends credentials."),
    PropertyDefinition("header.", prefixOf: "<Name>", secret: true, user: .signer, status: feature, "Header of REST calls."),
  ]

  private static let authentication: [PropertyDefinition] =
    [
      PropertyDefinition(
        "rest.auth.type", default: .described("`oauth2` if `credential` or `token` is set, else `none`"), user: .signer, status: feature,
        "`none`, `basic`, `oauth2`, `sigv4`, `google` or a class."),
      PropertyDefinition("rest.auth.basic.username", user: .signer, status: feature, "User of basic authentication."),
      PropertyDefinition("rest.auth.basic.password", secret: true, user: .signer, status: feature, "Password of basic authentication."),
      PropertyDefinition(
        "rest.sigv4-enabled", type: .boolean, default: "false", user: .signer, status: feature, "Older form of `rest.auth.type=sigv4`."),
      PropertyDefinition(
        "rest.auth.sigv4.delegate-auth-type", default: "oauth2", user: .signer, status: feature, "Authentication beside SigV4."),
      PropertyDefinition("token", secret: true, user: .signer, status: feature, "Bearer token."),
      PropertyDefinition("credential", secret: true, user: .signer, status: feature, "`id:secret` of the client credentials flow."),
      PropertyDefinition("oauth2-server-uri", default: "v1/oauth/tokens", user: .signer, status: feature, "Token endpoint."),
      PropertyDefinition(
        "token-expires-in-ms", type: .int64, default: "3600000", user: .signer, status: feature, "Life of a token that does not say it."),
      PropertyDefinition(
        "token-refresh-enabled", type: .boolean, default: "true", user: .signer, status: feature, "Refresh tokens in time."),
      PropertyDefinition(
        "token-exchange-enabled", type: .boolean, default: "true", user: .signer, status: feature, "Refresh by token exchange."),
      PropertyDefinition("scope", default: "sign", user: .signer, status: feature, "Scope of the token."),
      PropertyDefinition("audience", user: .signer, status: feature, "Audience of the token."),
      PropertyDefinition("resource", user: .signer, status: feature, "Resource of the token."),
    ]
    + ["id_token", "access_token", "jwt", "saml2", "saml1"].map {
      PropertyDefinition(tokenTypes + $0, secret: true, user: .signer, status: feature, "Token to exchange.")
    }

  private static let client: [PropertyDefinition] = [
    PropertyDefinition("rest.client.max-retries", type: .int32, default: "5", user: .signer, status: feature, "Retries of REST calls."),
    PropertyDefinition(
      "rest.client.max-connections", type: .int32, default: "100", user: .signer, status: feature, "Connections of the REST pool."),
    PropertyDefinition(
      "rest.client.connections-per-route", type: .int32, default: "100", user: .signer, status: feature, "The same for one host."),
    PropertyDefinition("rest.client.connection-timeout-ms", type: .int64, user: .signer, status: feature, "Longest time to connect."),
    PropertyDefinition("rest.client.socket-timeout-ms", type: .int32, user: .signer, status: feature, "Longest silence of a connection."),
    PropertyDefinition("rest.client.proxy.hostname", user: .signer, status: feature, "Host of the REST proxy."),
    PropertyDefinition("rest.client.proxy.port", type: .int32, user: .signer, status: feature, "Port of the REST proxy."),
    PropertyDefinition("rest.client.proxy.username", user: .signer, status: feature, "User at the REST proxy."),
    PropertyDefinition("rest.client.proxy.password", secret: true, user: .signer, status: feature, "Password at the REST proxy."),
    PropertyDefinition("rest.client.user-agent", user: .signer, status: feature, "User agent of REST calls."),
    PropertyDefinition(
      "rest.client.tls.configurer-impl", user: .signer, status: .notApplicable("a Java class"), "Java class that sets up TLS."),
  ]

  private static let catalogOnly = [
    "snapshot-loading-mode", "rest-metrics-reporting-enabled", "view-endpoints-supported", "rest-page-size", "namespace-separator",
    "scan-planning-mode", "rest-scan-planning.poll-timeout-ms", "rest-table-cache.expire-after-write-ms", "rest-table-cache.max-entries",
    "prefix",
  ].map { PropertyDefinition($0, user: .signer, status: .notApplicable("REST catalogs only"), "Setting of a REST catalog.") }
}
