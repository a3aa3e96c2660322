// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The merged properties on their way to Iceberg's own keys: values checked, aliases translated, addressing decided.
struct NormalisedProperties {
  private(set) var entries: [String: ConfiguredProperty]

  init(_ entries: [String: ConfiguredProperty]) {
    self.entries = entries
  }

  /// Refuses values that their keys cannot have; brings booleans to `true` and `false`.
  mutating func checkValues() throws(ConfigurationError) {
    for (key, entry) in entries.sorted(by: { $0.key < $1.key }) {
      guard let definition = PropertyTable.definition(of: key) else { continue }
      var value = entry.value
      if definition.type == .boolean {
        let truth = entry.source.isPyIceberg ? PropertyParsing.pythonBoolean(value) : PropertyParsing.boolean(value)
        if let truth { value = truth ? "true" : "false" }
      }
      if let reason = PropertyParsing.refusal(of: value, by: definition) {
        throw badValue(entry, reason)
      }
      if value != entry.value {
        entries[key] = ConfiguredProperty(key: key, value: value, source: entry.source, writtenAs: entry.writtenAs)
      }
    }
  }

  /// Leaves one `type`, from `type`, `catalog-type` or `catalog-impl`.
  mutating func resolveCatalogType(of catalog: String) throws(ConfigurationError) {
    rename(CatalogKeys.catalogType, to: CatalogKeys.type) { $0 }
    let implementation = entries[CatalogKeys.catalogImpl]
    if let type = entries[CatalogKeys.type], let implementation {
      throw ConfigurationError(
        .contradiction,
        "Cannot create catalog \(catalog), both type and catalog-impl are set: type=\(type.value), catalog-impl=\(implementation.value)"
          + " (\(type.origin), \(implementation.origin))")
    }
    rename(CatalogKeys.catalogImpl, to: CatalogKeys.type) {
      $0 == CatalogKeys.glueCatalogClass ? CatalogType.glue.rawValue : CatalogType.dynamodb.rawValue
    }
    guard let type = entries[CatalogKeys.type] else {
      throw ConfigurationError(.missing, "catalog \(catalog) does not say its type: set type=glue or type=dynamodb")
    }
    entries[CatalogKeys.type] = ConfiguredProperty(
      key: type.key, value: type.value.lowercased(), source: type.source, writtenAs: type.writtenAs)
  }

  /// Translates PyIceberg's keys. Source: spec/properties.md §7.2.
  mutating func translateAliases() {
    if entries[CatalogKeys.type]?.value == CatalogType.dynamodb.rawValue {
      rename(PyIcebergKeys.tableName, to: AwsKeys.dynamoDbTableName) { $0 }
    }
    rename(PyIcebergKeys.s3ResolveRegion, to: S3FileIOKeys.crossRegionAccessEnabled) { $0 }
    rename(PyIcebergKeys.s3Signer, to: S3FileIOKeys.remoteSigningEnabled) { _ in "true" }
    rename(PyIcebergKeys.s3SseKmsKeyID, to: S3FileIOKeys.sseKey) { $0 }
    rename(PyIcebergKeys.s3ServerSideEncryption, to: S3FileIOKeys.sseType) {
      ["AES256": "s3", "aws:kms": "kms", "aws:kms:dsse": "dsse-kms"][$0] ?? $0
    }
  }

  /// Moves a value to Iceberg's own key, unless a source of the same or a higher place sets that one.
  private mutating func rename(_ alias: String, to key: String, _ translate: (String) -> String) {
    guard let entry = entries.removeValue(forKey: alias) else { return }
    if let present = entries[key], present.source.rank <= entry.source.rank { return }
    entries[key] = ConfiguredProperty(key: key, value: translate(entry.value), source: entry.source, writtenAs: alias)
  }

  /// Decides path style where only PyIceberg's rules or the address say it. Source: spec/properties.md §7.2, note on addressing.
  mutating func deriveAddressing(environment: [String: String]) {
    let key = S3FileIOKeys.pathStyleAccess
    if let virtual = entries.removeValue(forKey: PyIcebergKeys.s3ForceVirtualAddressing), virtual.value == "true" {
      if let present = entries[key], present.source.rank <= virtual.source.rank { return }
      entries[key] = ConfiguredProperty(
        key: key, value: "false", source: virtual.source, writtenAs: PyIcebergKeys.s3ForceVirtualAddressing)
      return
    }
    guard entries[key] == nil else { return }
    if let endpoint = entries[S3FileIOKeys.endpoint] {
      guard endpoint.source.isPyIceberg || isLocal(endpoint.value) else { return }
      let reason = endpoint.source.isPyIceberg ? "as PyIceberg does with an s3.endpoint" : "the host of s3.endpoint is local"
      entries[key] = ConfiguredProperty(key: key, value: "true", source: .derived(reason))
    } else if let variable = environmentEndpoint(environment), let address = environment[variable], isLocal(address) {
      entries[key] = ConfiguredProperty(key: key, value: "true", source: .derived("the host of \(variable) is local"))
    }
  }

  private func environmentEndpoint(_ environment: [String: String]) -> String? {
    guard environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() != "true" else { return nil }
    return ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].first { environment[$0]?.isEmpty == false }
  }

  /// True for localhost and IP addresses, which no bucket name can be put in front of.
  private func isLocal(_ address: String) -> Bool {
    let host = PropertyParsing.host(ofEndpoint: address).lowercased()
    if host == "localhost" || host.contains(":") { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Checks properties that depend on each other; returns the metastore.
  func checkTogether(catalog: String) throws(ConfigurationError) -> CatalogType {
    guard let type = (entries[CatalogKeys.type]?.value).flatMap(CatalogType.init) else {
      throw ConfigurationError(.missing, "catalog \(catalog) does not say its type: set type=glue or type=dynamodb")
    }
    if type == .dynamodb, isEmpty(CatalogKeys.warehouseLocation) {
      throw ConfigurationError(
        .missing,
        "Cannot initialize DynamoDbCatalog because warehousePath must not be null or empty: set warehouse=s3://bucket/path for catalog \(catalog)"
      )
    }
    try checkKeyPairs()
    try checkEndpoint()
    try checkCustomerKey()
    return type
  }

  private func isEmpty(_ key: String) -> Bool { entries[key]?.value.isEmpty ?? true }

  private func isTrue(_ key: String) -> Bool { entries[key]?.value == "true" }

  private func checkKeyPairs() throws(ConfigurationError) {
    for (prefix, name) in [("s3", "S3"), ("client", "AWS"), ("glue", "Glue"), ("dynamodb", "DynamoDB")] {
      let (access, secret) = (prefix + ".access-key-id", prefix + ".secret-access-key")
      guard isEmpty(access) != isEmpty(secret) else { continue }
      let (present, absent) = isEmpty(access) ? (secret, access) : (access, secret)
      throw ConfigurationError(
        .contradiction,
        "\(name) client access key ID and secret access key must be set at the same time: \(present) is set (\(entries[present]?.origin ?? "")), \(absent) is not"
      )
    }
  }

  private func checkEndpoint() throws(ConfigurationError) {
    if isTrue(S3FileIOKeys.accelerationEnabled), isTrue(S3FileIOKeys.pathStyleAccess) {
      throw contradiction("Path-style addressing cannot be used with S3 Accelerate", S3FileIOKeys.accelerationEnabled)
    }
    guard entries[S3FileIOKeys.endpoint] != nil else { return }
    if isTrue(S3FileIOKeys.dualStackEnabled) {
      throw contradiction("Cannot set dual-stack in combination with a custom endpoint", S3FileIOKeys.dualStackEnabled)
    }
    if isTrue(S3FileIOKeys.accelerationEnabled) {
      throw contradiction("A custom endpoint cannot be combined with S3 Accelerate", S3FileIOKeys.accelerationEnabled)
    }
  }

  private func checkCustomerKey() throws(ConfigurationError) {
    guard let type = entries[S3FileIOKeys.sseType], type.value.lowercased() == "custom" else { return }
    if entries[S3FileIOKeys.sseKey] == nil {
      throw contradiction("Cannot initialize SSE-C S3FileIO with null encryption key: set s3.sse.key", S3FileIOKeys.sseType)
    }
    if entries[S3FileIOKeys.sseMD5] == nil {
      throw contradiction("Cannot initialize SSE-C S3FileIO with null encryption key MD5: set s3.sse.md5", S3FileIOKeys.sseType)
    }
  }

  private func contradiction(_ sentence: String, _ key: String) -> ConfigurationError {
    ConfigurationError(.contradiction, entries[key].map { "\(sentence) (\(key)=\($0.displayValue), \($0.origin))" } ?? sentence)
  }

  private func badValue(_ entry: ConfiguredProperty, _ reason: String) -> ConfigurationError {
    let error = PropertyValueError(key: entry.key, value: entry.value, source: entry.origin, reason: reason)
    return ConfigurationError(.badValue, error.description)
  }
}
