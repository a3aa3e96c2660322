// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import ObjectCache

@Suite("The header of a file of the disk cache")
struct DiskBlockHeaderTests {
  private static let key = Array("12:http://store4:lake3".utf8)

  private static var header: DiskBlockHeader {
    var header = DiskBlockHeader(key: key, size: 40_000)
    Array("some bytes".utf8).withUnsafeBytes { header.add(2, $0) }
    Array("others".utf8).withUnsafeBytes { header.add(0, $0) }
    return header
  }

  @Test("A header that is read is the one that was written")
  func written() {
    let header = Self.header
    #expect(header.encoded.count == 4096 && header.chunks == 0b101)
    #expect(DiskBlockHeader(header.encoded, key: Self.key, size: 40_000) == header)
  }

  @Test("A header in which one bit is flipped, wherever it is, is none")
  func flippedBits() {
    let bytes = Self.header.encoded
    for index in bytes.indices {
      var flipped = bytes
      flipped[index] ^= 1 << UInt8(index % 8)
      #expect(DiskBlockHeader(flipped, key: Self.key, size: 40_000) == nil, "byte \(index)")
    }
  }

  @Test("A header of another key, another size of the block, another version, or another length is none")
  func others() {
    let bytes = Self.header.encoded
    for key in [Self.key + [0], Array(Self.key.dropLast()), Array(Self.key.reversed()), []] {
      #expect(DiskBlockHeader(bytes, key: key, size: 40_000) == nil)
    }
    #expect(DiskBlockHeader(bytes, key: Self.key, size: 39_999) == nil)
    #expect(DiskBlockHeader(Array(bytes.dropLast()), key: Self.key, size: 40_000) == nil)
    #expect(DiskBlockHeader(bytes + [0], key: Self.key, size: 40_000) == nil)
    #expect(DiskBlockHeader([], key: Self.key, size: 40_000) == nil)
    #expect(DiskBlockHeader(Array(repeating: 0, count: 4096), key: [], size: 0) == nil)
  }

  @Test("A chunk is known by its bytes, its place and its key")
  func chunks() {
    let header = Self.header
    var other = DiskBlockHeader(key: Self.key + [1], size: 40_000)
    Array("some bytes".utf8).withUnsafeBytes { bytes in
      #expect(header.isSound(2, bytes))
      #expect(!header.isSound(0, bytes) && !header.isSound(1, bytes))
      other.add(2, bytes)
      #expect(other.checksums[2] != header.checksums[2])
    }
    Array("some byteS".utf8).withUnsafeBytes { #expect(!header.isSound(2, $0)) }
  }

  @Test("Keys differ where store, bucket, key, version or block do, also where only the border between two of them moves")
  func keys() throws {
    func key(_ store: String, _ bucket: String, _ key: String, _ etag: String, _ index: Int64) throws -> [UInt8] {
      let object = ObjectAttributes(location: ObjectLocation(bucket: bucket, key: key), size: 1, etag: etag, modified: 0)
      return try #require(DiskObject(object, store: store, digest: DiskCacheFixture.digest)).block(index).text
    }
    let keys = [
      try key("s", "b", "k", "\"e\"", 1), try key("t", "b", "k", "\"e\"", 1), try key("s", "c", "k", "\"e\"", 1),
      try key("s", "b", "l", "\"e\"", 1), try key("s", "b", "k", "\"f\"", 1), try key("s", "b", "k", "\"e\"", 2),
      try key("sb", "", "k", "\"e\"", 1), try key("s", "bk", "", "\"e\"", 1), try key("s", "b", "k\"e\"", "1", 1),
      try key("s", "b", "caf\u{E9}", "\"e\"", 1), try key("s", "b", "cafe\u{301}", "\"e\"", 1),
    ]
    #expect(Set(keys).count == keys.count)
  }

  @Test("Nothing is kept of a version without a strong ETag, or of a key too long for a header")
  func unkept() {
    func isKept(_ key: String, _ etag: String) -> Bool {
      let object = ObjectAttributes(location: ObjectLocation(bucket: "b", key: key), size: 1, etag: etag, modified: 0)
      return DiskObject(object, store: "s", digest: DiskCacheFixture.digest) != nil
    }
    #expect(isKept("k", "\"e\"") && isKept(String(repeating: "k", count: 1024), "\"e\""))
    #expect(!isKept("k", "") && !isKept("k", "\"\"") && !isKept("k", "W/\"e\"") && !isKept(String(repeating: "k", count: 4096), "\"e\""))
  }

  @Test("Names of blocks and of temporary files are told from each other and from all others")
  func names() throws {
    let name = DiskBlockName(digest: [0, 1, 2, 3, 4, 5, 6, 0xFF] + Array(repeating: 0, count: 8))
    #expect(name.fileName == "00010203040506ff0000000000000000.block")
    #expect(DiskBlockName(fileName: name.fileName) == name)
    let temporary = name.temporaryName(10)
    #expect(temporary == "00010203040506ff0000000000000000.000000000000000a.tmp")
    #expect(DiskBlockName.isTemporary(temporary) && DiskBlockName(fileName: temporary) == nil)
    for other in [
      "notes.txt", ".block", "a.b.tmp", "journals", name.fileName.uppercased(), name.fileName + ".tmp", "+" + name.fileName.dropFirst(),
      String(repeating: "é", count: 16) + ".block", "x" + temporary.dropFirst(),
    ] {
      #expect(DiskBlockName(fileName: other) == nil && !DiskBlockName.isTemporary(other), "\(other)")
    }
  }
}

@Suite("The queue before a thread that blocks on the disk")
struct DiskQueueTests {
  @Test("A full queue refuses, a closed one too, and what is in it is handed out in order")
  func bounded() {
    let queue = DiskQueue<Int>(limit: 2)
    #expect(queue.offer(1) && queue.offer(2) && !queue.offer(3))
    #expect(queue.next() == 1)
    #expect(queue.offer(4))
    queue.close()
    queue.close()
    #expect(!queue.offer(5))
    #expect(queue.next() == 2)
    #expect(queue.next() == 4)
    #expect(queue.next() == nil)
  }
}
