// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The properties of the two catalogs. Source: spec/properties.md §1, §2.
package struct AwsProperties: Sendable {
  package static let warehouseKey = "warehouse"
  package static let clientFactoryKey = "client.factory"
  package static let lakeFormationKey = "glue.lakeformation-enabled"

  /// Without trailing slashes; nil where it is absent or empty.
  package var warehouse: String?
  /// Whether new tables get a place that no table had before (Iceberg 1.11).
  package var isTableLocationUnique: Bool
  package var glueCatalogID: String?
  package var isGlueNameValidationSkipped: Bool
  package var isGlueLakeFormationEnabled: Bool
  /// `SkipArchive` of UpdateTable.
  package var isGlueArchiveSkipped: Bool
  package var glueEndpoint: String?
  /// PyIceberg's: sends in all, from `glue.max-retries`.
  package var glueMaxAttempts: Int?
  package var glueRetryMode: String?
  package var dynamoDBEndpoint: String?
  package var dynamoDBTableName: String

  package init(_ properties: [String: String]) throws(PropertyError) {
    let map = PropertyMap(properties)
    warehouse = map.nonEmpty(Self.warehouseKey).map(Self.withoutTrailingSlashes)
    isTableLocationUnique = map.bool("unique-table-location", default: false)
    glueCatalogID = map.nonEmpty("glue.id")
    isGlueNameValidationSkipped = map.bool("glue.skip-name-validation", default: false)
    isGlueLakeFormationEnabled = map.bool(Self.lakeFormationKey, default: false)
    isGlueArchiveSkipped = map.bool("glue.skip-archive", default: true)
    glueEndpoint = map.nonEmpty("glue.endpoint")
    glueMaxAttempts = try map.integer("glue.max-retries", in: 0...1000).map { Int($0) + 1 }
    glueRetryMode = map.nonEmpty("glue.retry-mode").map { ["standard", "adaptive", "legacy"].contains($0) ? $0 : "standard" }
    dynamoDBEndpoint = map.nonEmpty("dynamodb.endpoint")
    dynamoDBTableName = map.nonEmpty("dynamodb.table-name") ?? "iceberg"
  }

  /// The directory of a new table in the directory of its namespace.
  func location(of table: String, in directory: String) -> String {
    guard isTableLocationUnique else { return "\(directory)/\(table)" }
    return "\(directory)/\(table)-\(RandomUUID.text().filter { $0 != "-" })"
  }

  /// `s3://bucket/dir//` is `s3://bucket/dir`; the slashes of `s3://` stay.
  package static func withoutTrailingSlashes(_ location: String) -> String {
    var bytes = Array(location.utf8)
    while bytes.last == UInt8(ascii: "/"), !bytes.reversed().starts(with: "//:".utf8) {
      bytes.removeLast()
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
