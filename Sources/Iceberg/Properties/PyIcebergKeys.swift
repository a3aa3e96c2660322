// SPDX-License-Identifier: Apache-2.0

/// Keys that only PyIceberg has. Source: spec/properties.md §7.2.
package enum PyIcebergKeys {
  package static let clientAccessKeyID = "client.access-key-id"
  package static let clientSecretAccessKey = "client.secret-access-key"
  package static let clientSessionToken = "client.session-token"
  package static let clientProfileName = "client.profile-name"
  package static let glueRegion = "glue.region"
  package static let glueAccessKeyID = "glue.access-key-id"
  package static let glueSecretAccessKey = "glue.secret-access-key"
  package static let glueSessionToken = "glue.session-token"
  package static let glueProfileName = "glue.profile-name"
  package static let glueMaxRetries = "glue.max-retries"
  package static let glueRetryMode = "glue.retry-mode"
  package static let dynamoDbRegion = "dynamodb.region"
  package static let dynamoDbAccessKeyID = "dynamodb.access-key-id"
  package static let dynamoDbSecretAccessKey = "dynamodb.secret-access-key"
  package static let dynamoDbSessionToken = "dynamodb.session-token"
  package static let dynamoDbProfileName = "dynamodb.profile-name"
  package static let tableName = "table-name"
  package static let s3Region = "s3.region"
  package static let s3ResolveRegion = "s3.resolve-region"
  package static let s3ProfileName = "s3.profile-name"
  package static let s3ForceVirtualAddressing = "s3.force-virtual-addressing"
  package static let s3Anonymous = "s3.anonymous"
  package static let s3ProxyURI = "s3.proxy-uri"
  package static let s3ConnectTimeout = "s3.connect-timeout"
  package static let s3RequestTimeout = "s3.request-timeout"
  package static let s3Signer = "s3.signer"
  package static let s3ServerSideEncryption = "s3.server-side-encryption"
  package static let s3SseKmsKeyID = "s3.sse-kms-key-id"

  /// Keys that PyIceberg dropped in 0.8 and ignores: old key → what to write.
  package static let removed = [
    "profile_name": clientProfileName, "region_name": AwsClientKeys.clientRegion, "aws_access_key_id": clientAccessKeyID,
    "aws_secret_access_key": clientSecretAccessKey, "aws_session_token": clientSessionToken,
  ]

  package static let definitions = credentials + services + s3 + python + dropped

  private static let credentials: [PropertyDefinition] =
    [
      PropertyDefinition(clientAccessKeyID, user: .credentials, "Static access key of Glue, DynamoDB and S3."),
      PropertyDefinition(clientSecretAccessKey, secret: true, user: .credentials, "Static secret key of Glue, DynamoDB and S3."),
      PropertyDefinition(clientSessionToken, secret: true, user: .credentials, "Session token of those keys."),
      PropertyDefinition(
        clientProfileName, default: .described("`AWS_PROFILE`, else `default`"), user: .credentials, "Profile of the shared AWS files."),
      PropertyDefinition("client.role-arn", user: .credentials, "Role to assume for S3."),
      PropertyDefinition("client.role-session-name", user: .credentials, "Name of that role's session."),
    ] + overrides(of: "glue", "Glue") + overrides(of: "dynamodb", "DynamoDB")

  private static func overrides(of prefix: String, _ service: String) -> [PropertyDefinition] {
    [
      PropertyDefinition(prefix + ".region", default: .described("`client.region`"), user: .credentials, "Region of \(service)."),
      PropertyDefinition(
        prefix + ".access-key-id", default: .described("`client.access-key-id`"), user: .credentials, "Static access key of \(service)."),
      PropertyDefinition(
        prefix + ".secret-access-key", default: .described("`client.secret-access-key`"), secret: true, user: .credentials,
        "Static secret key of \(service)."),
      PropertyDefinition(
        prefix + ".session-token", default: .described("`client.session-token`"), secret: true, user: .credentials,
        "Session token of \(service)."),
      PropertyDefinition(
        prefix + ".profile-name", default: prefix == "glue" ? .described("`client.profile-name`") : .unset, user: .credentials,
        "Profile of \(service)."),
    ]
  }

  private static let services: [PropertyDefinition] = [
    PropertyDefinition(
      glueMaxRetries, type: .int32, default: "10", user: .glue, "Retries of a Glue request.",
      range: PropertyRange(minimum: 0, sentence: "the number must not be negative")),
    PropertyDefinition(
      glueRetryMode, default: "standard", user: .glue, status: .mapped("other modes than `standard` mean `standard`"),
      "Retry mode of Glue requests."),
    PropertyDefinition(
      tableName, default: .described("`dynamodb.table-name`"), user: .dynamodb,
      status: .mapped("`dynamodb.table-name` of a DynamoDB catalog"),
      "DynamoDB table that holds the catalog."),
  ]

  private static let s3: [PropertyDefinition] = [
    PropertyDefinition(s3Region, default: .described("`client.region`"), user: .s3, "Region of S3."),
    PropertyDefinition(
      s3ResolveRegion, type: .boolean, default: "false", user: .s3, status: .mapped("`s3.cross-region-access-enabled`"),
      "Look up the region of buckets."),
    PropertyDefinition(s3ProfileName, default: .described("`client.profile-name`"), user: .credentials, "Profile of S3."),
    PropertyDefinition(
      "s3.role-arn", default: .described("`client.role-arn`"), user: .credentials,
      "Role to assume for S3."),
    PropertyDefinition("s3.role-session-name", user: .credentials, "Name of that role's session."),
    PropertyDefinition(
      s3ForceVirtualAddressing, type: .boolean, default: "false", user: .s3, status: .mapped("the opposite of `s3.path-style-access`"),
      "Bucket in the host name even with an `s3.endpoint`."),
    PropertyDefinition(s3Anonymous, type: .boolean, default: "false", user: .credentials, "Unsigned S3 requests."),
    PropertyDefinition(s3ProxyURI, user: .s3, "Proxy of S3 requests."),
    PropertyDefinition(s3ConnectTimeout, type: .double, user: .s3, "Longest time to connect to S3, seconds.", range: positive),
    PropertyDefinition(
      s3RequestTimeout, type: .double, user: .s3, status: .mapped("less than one byte a second over that time"),
      "Longest silence of an S3 connection, seconds.", range: positive),
    PropertyDefinition(
      s3Signer, type: .choice(["S3V4RestSigner"], ignoringCase: false), user: .signer, status: .mapped("`s3.remote-signing-enabled`"),
      "Sign through a REST signer.", refusal: "Signer not available: %s"),
    PropertyDefinition(
      s3ServerSideEncryption, type: .choice(["AES256", "aws:kms", "aws:kms:dsse"], ignoringCase: false), user: .s3,
      status: .mapped("`s3.sse.type`"),
      "Server-side encryption of new objects."),
    PropertyDefinition(s3SseKmsKeyID, secret: true, user: .s3, status: .mapped("`s3.sse.key`"), "KMS key of new objects."),
  ]

  private static let positive = PropertyRange(minimum: 0, maximum: 86_400, sentence: "seconds between 0 and 86400 are expected")
  private static let pythonClass = PropertyStatus.notApplicable("a Python class")

  private static let python: [PropertyDefinition] = [
    PropertyDefinition("s3.retry-strategy-impl", user: .s3, status: pythonClass, "Python class of the retry strategy."),
    PropertyDefinition("py-io-impl", user: .catalog, status: pythonClass, "Python class that reads the files."),
    PropertyDefinition("py-catalog-impl", user: .catalog, status: pythonClass, "Python class of the catalog."),
    PropertyDefinition("max-workers", type: .int32, user: .catalog, status: .notApplicable("Python threads"), "Threads of PyIceberg."),
    PropertyDefinition("botocore_session", user: .credentials, status: .notApplicable("a Python object"), "Python session object."),
  ]

  private static let dropped = removed.sorted { $0.key < $1.key }.map { old, new in
    PropertyDefinition(
      old, secret: old.hasSuffix("key") || old.hasSuffix("token"), user: .credentials,
      status: .notApplicable("PyIceberg removed it in 0.8: write `\(new)`"), "Older form of `\(new)`.")
  }
}
