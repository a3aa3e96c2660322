// SPDX-License-Identifier: Apache-2.0

import Iceberg
package import Telemetry

/// The `s3.*` properties; those that only writing uses stand in ``S3WriteProperties``. Source: spec/properties.md §4.
package struct S3FileIOProperties: Sendable {
  package static let endpointKey = "s3.endpoint"
  package static let accessKeyIDKey = "s3.access-key-id"
  package static let secretAccessKeyKey = "s3.secret-access-key"
  package static let sessionTokenKey = "s3.session-token"
  package static let remoteSigningKey = "s3.remote-signing-enabled"
  package static let accessGrantsKey = "s3.access-grants.enabled"
  package static let requesterPaysKey = "s3.requester-pays"
  package static let sseTypeKey = "s3.sse.type"
  package static let accessPointsPrefix = "s3.access-points."

  package var endpoint: String?
  /// Nil where it is not set: then the endpoint decides.
  package var isPathStyleAccess: Bool?
  package var isDualStackEnabled: Bool
  package var isAccelerationEnabled: Bool
  /// Nil where it is not set: then environment and profile decide.
  package var isUseArnRegionEnabled: Bool?
  package var isCrossRegionAccessEnabled: Bool
  package var isRemoteSigningEnabled: Bool
  package var isDirectoryBucketListPrefixAsDirectory: Bool
  package var isAccessGrantsEnabled: Bool
  /// Whether the client's own keys are used where there is no grant.
  package var isAccessGrantsFallbackToIAM: Bool
  /// Whether requests say that their sender pays; a key of BergFS, as Iceberg has none.
  package var isRequesterPaying: Bool
  /// What S3's requests name as their sender.
  package var userAgent: String
  /// S3 connections at a time; nil: as many as the HTTP client has.
  package var maxConcurrency: Int?
  /// Bucket names and what stands for them in requests.
  package var accessPoints: [String: String]
  /// Both of the static keys, or neither.
  package var staticKeys: StaticKeys?
  /// Retries after the first send.
  package var retries: Int
  package var retryMinWait: Duration
  package var retryMaxWait: Duration
  /// What GetObject and HeadObject carry for `s3.sse.type=custom`, keys verbatim. Never to be logged.
  package var encryptionHeaders: [(name: String, value: String)]
  package var write: S3WriteProperties
  /// PyIceberg's keys.
  package var region: String?
  package var isAnonymous: Bool
  package var profileName: String?
  package var roleARN: String?
  package var roleSessionName: String?
  package var proxy: String?
  package var connectTimeout: Duration?
  package var requestTimeout: Duration?

  package init(_ properties: [String: String]) throws(PropertyError) {
    let map = PropertyMap(properties)
    endpoint = map.nonEmpty(Self.endpointKey)
    isPathStyleAccess = map.string("s3.path-style-access") == nil ? nil : map.bool("s3.path-style-access", default: false)
    isDualStackEnabled = map.bool("s3.dualstack-enabled", default: false)
    isAccelerationEnabled = map.bool("s3.acceleration-enabled", default: false)
    isUseArnRegionEnabled = map.string("s3.use-arn-region-enabled") == nil ? nil : map.bool("s3.use-arn-region-enabled", default: false)
    isCrossRegionAccessEnabled = map.bool("s3.cross-region-access-enabled", default: false)
    isRemoteSigningEnabled = map.bool(Self.remoteSigningKey, default: false)
    isDirectoryBucketListPrefixAsDirectory = map.bool("s3.directory-bucket.list-prefix-as-directory", default: true)
    isAccessGrantsEnabled = map.bool(Self.accessGrantsKey, default: false)
    isAccessGrantsFallbackToIAM = map.bool("s3.access-grants.fallback-to-iam", default: false)
    isRequesterPaying = map.bool(Self.requesterPaysKey, default: false)
    userAgent = try Self.userAgent(map)
    maxConcurrency = try map.integer("s3.crt.max-concurrency", in: 1...10_000).map { Int($0) }
    accessPoints = map.prefixed(Self.accessPointsPrefix).filter { !$0.value.isEmpty }
    guard (map.string(Self.accessKeyIDKey) == nil) == (map.string(Self.secretAccessKeyKey) == nil) else {
      throw PropertyError(
        key: Self.accessKeyIDKey, message: "S3 client access key ID and secret access key must be set at the same time")
    }
    staticKeys = StaticKeys(map, prefix: "s3")
    retries = Int(try map.integer("s3.retry.num-retries", default: 5, in: 0...1000))
    retryMinWait = try map.milliseconds("s3.retry.min-wait-ms") ?? .milliseconds(2000)
    retryMaxWait = try map.milliseconds("s3.retry.max-wait-ms") ?? .milliseconds(20_000)
    encryptionHeaders = try Self.encryptionHeaders(map)
    write = try S3WriteProperties(map)
    region = map.nonEmpty("s3.region")
    isAnonymous = map.bool("s3.anonymous", default: false)
    profileName = map.nonEmpty("s3.profile-name")
    roleARN = map.nonEmpty("s3.role-arn")
    roleSessionName = map.nonEmpty("s3.role-session-name")
    proxy = map.nonEmpty("s3.proxy-uri")
    connectTimeout = try map.seconds("s3.connect-timeout")
    requestTimeout = try map.seconds("s3.request-timeout")
  }

  /// With the prefix of the analytics accelerator, if there is one, in which no character is left that has a meaning in this header.
  private static func userAgent(_ map: PropertyMap) throws(PropertyError) -> String {
    let key = AnalyticsAcceleratorKeys.userAgentPrefix
    guard map.bool(AnalyticsAcceleratorKeys.enabled, default: false), let text = map.string(key) else { return "bergfs" }
    guard text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
      throw PropertyError(key: key, message: "\(key) holds a control character, or one that is not ASCII")
    }
    let words = text.split(separator: " ")
    guard let first = words.first, let last = words.last else { return "bergfs" }
    let prefix = text[first.startIndex..<last.endIndex].map { "() ,/:;<=>?@[]{}\\".contains($0) ? "_" : $0 }
    return String(prefix) + " bergfs"
  }

  /// The three headers of SSE-C; the other types send nothing on reading. Source: spec/s3fileio.md §6.
  static func encryptionHeaders(_ map: PropertyMap) throws(PropertyError) -> [(name: String, value: String)] {
    let type = map.nonEmpty("s3.sse.type") ?? "none"
    switch type.lowercased() {
    case "none", "s3", "kms", "dsse-kms": return []
    case "custom": break
    default: throw PropertyError(key: "s3.sse.type", message: "Cannot support given S3 encryption type: \(type)")
    }
    guard let key = map.string("s3.sse.key") else {
      throw PropertyError(key: "s3.sse.key", message: "Cannot initialize SSE-C S3FileIO with null encryption key")
    }
    guard let digest = map.string("s3.sse.md5") else {
      throw PropertyError(key: "s3.sse.md5", message: "Cannot initialize SSE-C S3FileIO with null encryption key MD5")
    }
    return [
      ("x-amz-server-side-encryption-customer-algorithm", "AES256"), ("x-amz-server-side-encryption-customer-key", key),
      ("x-amz-server-side-encryption-customer-key-MD5", digest),
    ]
  }
}

/// Keys that stand in properties, of one service or of all.
package struct StaticKeys: Sendable, Hashable {
  package var accessKeyID: String
  package var secretAccessKey: Secret
  package var sessionToken: Secret?
  /// For messages: "property s3.access-key-id".
  package var source: String

  /// Nil unless `<prefix>.access-key-id` and `<prefix>.secret-access-key` are both non-empty.
  init?(_ map: PropertyMap, prefix: String) {
    guard let id = map.nonEmpty("\(prefix).access-key-id"), let secret = map.nonEmpty("\(prefix).secret-access-key") else { return nil }
    accessKeyID = id
    secretAccessKey = Secret(secret)
    sessionToken = map.nonEmpty("\(prefix).session-token").map { Secret($0) }
    source = "property \(prefix).access-key-id"
  }
}
