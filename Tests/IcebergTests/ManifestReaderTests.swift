// SPDX-License-Identifier: Apache-2.0

import Fuzzing
import TestSupport
import Testing

@testable import Iceberg
@testable import WireFormats

/// Manifests and manifest lists as PyIceberg writes them; see Fixtures/README.md.
@Suite struct ManifestReaderTests {
  private static let codecs = ["v2-null", "v2-deflate", "v2-snappy", "v2-zstandard", "v1-deflate", "v1-snappy"]

  private static func entries(_ bytes: [UInt8], of manifest: ManifestFile? = nil, details: Bool = false) throws -> [ManifestEntry] {
    var entries: [ManifestEntry] = []
    try ManifestReader(parsing: bytes).forEachEntry(of: manifest, columns: details ? .all : .files) { entry throws(AvroError) in
      entries.append(entry)
    }
    return entries
  }

  private static func list(_ bytes: [UInt8]) throws -> [ManifestFile] { try ManifestList(parsing: bytes).manifests() }

  private static func path(_ entry: ManifestEntry) -> String { String(decoding: entry.filePath, as: UTF8.self) }

  @Test("Lists give what PyIceberg wrote, whatever the codec", arguments: codecs)
  func lists(name: String) throws {
    let manifests = try Self.list(try Fixture.bytes("manifests/list-\(name).avro"))
    let manifest = try #require(manifests.first)
    let isFirst = name.hasPrefix("v1")
    #expect(manifests.count == 1)
    #expect(manifest.path == "s3://lake/sales/orders/metadata/\(name).avro")
    #expect(manifest.length == Int64(try Fixture.bytes("manifests/\(name).avro").count))
    #expect(manifest.specID == 4 && manifest.content == .data && manifest.addedSnapshotID == 99 && !manifest.isEncrypted)
    #expect(manifest.sequenceNumber == (isFirst ? 0 : 7))
    #expect(manifest.minSequenceNumber == (isFirst ? 0 : 3))
    #expect(manifest.files == ManifestFile.Counts(added: 1, existing: 1, deleted: 1))
    #expect(manifest.rows == ManifestFile.Counts(added: 1_000, existing: 2_000, deleted: 3_000))
    #expect(manifest.firstRowID == nil)
  }

  @Test("Entries give what PyIceberg wrote, whatever the codec; what they leave out is the list's", arguments: codecs)
  func entries(name: String) throws {
    let manifest = try #require(try Self.list(try Fixture.bytes("manifests/list-\(name).avro")).first)
    let bytes = try Fixture.bytes("manifests/\(name).avro")
    let reader = try ManifestReader(parsing: bytes)
    let isFirst = name.hasPrefix("v1")
    #expect(reader.formatVersion == (isFirst ? 1 : 2) && reader.partitionSpecID == 4 && reader.content == .data)
    let entries = try Self.entries(bytes, of: manifest)
    #expect(entries.map(\.status) == [.added, .existing, .deleted])
    #expect(entries.map(\.snapshotID) == [99, 41, 99])
    #expect(entries.map(\.sequenceNumber) == (isFirst ? [0, 0, 0] : [7, 3, 4]))
    #expect(entries.map(\.fileSequenceNumber) == (isFirst ? [0, 0, 0] : [7, 3, 4]))
    #expect(entries.map(Self.path) == (1...3).map { "s3://lake/sales/orders/data/place=Tromsø/0000\($0).parquet" })
    #expect(entries.map(\.recordCount) == [1_000, 2_000, 3_000])
    #expect(entries.map(\.fileSize) == [5_000_000_001, 5_000_000_002, 5_000_000_003])
    #expect(entries.allSatisfy { $0.format == .parquet && $0.content == .data && $0.firstRowID == nil && $0.details == nil })
    #expect(try Self.entries(bytes).map(\.sequenceNumber) == (isFirst ? [0, 0, 0] : [nil, 3, 4]))
  }

  @Test("Partition and statistics are decoded when they are asked for", arguments: codecs)
  func details(name: String) throws {
    let entries = try Self.entries(try Fixture.bytes("manifests/\(name).avro"), details: true)
    let details = try #require(entries.dropFirst().first?.details)
    #expect(details.partition.map(\.id) == [1000, 1001] && details.partition.map(\.name) == ["at_day", "place"])
    #expect(details.partition.map(\.value) == [.long(20_402), .null])
    #expect(entries.first?.details?.partition.map(\.value) == [.long(20_401), .string("Tromsø")])
    #expect(details.columnSizes == [1: 4_000, 2: 302, 3: 70_000])
    #expect(details.valueCounts == [1: 2_000, 2: 2_000] && details.nullValueCounts == [1: 0, 2: 2] && details.nanValueCounts == [:])
    #expect(details.lowerBounds == [1: [2, 0, 0, 0, 0, 0, 0, 0], 2: Array("Bergen".utf8)])
    #expect(details.upperBounds == [1: Array(repeating: 0xFF, count: 8), 2: Array("Tromsø".utf8)])
    #expect(details.splitOffsets == [4, 134_217_732] && details.equalityIDs == [] && details.sortOrderID == 0)
    #expect(details.keyMetadata == nil && details.referencedDataFile == nil && details.contentOffset == nil)
  }

  @Test("A codec that is not read is named")
  func bzip2() throws {
    let bytes = try Fixture.bytes("manifests/v2-bzip2.avro")
    let error = #expect(throws: AvroError.self) { try Self.entries(bytes) }
    #expect(error?.code == .unsupportedCodec)
    #expect(error?.message.contains("unsupported codec bzip2") == true)
  }

  @Test("Paths are the file's own bytes, and each statistic is gone over in one step")
  func economy() throws {
    // Not seconds, which depend on the machine: what an entry costs in copies and in steps.
    let bytes = try Fixture.bytes("manifests/v2-null.avro")
    let entries = try Self.entries(bytes)
    let addresses = entries.map { $0.filePath.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) } - $0.filePath.startIndex }
    #expect(Set(addresses).count == 1)
    let steps = try AvroProgram(try AvroContainer(parsing: bytes).schema, keeping: ManifestReader.paths).steps
    // Sizes and three counts, numbers by number; split offsets and equality ids; and the two bounds, whose lengths have to be read.
    #expect(steps.count { $0.kind == .skipNumberItems && $0.count == 2 } == 4)
    #expect(steps.count { $0.kind == .skipNumberItems && $0.count == 1 } == 2)
    #expect(steps.count { $0.kind == .skipPrefixedItems && $0.count == 1 } == 2)
    #expect(steps.count { $0.kind == .skipItems } == 0)
    #expect(steps.count <= 70, "\(steps.count)")
  }

  @Test("Files cut or changed anywhere are refused with a sentence or read, and never trap", arguments: codecs)
  func fuzz(name: String) throws {
    let (list, manifest) = (try Fixture.bytes("manifests/list-\(name).avro"), try Fixture.bytes("manifests/\(name).avro"))
    var random = SeededGenerator(seed: 5)
    for round in 0..<1_500 {
      var bytes = round % 2 == 0 ? list : manifest
      switch round % 5 {
      case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
      case 1:
        // Headers take most of the file: blocks get a share of their own.
        let index = bytes.count - Int.random(in: 1...min(bytes.count, 700), using: &random)
        bytes[index] = .random(in: 0...255, using: &random)
      case 2: bytes.remove(at: Int.random(in: bytes.indices, using: &random))
      default: bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << Int.random(in: 0..<8, using: &random)
      }
      do {
        _ = round % 2 == 0 ? try Self.list(bytes).count : try Self.entries(bytes, details: true).count
      } catch let error as AvroError {
        #expect(!error.message.isEmpty)
      }
    }
  }
}
