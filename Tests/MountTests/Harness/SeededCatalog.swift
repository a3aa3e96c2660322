// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

/// The kinds of catalog that the tests mount.
enum Metastore: String, Sendable, CaseIterable, CustomTestStringConvertible {
  case glue, dynamodb

  var testDescription: String { self == .glue ? "Glue" : "DynamoDB" }
}

/// A table as the seed left it.
struct SeededTable: Sendable {
  let namespace: String
  let name: String
  /// `s3://…` without a slash at the end.
  let location: String
  let metadataLocation: String
  let metadataDirectory: String
  let dataDirectory: String
  let rowCount: Int64
  let dataFileCount: Int64

  init(_ node: JSONNode) throws {
    namespace = try node.text("namespace")
    name = try node.text("name")
    location = try node.text("location")
    metadataLocation = try node.text("metadata_location")
    metadataDirectory = try node.text("metadata_directory")
    dataDirectory = try node.text("data_directory")
    rowCount = try node.integer("row_count")
    dataFileCount = try node.integer("data_file_count")
  }

  /// The table's directory below the mountpoint.
  var path: String {
    (namespace.split(separator: ".") + [name[...]]).map { String(decoding: ShownName.encode(Array($0.utf8)), as: UTF8.self) }
      .joined(separator: "/")
  }
  var metadataFileName: String { metadataLocation.split(separator: "/").last.map(String.init) ?? "" }
}

/// What the seed made in one metastore.
struct SeededCatalog: Sendable {
  let metastore: Metastore
  let warehouse: String
  let bucket: String
  /// DynamoDB's nested ones with dots.
  let namespaces: [String]
  let tables: [SeededTable]
  /// (namespace, name) of entries that are no tables.
  let hidden: [(namespace: String, name: String)]
  let broken: [(namespace: String, name: String)]
  /// Whole keys, of the table `lab.odd_keys`.
  let oddKeys: [String]

  init(_ metastore: Metastore, _ node: JSONNode) throws {
    self.metastore = metastore
    warehouse = try node.text("warehouse")
    bucket = try node.text("bucket")
    namespaces = node["namespaces"]?.elements.compactMap(\.string) ?? []
    tables = try node["tables"]?.elements.map { try SeededTable($0) } ?? []
    hidden = try Self.identifiers(node["hidden"])
    broken = try Self.identifiers(node["broken"])
    oddKeys = node["odd_keys"]?.elements.compactMap(\.string) ?? []
  }

  /// A table of the seed by its dotted name.
  func table(_ name: String) throws -> SeededTable {
    guard let table = tables.first(where: { "\($0.namespace).\($0.name)" == name }) else { throw HarnessError("no seeded table \(name)") }
    return table
  }

  private static func identifiers(_ node: JSONNode?) throws -> [(namespace: String, name: String)] {
    try node?.elements.map { (try $0.text("namespace"), try $0.text("name")) } ?? []
  }
}

/// An object as boto3 sees it.
struct StoredObject: Sendable, Hashable {
  let bucket: String
  let key: [UInt8]
  let size: Int64
  let etag: String
  /// Seconds since 1970.
  let lastModified: Double
  /// Of the whole body, in hexadecimal digits.
  let sha256: String

  init(_ bucket: String, _ node: JSONNode) throws {
    self.bucket = bucket
    key = Array(try node.text("key").utf8)
    size = try node.integer("size")
    etag = try node.text("etag")
    lastModified = node["last_modified"]?.double ?? 0
    sha256 = node["sha256"]?.string ?? ""
  }
}

extension JSONNode {
  func text(_ key: String) throws -> String {
    guard let value = self[key]?.string else { throw HarnessError("no text at \(key)") }
    return value
  }

  func integer(_ key: String) throws -> Int64 {
    guard let value = self[key]?.int64 else { throw HarnessError("no integer at \(key)") }
    return value
  }
}
