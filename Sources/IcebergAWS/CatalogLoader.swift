// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import HTTP
package import Iceberg
package import Logging
package import Telemetry

/// Makes the catalog that properties describe, as Iceberg's `CatalogUtil` does. Source: spec/properties.md §1.
package enum CatalogLoader {
  package enum Kind: String, Sendable, CaseIterable {
    case glue, dynamodb

    var className: String {
      switch self {
      case .glue: "org.apache.iceberg.aws.glue.GlueCatalog"
      case .dynamodb: "org.apache.iceberg.aws.dynamodb.DynamoDbCatalog"
      }
    }
  }

  /// The catalog of these properties. Nothing is sent: the first call of the catalog shows whether it can be reached.
  ///
  /// - Parameters:
  ///   - name: for messages.
  ///   - properties: normalised to Iceberg's keys.
  ///   - factory: from ``clientFactory(properties:variables:transport:metrics:logger:clock:)``.
  ///   - uploadMemory: what the bytes of uploads are counted in.
  package static func load(
    name: String, properties: [String: String], factory: any AwsClientFactory,
    uploadMemory: any UploadMemory = UnlimitedUploadMemory(), logger: Logger
  ) throws(PropertyError) -> any Catalog {
    let kind = try kind(name: name, properties: properties)
    try checkFileIO(properties)
    let aws = try AwsProperties(properties)
    if kind == .dynamodb, aws.warehouse == nil {
      throw PropertyError(
        key: AwsProperties.warehouseKey,
        message: "Cannot initialize DynamoDbCatalog because warehousePath must not be null or empty: set warehouse=s3://bucket/path")
    }
    let files = S3FileIO(
      client: try factory.s3(), properties: try S3FileIOProperties(properties), uploadMemory: uploadMemory, logger: logger)
    let tableFiles = TableFiles(shared: files, factory: factory)
    return switch kind {
    case .glue: GlueCatalog(client: try factory.glue(), properties: aws, files: tableFiles, logger: logger)
    case .dynamodb: DynamoDbCatalog(client: try factory.dynamo(), properties: aws, files: tableFiles, logger: logger)
    }
  }

  /// The factory that `client.factory` names.
  ///
  /// - Parameters:
  ///   - variables: the environment.
  ///   - transport: gives the transport with some settings: ``TransportPool/transport(_:)``.
  ///   - instanceRegion: of the EC2 instance, for services that nothing else gives a region.
  package static func clientFactory(
    properties: [String: String], variables: [String: String],
    transport: @escaping @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport, metrics: Metrics, logger: Logger,
    instanceRegion: String? = nil, clock: any AWSClock = SystemAWSClock()
  ) throws(PropertyError) -> any AwsClientFactory {
    let kind = try factoryName(properties)
    let map = PropertyMap(properties)
    let s3Key = "s3.client-factory-impl"
    if let className = map.nonEmpty(s3Key), className != AwsClientFactoryName.s3Standard {
      throw PropertyError(
        key: s3Key,
        message: "Cannot initialize S3FileIOAwsClientFactory, missing no-arg constructor: \(className) (no such class is known here)")
    }
    let base = try DefaultAwsClientFactory(
      properties: properties, variables: variables, transport: transport, metrics: metrics, logger: logger, instanceRegion: instanceRegion,
      clock: clock)
    switch kind {
    case .standard: return base
    case .assumeRole: return try AssumeRoleAwsClientFactory(properties, base: base)
    case .lakeFormation: return try LakeFormationAwsClientFactory(properties, base: base)
    }
  }

  /// The region of this EC2 instance for ``clientFactory(properties:variables:transport:metrics:logger:instanceRegion:clock:)``; nil where
  /// something else gives one, there is no instance, or the properties cannot be used.
  package static func instanceRegion(
    properties: [String: String], variables: [String: String],
    transport: @escaping @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport, logger: Logger
  ) async -> String? {
    let factory = try? DefaultAwsClientFactory(
      properties: properties, variables: variables, transport: transport, metrics: Metrics(), logger: logger)
    return await factory?.askInstanceRegion()
  }

  /// Which factory it is: the named one, else Lake Formation's where that is enabled. Source: spec/properties.md §2.
  private static func factoryName(_ properties: [String: String]) throws(PropertyError) -> AwsClientFactoryName {
    let map = PropertyMap(properties)
    let key = AwsProperties.clientFactoryKey
    let isLakeFormationEnabled = map.bool(AwsProperties.lakeFormationKey, default: false)
    guard let className = map.nonEmpty(key) else { return isLakeFormationEnabled ? .lakeFormation : .standard }
    guard let name = AwsClientFactoryName(rawValue: className) else {
      throw PropertyError(
        key: key, message: "Cannot initialize AwsClientFactory, missing no-arg constructor: \(className) (no such class is known here)")
    }
    if isLakeFormationEnabled, name != .lakeFormation {
      throw PropertyError(
        key: key,
        message: "Detected LakeFormation enabled for Glue catalog, should use a client factory that extends "
          + "\(AwsClientFactoryName.lakeFormation.rawValue), but found \(className)")
    }
    return name
  }

  /// Which catalog it is: by `type`, its alias `catalog-type`, or `catalog-impl`.
  package static func kind(name: String, properties: [String: String]) throws(PropertyError) -> Kind {
    let map = PropertyMap(properties)
    let type = map.nonEmpty("type") ?? map.nonEmpty("catalog-type")
    let implementation = map.nonEmpty("catalog-impl")
    if let type, let implementation {
      throw PropertyError(
        key: "type",
        message: "Cannot create catalog \(name), both type and catalog-impl are set: type=\(type), catalog-impl=\(implementation)")
    }
    if let implementation {
      guard let kind = Kind.allCases.first(where: { $0.className == implementation }) else {
        throw PropertyError(
          key: "catalog-impl",
          message: "Cannot initialize Catalog implementation \(implementation): known here are \(Kind.glue.className) and "
            + Kind.dynamodb.className)
      }
      return kind
    }
    guard let type else {
      throw PropertyError(key: "type", message: "Catalog \(name) has no type: set type=glue or type=dynamodb")
    }
    guard let kind = Kind(rawValue: type.lowercased()) else {
      throw PropertyError(key: "type", message: "Unknown catalog type: \(type) (known here are glue and dynamodb)")
    }
    return kind
  }

  private static func checkFileIO(_ properties: [String: String]) throws(PropertyError) {
    guard let className = PropertyMap(properties).nonEmpty("io-impl") else { return }
    guard ["org.apache.iceberg.aws.s3.S3FileIO", "org.apache.iceberg.io.ResolvingFileIO"].contains(className) else {
      throw PropertyError(
        key: "io-impl",
        message: "Cannot initialize FileIO implementation \(className): known here is org.apache.iceberg.aws.s3.S3FileIO")
    }
  }
}
