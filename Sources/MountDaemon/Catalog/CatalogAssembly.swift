// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Configuration
import HTTP
import Iceberg
import IcebergAWS
import Logging
import Telemetry

/// A catalog with its clients, made from a configuration.
struct CatalogAssembly: Sendable {
  let configuration: CatalogConfiguration
  let catalog: any Catalog
  let factory: any AwsClientFactory
  let transports: TransportPool
  let logger: Logger

  /// Nothing is sent, but for the region of an EC2 instance where nothing else gives one.
  ///
  /// - Parameter uploadMemory: what the bytes of uploads are counted in.
  init(
    _ configuration: CatalogConfiguration, uploadMemory: any UploadMemory = UnlimitedUploadMemory(), metrics: Metrics, logger: Logger
  ) async throws(MountError) {
    self.configuration = configuration
    self.logger = logger
    let pool = TransportPool()
    transports = pool
    let properties = configuration.properties.values
    let transport: @Sendable (CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport = { (settings) throws(HTTPError) in
      try pool.transport(settings)
    }
    do throws(IcebergAWS.PropertyError) {
      let instanceRegion = await CatalogLoader.instanceRegion(
        properties: properties, variables: configuration.environment, transport: transport, logger: logger)
      factory = try CatalogLoader.clientFactory(
        properties: properties, variables: configuration.environment, transport: transport, metrics: metrics, logger: logger,
        instanceRegion: instanceRegion)
      catalog = try CatalogLoader.load(
        name: configuration.catalog, properties: properties, factory: factory, uploadMemory: uploadMemory, logger: logger)
    } catch {
      let key = error.key
      let source = key.isEmpty ? nil : configuration.properties.source(of: key)
      throw MountError("catalog \(configuration.catalog): \(error.message)\(source.map { " (\(key) from \($0))" } ?? "")")
    }
  }

  /// The metastore's service.
  var metastore: AWSService {
    switch configuration.catalogType {
    case .glue: .glue
    case .dynamodb: .dynamodb
    }
  }

  /// The services a mount talks to.
  var services: [AWSService] { [metastore, .s3] }
}
