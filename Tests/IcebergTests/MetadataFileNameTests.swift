// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Iceberg

/// The PyIceberg column was printed by PyIceberg 0.11.1 for the same names.
@Suite struct MetadataFileNameTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var java: Int32?
    var pyIceberg: Int64?
    var hadoop: Int64?
    var hint: String
    var alias: String?
    var isGzip = false

    var testDescription: String { name }
  }

  private static let uuid = "6c97e413-d51b-4538-ac70-12fe2a85cb83"

  static let rows = [
    Row(name: "00001-\(uuid).metadata.json", java: 1, pyIceberg: 1, hint: "1", alias: "v1.metadata.json"),
    Row(name: "00000-\(uuid).metadata.json", java: 0, pyIceberg: 0, hint: "0", alias: "v0.metadata.json"),
    Row(name: "123456-\(uuid).metadata.json", java: 123_456, pyIceberg: 123_456, hint: "123456", alias: "v123456.metadata.json"),
    Row(name: "00012-\(uuid).gz.metadata.json", java: 12, pyIceberg: 12, hint: "12", alias: "v12.gz.metadata.json", isGzip: true),
    Row(name: "3-\(uuid).metadata.json.gz", java: 3, pyIceberg: nil, hint: "3", alias: "v3.gz.metadata.json", isGzip: true),
    Row(name: "00003-abc.metadata.json", java: 3, pyIceberg: nil, hint: "3", alias: "v3.metadata.json"),
    Row(name: "v7.metadata.json", java: nil, pyIceberg: nil, hadoop: 7, hint: "7"),
    Row(name: "v7.gz.metadata.json", java: nil, pyIceberg: nil, hadoop: 7, hint: "7", isGzip: true),
    Row(name: "v7.metadata.json.gz", java: nil, pyIceberg: nil, hadoop: 7, hint: "7", isGzip: true),
    Row(name: "v07.metadata.json", java: nil, pyIceberg: nil, hint: "v07"),
    Row(name: "v.metadata.json", java: nil, pyIceberg: nil, hint: "v"),
    Row(name: "\(uuid).metadata.json", java: nil, pyIceberg: nil, hint: uuid),
    Row(name: "-\(uuid).metadata.json", java: nil, pyIceberg: nil, hint: "-\(uuid)"),
    Row(name: "+1-\(uuid).metadata.json", java: nil, pyIceberg: nil, hint: "+1-\(uuid)"),
    Row(name: "4294967296-\(uuid).metadata.json", java: nil, pyIceberg: 4_294_967_296, hint: "4294967296-\(uuid)"),
    Row(name: "2147483647-x.metadata.json", java: .max, pyIceberg: nil, hint: "2147483647", alias: "v2147483647.metadata.json"),
    Row(name: "99999999999999999999-x.metadata.json", java: nil, pyIceberg: nil, hint: "99999999999999999999-x"),
    Row(name: "00005-\(uuid).metadata.json.bak", java: 5, pyIceberg: nil, hint: "5", alias: "v5.metadata.json"),
    Row(name: "00006-6c97e413_d51b_4538_ac70_12fe2a85cb83.metadata.json", java: 6, pyIceberg: nil, hint: "6", alias: "v6.metadata.json"),
    Row(name: "00007-\(uuid)..metadata.json", java: 7, pyIceberg: nil, hint: "7", alias: "v7.metadata.json"),
    Row(name: "00008-\(uuid).a.b.metadata.json", java: 8, pyIceberg: nil, hint: "8", alias: "v8.metadata.json"),
    Row(name: "00009-\(uuid.uppercased()).metadata.json", java: 9, pyIceberg: 9, hint: "9", alias: "v9.metadata.json"),
    Row(name: "00010-6c97e413-d51b-4538-ac70-12fe2a85cb8g.metadata.json", java: 10, pyIceberg: nil, hint: "10", alias: "v10.metadata.json"),
    Row(name: "00011-6c97e413d51b4538ac7012fe2a85cb83abcd.metadata.json", java: 11, pyIceberg: nil, hint: "11", alias: "v11.metadata.json"),
    Row(name: "00013-6c97e413d51b4538ac7012fe2a85cb83----.metadata.json", java: 13, pyIceberg: 13, hint: "13", alias: "v13.metadata.json"),
    Row(name: "latest.metadata.json", java: nil, pyIceberg: nil, hint: "latest"),
    Row(name: "latest.gz.metadata.json", java: nil, pyIceberg: nil, hint: "latest.gz", isGzip: true),
    Row(name: "latest.metadata.json.gz", java: nil, pyIceberg: nil, hint: "latest", isGzip: true),
    Row(name: ".metadata.json", java: nil, pyIceberg: nil, hint: ""),
    Row(name: "\u{661}-x.metadata.json", java: nil, pyIceberg: nil, hint: "\u{661}-x"),
  ]

  @Test("A name gives the numbers Java, PyIceberg and Hadoop tables read, the hint, the alias and the codec", arguments: rows)
  func names(row: Row) throws {
    for location in [row.name, "s3://lake/7-warehouse.gz/metadata/\(row.name)"] {
      let name = try #require(MetadataFileName(location))
      #expect(name.name == row.name)
      #expect(name.number == row.java)
      #expect(name.pyIcebergNumber == row.pyIceberg)
      #expect(name.hadoopNumber == row.hadoop)
      #expect(name.versionHint == row.hint)
      #expect(name.alias == row.alias)
      #expect(name.isGzip == row.isGzip)
    }
  }

  @Test(
    "A name without .metadata.json is no metadata file",
    arguments: ["", "v1.json", "00001-x.metadata.jso", "metadata.json", "a.METADATA.JSON"])
  func others(name: String) {
    #expect(MetadataFileName(name) == nil)
  }
}
