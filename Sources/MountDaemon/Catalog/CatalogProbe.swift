// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Configuration
import Iceberg
import IcebergAWS

/// Where the keys of a service come from, and until when they hold; no secret in it.
struct CredentialSighting: Sendable, Hashable {
  var service: String
  var source: String
  /// Shortened, as it may be shown.
  var accessKeyID: String
  /// Seconds since 1970.
  var expiration: Double?
}

/// The questions that show whether a catalog can be used, each answered by a request of its own.
struct CatalogProbe: Sendable {
  let assembly: CatalogAssembly

  /// Stands for no table in particular.
  static let anyTable = TableIdentifier(namespace: .root, name: "")

  /// Resolves the keys of a service.
  func credentials(of service: AWSService) async throws(MountError) -> CredentialSighting {
    let provider: any AWSCredentialsProvider
    do throws(IcebergAWS.PropertyError) {
      provider = try assembly.factory.credentials(for: service)
    } catch {
      throw failure(error.message)
    }
    let keys: AWSCredentials?
    do throws(AWSError) {
      keys = try await provider.credentials()
    } catch {
      throw failure("\(service.name): \(error.message)")
    }
    guard let keys else { throw failure("\(service.name): no AWS keys are configured (looked at: \(provider.name))") }
    return Self.sighting(of: keys, service)
  }

  /// The keys as they were last renewed, for those that were seen before.
  func latest(_ sightings: [CredentialSighting]) -> [CredentialSighting] {
    zip(assembly.services, sightings).map { service, sighting in
      guard let keys = try? assembly.factory.credentials(for: service).latest else { return sighting }
      return Self.sighting(of: keys, service)
    }
  }

  private static func sighting(of keys: AWSCredentials, _ service: AWSService) -> CredentialSighting {
    CredentialSighting(
      service: service.name, source: keys.source, accessKeyID: abbreviated(keys.accessKeyID), expiration: keys.expiration)
  }

  /// Finds out whether the S3 server keeps `If-None-Match` on writes, by an object in the warehouse that is deleted again. AWS does, so only
  /// other endpoints need to be asked. Source: filesystem contract §8.
  ///
  /// - Parameter asksAWS: also where the endpoint is AWS's.
  /// - Returns: nil if nobody was asked.
  func conditionalWrites(asksAWS: Bool = false) async -> ConditionalWrites? {
    let properties = assembly.configuration.properties.values
    guard asksAWS || properties[S3FileIOKeys.endpoint] != nil, let warehouse = properties[CatalogKeys.warehouseLocation],
      let files = assembly.catalog.fileIO(for: Self.anyTable) as? any WritableFileIO, let location = try? files.location(warehouse)
    else { return nil }
    return await files.probeConditionalWrites(in: location)
  }

  /// Why the catalog cannot be mounted.
  func failure(_ sentence: String) -> MountError {
    MountError("catalog \(assembly.configuration.catalog): \(sentence)")
  }

  /// Lists one page of the catalog's namespaces.
  ///
  /// - Throws: what the catalog throws; `timedOut` after a minute.
  func firstPage() async throws(CatalogError) -> CatalogPage<NamespaceEntry> {
    let catalog = assembly.catalog
    let page = await Self.within(Self.patience) { () -> Result<CatalogPage<NamespaceEntry>, CatalogError> in
      do throws(CatalogError) {
        return .success(try await catalog.listNamespaces(under: .root, after: nil))
      } catch {
        return .failure(error)
      }
    }
    guard let page else {
      throw CatalogError(
        code: .timedOut,
        message: "the catalog gave no answer within \(Self.patience.components.seconds) s; check endpoint and network")
    }
    return try page.get()
  }

  /// The longest that the first page may take with all its requests and retries: a person waits at the terminal.
  private static let patience = Duration.seconds(60)

  /// The work's result; nil if it takes longer. Then it is cancelled, and its end is waited for.
  static func within<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> Value) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
      group.addTask { await work() }
      group.addTask {
        do { try await Task.sleep(for: limit) } catch { return nil }
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }

  /// The first and last four characters of a key id: enough to tell keys apart.
  static func abbreviated(_ keyID: String) -> String {
    keyID.count > 12 ? "\(keyID.prefix(4))…\(keyID.suffix(4))" : keyID
  }
}
