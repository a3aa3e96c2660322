// SPDX-License-Identifier: Apache-2.0

/// Keys of file access in S3. Source: spec/properties.md §4.1 to §4.4.
package enum S3FileIOKeys {
  package static let clientFactory = "s3.client-factory-impl"
  package static let endpoint = "s3.endpoint"
  package static let pathStyleAccess = "s3.path-style-access"
  package static let accessKeyID = "s3.access-key-id"
  package static let secretAccessKey = "s3.secret-access-key"
  package static let sessionToken = "s3.session-token"
  package static let sessionTokenExpiresAtMs = "s3.session-token-expires-at-ms"
  package static let useArnRegionEnabled = "s3.use-arn-region-enabled"
  package static let dualStackEnabled = "s3.dualstack-enabled"
  package static let accelerationEnabled = "s3.acceleration-enabled"
  package static let crossRegionAccessEnabled = "s3.cross-region-access-enabled"
  package static let remoteSigningEnabled = "s3.remote-signing-enabled"
  package static let requesterPays = "s3.requester-pays"
  package static let stagingDirectory = "s3.staging-dir"
  package static let preloadClientEnabled = "s3.preload-client-enabled"
  package static let accessPointsPrefix = "s3.access-points."
  package static let directoryBucketListPrefixAsDirectory = "s3.directory-bucket.list-prefix-as-directory"
  package static let sseType = "s3.sse.type"
  package static let sseKey = "s3.sse.key"
  package static let sseMD5 = "s3.sse.md5"
  package static let retryNumRetries = "s3.retry.num-retries"
  package static let retryMinWaitMs = "s3.retry.min-wait-ms"
  package static let retryMaxWaitMs = "s3.retry.max-wait-ms"

  package static let defaultClientFactoryClass = "org.apache.iceberg.aws.s3.DefaultS3FileIOAwsClientFactory"

  package static let definitions = client + writing + deleting + retries

  private static let client: [PropertyDefinition] = [
    PropertyDefinition(
      clientFactory, type: .className([defaultClientFactoryClass]), user: .s3, status: .mapped("the default S3 client; others are refused"),
      "Java class that makes the S3 client.",
      refusal: "Cannot initialize S3FileIOAwsClientFactory, missing no-arg constructor: %s"),
    PropertyDefinition(endpoint, type: .endpoint, user: .s3, "Address of S3 instead of the AWS one; a path in it is kept."),
    PropertyDefinition(
      pathStyleAccess, type: .boolean,
      default: .described("`false`; `true` for an `s3.endpoint` that a PyIceberg source sets, or on localhost or an IP address"),
      user: .s3, "Bucket in the path instead of in the host name."),
    PropertyDefinition(accessKeyID, user: .credentials, "Static access key of S3; needs the secret key."),
    PropertyDefinition(secretAccessKey, secret: true, user: .credentials, "Static secret key of S3; needs the access key."),
    PropertyDefinition(sessionToken, secret: true, user: .credentials, "Session token of the static S3 keys."),
    PropertyDefinition(
      sessionTokenExpiresAtMs, type: .int64, user: .credentials, status: .mapped("with vended credentials, which begin with these keys"),
      "When the session token ends, milliseconds since 1970."),
    PropertyDefinition(useArnRegionEnabled, type: .boolean, default: "false", user: .s3, "Accept access point ARNs of another region."),
    PropertyDefinition(dualStackEnabled, type: .boolean, default: "false", user: .s3, "Dual-stack host names (IPv6)."),
    PropertyDefinition(accelerationEnabled, type: .boolean, default: "false", user: .s3, "Transfer acceleration host names."),
    PropertyDefinition(crossRegionAccessEnabled, type: .boolean, default: "false", user: .s3, "Follow buckets into their own region."),
    PropertyDefinition(
      "s3.chunked-encoding-enabled", type: .boolean, default: "true", user: .s3, status: .notApplicable("no upload is sent in aws-chunks"),
      "Allow aws-chunked uploads."),
    PropertyDefinition(
      remoteSigningEnabled, type: .boolean, default: "false", user: .signer,
      "Have a REST service sign the requests to S3; no keys of S3 are used here."),
    PropertyDefinition(
      preloadClientEnabled, type: .boolean, default: "false", user: .s3,
      status: .notApplicable("credentials are always resolved at mount"),
      "Build the S3 client at the start."),
    PropertyDefinition(accessPointsPrefix, prefixOf: "<bucket>", user: .s3, "Access point (ARN or alias) to use in place of the bucket."),
    PropertyDefinition(
      "s3.access-grants.enabled", type: .boolean, default: "false", user: .credentials, "Credentials from S3 Access Grants."),
    PropertyDefinition(
      "s3.access-grants.fallback-to-iam", type: .boolean, default: "false", user: .credentials,
      "Plain credentials where a grant is denied."),
    PropertyDefinition(
      directoryBucketListPrefixAsDirectory, type: .boolean, default: "true", user: .s3, "End list prefixes of directory buckets in `/`."),
    PropertyDefinition(
      "s3.crt.enabled", type: .boolean, default: "true", user: .s3, status: .notApplicable("the CRT client is not used"), "The CRT client."),
    PropertyDefinition(
      "s3.crt.max-concurrency", type: .int32, default: .described("`http-client.apache.max-connections`"), user: .s3,
      status: .mapped("S3 connections at a time, no more than the HTTP client has"), "Requests of the CRT client.",
      range: PropertyRange(minimum: 1, sentence: "the number must be at least 1")),
    PropertyDefinition(
      requesterPays, type: .boolean, default: "false", user: .s3,
      "Say with each request that its sender pays for it, for buckets of requester pays. A key of BergFS: Iceberg has none."),
  ]

  private static let writing: [PropertyDefinition] = [
    PropertyDefinition(
      "s3.multipart.num-threads", type: .int32, default: "4", user: .s3, "Parts of one object in flight."),
    PropertyDefinition(
      "s3.multipart.part-size-bytes", type: .int32, default: "33554432", user: .s3, "Size of a part, bytes.",
      range: PropertyRange(minimum: 5_242_880, sentence: "Minimum multipart upload object size must be larger than 5 MB")),
    PropertyDefinition(
      "s3.multipart.threshold", type: .double, default: "1.5", user: .s3, "Parts are used from this many part sizes on.",
      range: PropertyRange(minimum: 1, sentence: "Multipart threshold factor must be >= to 1.0")),
    PropertyDefinition(
      stagingDirectory, default: .described("`$XDG_CACHE_HOME/bergfs` or `/var/tmp/bergfs-<uid>`"), user: .s3,
      status: .mapped("a directory `bergfs-<uid>` of the user's own is made there; `--staging-dir` wins"), "Directory of staging files."),
    PropertyDefinition(
      "s3.acl",
      type: .choice(
        [
          "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read",
          "bucket-owner-full-control",
        ], ignoringCase: false), user: .s3, "Canned ACL of new objects.", refusal: "Cannot support S3 CannedACL %s"),
    PropertyDefinition(
      sseType, type: .choice(["none", "s3", "kms", "dsse-kms", "custom"], ignoringCase: true), default: "none", user: .s3,
      "Server-side encryption of new objects; `custom` sends the key with each request, and needs https.",
      refusal: "Cannot support given S3 encryption type: %s"),
    PropertyDefinition(sseKey, secret: true, user: .s3, "KMS key, or the base64 AES-256 key of `custom`."),
    PropertyDefinition(sseMD5, secret: true, user: .s3, "Base64 MD5 of the key of `custom`."),
    PropertyDefinition(
      "s3.checksum-enabled", type: .boolean, default: "false", user: .s3,
      status: .mapped("a CRC-32 in `x-amz-checksum-crc32`, which S3 checks like an MD5, whatever `AWS_REQUEST_CHECKSUM_CALCULATION` says"),
      "`Content-MD5` on uploads."),
    PropertyDefinition("s3.write.tags.", prefixOf: "<tag>", user: .s3, "Tag of new objects; S3 takes ten."),
    PropertyDefinition(
      "s3.write.table-tag-enabled", type: .boolean, default: "false", user: .s3, "Tag new objects with the table's name."),
    PropertyDefinition(
      "s3.write.namespace-tag-enabled", type: .boolean, default: "false", user: .s3,
      "Tag new objects with the namespace's name."),
    PropertyDefinition("s3.write.storage-class", user: .s3, "Storage class of new objects."),
  ]

  private static let deleting: [PropertyDefinition] = [
    PropertyDefinition(
      "s3.delete.batch-size", type: .int32, default: "250", user: .s3, "Objects of one delete request.",
      range: PropertyRange(minimum: 1, maximum: 1000, sentence: "Deletion batch size must be between 1 and 1000")),
    PropertyDefinition("s3.delete.tags.", prefixOf: "<tag>", user: .s3, "Tag put onto objects before deletion."),
    PropertyDefinition(
      "s3.delete.num-threads", type: .int32, default: "4", user: .s3, "Delete and tagging requests in flight."),
    PropertyDefinition(
      "s3.delete-enabled", type: .boolean, default: "true", user: .s3, "`false` only tags and never deletes."),
  ]

  private static let wait = PropertyRange(minimum: 0, sentence: "the number must not be negative")

  private static let retries: [PropertyDefinition] = [
    PropertyDefinition(retryNumRetries, type: .int32, default: "5", user: .s3, "Retries of a request; attempts are one more.", range: wait),
    PropertyDefinition(retryMinWaitMs, type: .int64, default: "2000", user: .s3, "First wait after throttling, milliseconds.", range: wait),
    PropertyDefinition(
      retryMaxWaitMs, type: .int64, default: "20000", user: .s3, "Longest wait after throttling, milliseconds.", range: wait),
  ]
}
