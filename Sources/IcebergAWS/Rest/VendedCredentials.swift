// SPDX-License-Identifier: Apache-2.0

import AWSCore
import HTTP
import Telemetry
import WireFormats

/// Where a REST service hands out keys for S3, as properties say. Source: spec/clients.md §4, spec/properties.md §3.
struct VendedCredentialsProperties: Sendable {
  /// The catalog's properties, with those of `client.credentials-provider.` over them.
  let map: PropertyMap
  let url: RestURL
  let identity: RestAuthProperties
  /// Keys to begin with, where all four properties give them.
  let initial: AWSCredentials?

  /// - Parameter endpoint: `client.refresh-credentials-endpoint`, which goes before `credentials.uri`.
  init(_ properties: [String: String], endpoint: String?) throws(PropertyError) {
    var all = properties
    for (key, value) in PropertyMap(properties).prefixed("client.credentials-provider.") { all[key] = value }
    let map = PropertyMap(all)
    let endpointKey = endpoint == nil ? "credentials.uri" : "client.refresh-credentials-endpoint"
    guard let path = endpoint ?? map.nonEmpty(endpointKey) else {
      throw PropertyError(key: endpointKey, message: "Invalid credentials endpoint: null: set credentials.uri")
    }
    guard let base = map.nonEmpty("uri") else {
      throw PropertyError(key: "uri", message: "Invalid catalog endpoint: null: \(endpointKey) needs uri")
    }
    do throws(RestURL.Fault) {
      var url = try RestURL(RestURL.resolve(path, on: base))
      if let plan = map.nonEmpty("rest-scan-plan-id") {
        url.target += "\(url.target.contains("?") ? "&" : "?")planId=\(PercentEncoding.query(plan))"
      }
      self.url = url
    } catch {
      throw PropertyError(key: endpointKey, message: "the address that vends credentials cannot be used: \(error.reason)")
    }
    self.map = map
    identity = try RestAuthProperties(map, base: base, scope: "catalog")
    initial = try Self.initial(map)
  }

  private static func initial(_ map: PropertyMap) throws(PropertyError) -> AWSCredentials? {
    let end = try map.integer(VendedCredentials.expirationKey, in: Int64.min...Int64.max)
    guard let end, let id = map.nonEmpty(S3FileIOProperties.accessKeyIDKey),
      let secret = map.nonEmpty(S3FileIOProperties.secretAccessKeyKey), let token = map.nonEmpty(S3FileIOProperties.sessionTokenKey)
    else { return nil }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: Secret(secret), sessionToken: Secret(token), expiration: Double(end) / 1000,
      source: "property \(S3FileIOProperties.accessKeyIDKey)")
  }
}

/// Asks a REST service for keys; what Iceberg calls `VendedCredentialsProvider`. Source: spec/clients.md §4.
struct VendedCredentials: Sendable {
  static let expirationKey = "s3.session-token-expires-at-ms"
  private static let operation = "Credentials.Load"

  let properties: VendedCredentialsProperties
  let client: RestClient
  let identity: any RestAuthenticator

  init(_ properties: VendedCredentialsProperties, client: RestClient, identity: any RestAuthenticator) {
    self.properties = properties
    self.client = client
    self.identity = identity
  }

  private var service: String { "the credential service at \(properties.url.place)" }

  /// Keeps the keys, and asks for others five minutes before their end.
  func provider() -> any AWSCredentialsProvider {
    // Keys that end within five minutes are not worth beginning with.
    let initial = properties.initial.flatMap { keys in
      (keys.expiration ?? 0) - client.clock.wallSeconds() >= RefreshingCredentialsProvider.Window.vendedPrefetch ? keys : nil
    }
    return RefreshingCredentialsProvider(
      name: "vended credentials (\(properties.url.place))", window: .vended, initial: initial, clock: client.clock, logger: client.logger
    ) { () throws(AWSError) in
      try await load()
    }
  }

  private func load() async throws(AWSError) -> AWSCredentials {
    let request = RestRequest(
      operation: Self.operation, service: service, method: "GET", url: properties.url,
      headers: [("Accept", "application/json"), ("X-Client-Version", client.userAgent)], deadline: .seconds(30))
    let response = try await client.send(request, as: identity)
    func malformed(_ reason: String) -> AWSError {
      RestError.malformed(reason, service: service, operation: Self.operation, status: response.status)
    }
    guard let root = try? JSONDocument(parsing: response.body).root, root.kind == .object else {
      throw malformed("it is not a JSON object")
    }
    let entries = root["storage-credentials"]?.elements.filter { $0["prefix"]?.string?.hasPrefix("s3") == true } ?? []
    guard let entry = entries.first else { throw malformed("Invalid S3 Credentials: empty") }
    guard entries.count == 1 else { throw malformed("Invalid S3 Credentials: only one S3 credential should exist") }
    func value(_ key: String) throws(AWSError) -> String {
      guard let text = entry["config"]?[key]?.string, !text.isEmpty else { throw malformed("Invalid S3 Credentials: \(key) not set") }
      return text
    }
    let id = try value(S3FileIOProperties.accessKeyIDKey)
    let secret = try value(S3FileIOProperties.secretAccessKeyKey)
    let token = try value(S3FileIOProperties.sessionTokenKey)
    guard let end = Int64(try value(Self.expirationKey)) else {
      throw malformed("Invalid S3 Credentials: \(Self.expirationKey) is no number")
    }
    guard RestClientProperties.isHeader("A", id), RestClientProperties.isHeader("A", token) else {
      throw malformed("Invalid S3 Credentials: they hold a character that HTTP does not allow")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: Secret(secret), sessionToken: Secret(token), expiration: Double(end) / 1000, source: service)
  }
}
