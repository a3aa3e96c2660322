// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Testing

@testable import CatalogFS

@Suite("Roles of new files")
struct NameRulesTests {
  private static let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"

  @Test(
    "In metadata/ Iceberg's files are objects and everything else is scratch",
    arguments: [
      "0f8f-m0.avro", "snap-12-1-0f8f.avro", "12-0f8f.stats", "dv.puffin", "partition-stats-1-0f8f.parquet", "partition-stats-1-0f8f.orc",
    ])
  func metadataObjects(name: String) {
    #expect(Self.role(name, .metadata) == .object)
    #expect(Self.role(name, .metadata, isExclusive: true) == .object)
  }

  @Test(
    "A name that is no Iceberg file is scratch in metadata/",
    arguments: [
      "new.json", "00002.json", "current.json.tmp", "sedABCDEF", "sediment1", "4913", "notes.txt", "x.avro~", "x.avro.tmp", ".x.avro.swp",
      "avro", "stats", "x.AVRO", ".00002.metadata.json.swp", "00002-\(uuid).metadata.json.tmp", ".00002-\(uuid).metadata.json.crc",
      "metadata.json", ".\(uuid).json.AbC123", ".avro",
    ])
  func metadataScratch(name: String) {
    #expect(Self.role(name, .metadata) == .scratch)
    #expect(Self.role(name, .metadata, isExclusive: true) == .scratch)
  }

  @Test(
    "The full form of a metadata file's name is a commit",
    arguments: ["00000-\(uuid)", "00002-\(uuid)", "123456-\(uuid)", "00002-\(uuid.uppercased())", "00002-\(uuid).gz"])
  func fullForm(stem: String) throws {
    let name = stem + ".metadata.json"
    let file = try #require(MetadataFileName(name))
    #expect(Self.role(name, .metadata) == .fullForm(file))
    #expect(Self.role(name, .metadata, isExclusive: true) == .fullForm(file))
    #expect(file.number != nil && file.pyIcebergNumber != nil)
    // rsync's temporary of it stays here: its rename is the commit.
    #expect(Self.role(".\(name).AbC123", .metadata, isExclusive: true) == .scratch)
  }

  @Test(
    "A metadata file's name that is not in full form is refused, not swallowed",
    arguments: [
      "00002.metadata.json", "2-\(uuid).metadata.json", "000002-\(uuid).metadata.json", "00002-\(uuid).metadata.json.gz",
      "00002-\(uuid).zstd.metadata.json", "00002-\(uuid)x.metadata.json", "00002-0f8fad5bd9cb469fa16570867728950e----.metadata.json",
      "v3.metadata.json", "current.metadata.json", "99999999999-\(uuid).metadata.json", "00002-\(uuid).metadata.json.bak",
      "x.metadata.jsonx",
      "-\(uuid).metadata.json", "00002_\(uuid).metadata.json",
    ])
  func refused(name: String) throws {
    let sentence = try #require(Self.role(name, .metadata).sentence)
    #expect(sentence.contains(name) && sentence.contains("NNNNN-<uuid>.metadata.json"))
    #expect(Self.role(name, .metadata, isExclusive: true).sentence != nil)
    #expect(Self.role(".\(name).AbC123", .metadata, isExclusive: true).sentence != nil)
    // Below data/ it is a name like any other.
    #expect(Self.role(name, .data) == .object)
  }

  @Test(
    "In data/ every name is an object but those of temporaries",
    arguments: [
      "part-0.parquet", "sediments1", "sedABCDE", "sedABCDEFG", "sedABC-EF", "4913.parquet", "49130", "_SUCCESS", "x.crc", "tmp", "part",
      "x.tmp.parquet", "00002.metadata.json", "x.swpx", "a.AbC123", "größe.parquet", "x.avro",
    ])
  func dataObjects(name: String) {
    for directory in [NameRules.Directory.data, .belowData] {
      #expect(Self.role(name, directory) == .object)
      #expect(Self.role(name, directory, isExclusive: true) == .object)
    }
  }

  @Test(
    "Temporaries are scratch in data/",
    arguments: [
      ".part-0.parquet.crc", ".hidden", "part-0.parquet~", "~", "x.swp", ".x.parquet.swp", "x.swo", "x.swx", "x.tmp", ".tmp", "x.part",
      ".fuse_hidden0000000100000001",
    ])
  func dataScratch(name: String) {
    for directory in [NameRules.Directory.data, .belowData] {
      #expect(Self.role(name, directory) == .scratch)
      #expect(Self.role(name, directory, isExclusive: true) == .scratch)
    }
  }

  @Test(
    "sed's and vim's temporaries are scratch only when they are created exclusively",
    arguments: ["sedABCDEF", "sedx1Y2z3", "sediment1", "4913"])
  func exclusive(name: String) {
    #expect(Self.role(name, .data) == .object)
    #expect(Self.role(name, .data, isExclusive: true) == .scratch)
  }

  @Test("A copy whose name sed could have made up is an object: cp creates exclusively, but not for its owner alone")
  func copies() {
    for mode in [0o644, 0o640, 0o604, 0o755] as [UInt16] {
      #expect(NameRules.role(of: EntryName("sediment1"), in: .data, isExclusive: true, mode: mode) == .object)
      #expect(NameRules.role(of: EntryName(".a.backup"), in: .data, isExclusive: true, mode: mode) == .scratch)
      #expect(NameRules.role(of: EntryName("4913"), in: .data, isExclusive: true, mode: mode) == .scratch)
    }
    for mode in [0o600, 0] as [UInt16] {
      #expect(NameRules.role(of: EntryName("sediment1"), in: .data, isExclusive: true, mode: mode) == .scratch)
      #expect(NameRules.role(of: EntryName("sediment1"), in: .data, isExclusive: false, mode: mode) == .object)
      #expect(
        NameRules.role(of: EntryName(".a.backup"), in: .data, isExclusive: true, mode: mode) == .renamed(to: EntryName("a")))
    }
  }

  @Test(
    "rsync's temporary of an object is uploaded under the object's name, if it is created exclusively",
    arguments: [
      (".part-0.parquet.AbC123", "part-0.parquet"), (".a.b3xYz1", "a"), (".sedABCDEF.q1W2e3", "sedABCDEF"),
      (".größe.parquet.abcdef", "größe.parquet"),
    ])
  func rsync(name: String, target: String) {
    #expect(Self.role(name, .data, isExclusive: true) == .renamed(to: EntryName(target)))
    #expect(Self.role(name, .belowData, isExclusive: true) == .renamed(to: EntryName(target)))
    #expect(Self.role(name, .data) == .scratch)
  }

  @Test(
    "rsync's temporary is scratch where its target is, and where the target's name is cut or not there",
    arguments: [
      "..hidden.AbC123", ".x.tmp.AbC123", ".x~.AbC123", "..AbC123", ".AbC123", ".x.AbC12", ".x.AbC1234", ".x.AbC-12", ".xAbC123",
      "." + String(repeating: "x", count: 247) + ".AbC123", "." + String(repeating: "x", count: 244) + ".AbC123",
    ])
  func rsyncScratch(name: String) {
    #expect(Self.role(name, .data, isExclusive: true) == .scratch)
  }

  @Test("rsync's temporary of a long name that is not cut is uploaded")
  func rsyncLong() {
    let target = String(repeating: "x", count: 243)
    #expect(Self.role(".\(target).AbC123", .data, isExclusive: true) == .renamed(to: EntryName(target)))
  }

  @Test("In metadata/ rsync's temporary of an Iceberg file is uploaded, of other names scratch")
  func rsyncMetadata() {
    #expect(Self.role(".snap-1.avro.AbC123", .metadata, isExclusive: true) == .renamed(to: EntryName("snap-1.avro")))
    #expect(Self.role(".snap-1.avro.AbC123", .metadata) == .scratch)
    #expect(Self.role(".notes.txt.AbC123", .metadata, isExclusive: true) == .scratch)
  }

  @Test("A name that is no UTF-8 cannot be an object's; as scratch it may be")
  func bytes() throws {
    let broken: [UInt8] = [0x70, 0xFF, 0xFE]
    let sentence = try #require(NameRules.role(of: EntryName(broken), in: .data, isExclusive: false).sentence)
    #expect(sentence.contains("UTF-8"))
    #expect(NameRules.role(of: EntryName(broken + Array(".avro".utf8)), in: .metadata, isExclusive: false).sentence != nil)
    #expect(NameRules.role(of: EntryName(broken), in: .metadata, isExclusive: false) == .scratch)
    #expect(NameRules.role(of: EntryName(broken + Array(".tmp".utf8)), in: .data, isExclusive: false) == .scratch)
    let temporary = EntryName(Array(".".utf8) + broken + Array(".AbC123".utf8))
    #expect(NameRules.role(of: temporary, in: .data, isExclusive: true).sentence != nil)
    let metadata = EntryName(broken + Array(".metadata.json".utf8))
    #expect(NameRules.role(of: metadata, in: .metadata, isExclusive: false).sentence != nil)
  }

  private static func role(_ name: String, _ directory: NameRules.Directory, isExclusive: Bool = false) -> FileRole {
    NameRules.role(of: EntryName(name), in: directory, isExclusive: isExclusive)
  }
}

extension FileRole {
  fileprivate var sentence: String? {
    if case .refused(let sentence) = self { sentence } else { nil }
  }
}
