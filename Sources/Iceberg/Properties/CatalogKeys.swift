// SPDX-License-Identifier: Apache-2.0

/// Keys of the catalog itself: which one, where, and its metadata cache. Source: spec/properties.md §1.
package enum CatalogKeys {
  package static let type = "type"
  package static let catalogType = "catalog-type"
  package static let catalogImpl = "catalog-impl"
  package static let warehouseLocation = "warehouse"
  package static let fileIOImpl = "io-impl"
  package static let uri = "uri"
  package static let cacheEnabled = "cache-enabled"
  package static let cacheCaseSensitive = "cache.case-sensitive"
  package static let cacheExpirationIntervalMs = "cache.expiration-interval-ms"
  package static let manifestCacheEnabled = "io.manifest.cache-enabled"
  package static let manifestCacheExpirationIntervalMs = "io.manifest.cache.expiration-interval-ms"
  package static let manifestCacheMaxTotalBytes = "io.manifest.cache.max-total-bytes"
  package static let manifestCacheMaxContentLength = "io.manifest.cache.max-content-length"
  package static let tableDefaultPrefix = "table-default."
  package static let tableOverridePrefix = "table-override."
  package static let appID = "app-id"

  package static let glueCatalogClass = "org.apache.iceberg.aws.glue.GlueCatalog"
  package static let dynamoDbCatalogClass = "org.apache.iceberg.aws.dynamodb.DynamoDbCatalog"
  package static let s3FileIOClass = "org.apache.iceberg.aws.s3.S3FileIO"
  package static let resolvingFileIOClass = "org.apache.iceberg.io.ResolvingFileIO"

  private static let own = PropertyStatus.notApplicable("the first metadata file of a table is its writer's own")

  package static let definitions: [PropertyDefinition] = [
    PropertyDefinition(
      type, type: .choice(["glue", "dynamodb"], ignoringCase: true), user: .catalog,
      status: .mapped("`glue`, and PyIceberg's `dynamodb`; others are refused"),
      "Which metastore holds the catalog.", refusal: "BergFS mounts glue and dynamodb catalogs only"),
    PropertyDefinition(
      catalogType, type: .choice(["glue", "dynamodb"], ignoringCase: true), user: .catalog, status: .mapped("the same as `type`"),
      "Flink's and Hive's spelling of `type`.", refusal: "BergFS mounts glue and dynamodb catalogs only"),
    PropertyDefinition(
      catalogImpl, type: .className([glueCatalogClass, dynamoDbCatalogClass]), user: .catalog, status: .mapped("sets `type`; excludes it"),
      "Java class of the catalog.", refusal: "Cannot initialize Catalog implementation %s: BergFS knows the Glue and DynamoDB catalogs"),
    PropertyDefinition(
      warehouseLocation, user: .catalog,
      "Root location of the catalog's files, as `s3://bucket/path`. Required by DynamoDB catalogs. Slashes at its end are dropped."),
    PropertyDefinition(
      fileIOImpl, type: .className([s3FileIOClass, resolvingFileIOClass]), default: .value(s3FileIOClass), user: .catalog,
      status: .mapped("both classes mean S3"), "Java class that reads the files.",
      refusal: "Cannot initialize FileIO implementation %s: BergFS reads S3"),
    PropertyDefinition(
      uri, user: .catalog, "Base address of signer and credential endpoints."),
    PropertyDefinition(
      tableDefaultPrefix, prefixOf: "<key>", user: .catalog, status: own, "Default table property at creation."),
    PropertyDefinition(
      tableOverridePrefix, prefixOf: "<key>", user: .catalog, status: own, "Table property forced at creation."),
    PropertyDefinition("view-default.", prefixOf: "<key>", user: .catalog, status: views, "Default view property at creation."),
    PropertyDefinition("view-override.", prefixOf: "<key>", user: .catalog, status: views, "View property forced at creation."),
    PropertyDefinition(
      "metrics-reporter-impl", user: .catalog, status: .notApplicable("a Java class; metrics are in `.bergfs/metrics`"),
      "Java class that reports metrics."),
    PropertyDefinition(
      cacheEnabled, type: .boolean, default: "true", user: .mount, status: .mapped("`false`: a metadata TTL of 0"),
      "Whether catalog answers are cached."),
    PropertyDefinition(
      cacheCaseSensitive, type: .boolean, default: "true", user: .mount, status: .notApplicable("names are always case-sensitive"),
      "Whether cached names differ by case."),
    PropertyDefinition(
      cacheExpirationIntervalMs, type: .int64, default: .described("`--metadata-ttl`"), user: .mount,
      status: .mapped("the metadata TTL, where `--metadata-ttl` is not given"),
      "Milliseconds after which a cached entry is asked for again; 0 caches nothing, a negative value never expires."),
    PropertyDefinition(
      manifestCacheEnabled, type: .boolean, default: "false", user: .mount,
      "Whether views of snapshots keep the content of manifests. What they take from it is kept either way while it is in use."),
    PropertyDefinition(
      manifestCacheExpirationIntervalMs, type: .int64, default: "60000", user: .mount,
      "Milliseconds after its last use that a manifest stays cached; 0 evicts by size only.",
      range: PropertyRange(minimum: 0, sentence: "a time of at least 0 milliseconds is needed")),
    PropertyDefinition(
      manifestCacheMaxTotalBytes, type: .int64, default: "104857600", user: .mount, "Size of the manifest cache, bytes.",
      range: PropertyRange(minimum: 1, sentence: "a size above 0 is needed")),
    PropertyDefinition(
      manifestCacheMaxContentLength, type: .int64, default: "8388608", user: .mount, "Longer manifests are not cached, bytes.",
      range: PropertyRange(minimum: 1, sentence: "a size above 0 is needed")),
    PropertyDefinition(
      "unique-table-location", type: .boolean, default: "false", user: .catalog,
      "New tables get a directory with a random suffix."),
    PropertyDefinition("clients", type: .int32, default: "2", user: .catalog, status: hive, "Size of the Hive client pool."),
    PropertyDefinition(
      "client.pool.cache.eviction-interval-ms", type: .int64, default: "300000", user: .catalog, status: hive, "Eviction of Hive clients."),
    PropertyDefinition("client-pool-cache-keys", user: .catalog, status: hive, "Keys of the Hive client pool."),
    PropertyDefinition(appID, user: .catalog, status: engine, "Identity of the engine."),
    PropertyDefinition("app-name", user: .catalog, status: engine, "Name of the engine."),
    PropertyDefinition("user", user: .catalog, status: engine, "User of the engine."),
    PropertyDefinition(
      "auth.session-timeout-ms", type: .int64, default: "3600000", user: .signer,
      "After how long without use an OAuth2 session starts anew, milliseconds."),
    PropertyDefinition(
      "encryption.kms-type", type: .choice(["aws", "azure", "gcp"], ignoringCase: false), user: .kms, status: encryption,
      "Which key management service.", refusal: "Unsupported KMS type: %s"),
    PropertyDefinition("encryption.kms-impl", user: .kms, status: encryption, "Java class of the KMS client."),
    PropertyDefinition(
      "init-creation-stacktrace", type: .boolean, default: "true", user: .s3, status: .notApplicable("a Java diagnostic"),
      "Creation stack traces for leak warnings."),
  ]

  private static let views = PropertyStatus.notApplicable("catalog views are not shown")
  private static let hive = PropertyStatus.notApplicable("Hive only")
  private static let engine = PropertyStatus.notApplicable("identifies an engine; BergFS names itself")

  private static let encryption = PropertyStatus.notApplicable(
    "files of encrypted tables are shown as they lie in S3; whoever reads them has the keys")
}
