// SPDX-License-Identifier: Apache-2.0

import Telemetry
import WireFormats

/// A JSON document that holds keys, as endpoints and programs write it.
struct KeyDocument {
  let root: JSONNode
  /// Where it came from, for errors: "the container endpoint http://169.254.170.2".
  let origin: String

  init(_ bytes: [UInt8], origin: String) throws(AWSError) {
    self.origin = origin
    do {
      root = try JSONDocument(parsing: bytes).root
    } catch {
      // The parser's own words tell places, never contents.
      throw .missingCredentials("\(origin) gave no JSON: \(error)")
    }
    guard root.kind == .object else { throw .missingCredentials("\(origin) gave JSON that is no object") }
  }

  func string(_ key: String) -> String? {
    root[key]?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The keys under the member names given; an ISO 8601 time of expiry that cannot be read is an error, since keys would be kept too long.
  func credentials(token: String, source: String) throws(AWSError) -> AWSCredentials {
    guard let key = string("AccessKeyId") else { throw .missingCredentials("\(origin) gave no AccessKeyId") }
    guard let secret = string("SecretAccessKey") else { throw .missingCredentials("\(origin) gave no SecretAccessKey") }
    var expiration: Double?
    if let text = string("Expiration") {
      guard let seconds = Timestamp.seconds(iso8601: text) else {
        throw .missingCredentials("\(origin) gave an Expiration that is no ISO 8601 time")
      }
      expiration = seconds
    }
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret), sessionToken: string(token).map { Secret($0) }, expiration: expiration,
      source: source)
  }
}
