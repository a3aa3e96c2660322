// SPDX-License-Identifier: Apache-2.0

import HTTP
import Iceberg
import IcebergAWS
import Logging
import Telemetry
import TestSupport
import WireFormats

/// S3FileIO against the emulator, filled by boto3 once for all tests of the process.
struct EmulatedFileIOFixture: FileIOFixture {
  let bucket = "conformance"
  let files: any FileIO
  let deniedFiles: any FileIO
  private let emulator: Emulator

  static func shared() async throws -> EmulatedFileIOFixture {
    try await making.value
  }

  private static let making = Task { try await EmulatedFileIOFixture() }

  private init() async throws {
    emulator = try await Emulator.shared()
    files = try EmulatedClients.files(emulator.properties)
    deniedFiles = try EmulatedClients.files(emulator.properties.merging(EmulatedClients.wrongSecret) { $1 })
    try await put(ConformanceObjects.all)
  }

  func put(_ objects: [(key: String, bytes: [UInt8])]) async throws {
    let order = objects.map { object -> JSONValue in
      ["key": .string(object.key), "hex": .string(object.bytes.map(Self.hex).joined())]
    }
    try await send(["bucket": .string(bucket), "put": .array(order)])
  }

  func delete(_ keys: [String]) async throws {
    try await send(["bucket": .string(bucket), "delete": .array(keys.map { .string($0) })])
  }

  private func send(_ order: JSONValue) async throws {
    try await emulator.run("Tests/ConformanceTests/Support/objects.py", input: order.serialized())
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0" + digits : digits
  }
}

/// Clients as the daemon makes them.
enum EmulatedClients {
  static let wrongSecret = ["client.secret-access-key": "not-the-secret"]
  private static let transports = TransportPool()

  /// - Parameters:
  ///   - metrics: counts the requests.
  ///   - wrap: puts something of the test between client and wire.
  static func factory(
    _ properties: [String: String], metrics: Metrics = Metrics(),
    wrap: @escaping @Sendable (any HTTPTransport) -> any HTTPTransport = { $0 }
  ) throws -> any AwsClientFactory {
    try CatalogLoader.clientFactory(
      properties: properties, variables: [:],
      transport: { configuration throws(HTTPError) in wrap(try transports.transport(configuration)) }, metrics: metrics,
      logger: Logger(label: "conformance"))
  }

  static func files(_ properties: [String: String]) throws -> any FileIO {
    S3FileIO(client: try factory(properties).s3(), properties: try S3FileIOProperties(properties))
  }

  static func catalog(_ properties: [String: String]) throws -> any Catalog {
    try CatalogLoader.load(
      name: "conformance", properties: properties, factory: try factory(properties), logger: Logger(label: "conformance"))
  }
}
