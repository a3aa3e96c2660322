// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

@Suite("A file of the disk cache that is not what was written")
struct DamagedFileTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    var what: String
    var apply: @Sendable (inout [UInt8]) -> Void
    var testDescription: String { what }

    static func flip(_ what: String, _ offset: Int) -> Damage {
      Damage(what: "a flipped bit in \(what)") { bytes in
        let place = offset < 0 ? bytes.count + offset : offset
        bytes[place] ^= 1 << UInt8(place % 8)
      }
    }

    static func cut(_ length: Int) -> Damage {
      Damage(what: length < 0 ? "cut by \(-length) bytes" : "cut to \(length) bytes") { bytes in
        bytes = Array(length < 0 ? bytes.dropLast(-length) : bytes.prefix(length))
      }
    }
  }

  static let damages: [Damage] =
    [
      .flip("the magic number", 0), .flip("the version", DiskBlockHeader.versionOffset),
      .flip("the checksum of the header", DiskBlockHeader.checksumOffset), .flip("the chunks", DiskBlockHeader.chunksOffset),
      .flip("the last of the chunks", DiskBlockHeader.chunksOffset + 7), .flip("the size", DiskBlockHeader.sizeOffset),
      .flip("the length of the key", DiskBlockHeader.keyLengthOffset), .flip("the first checksum", DiskBlockHeader.checksumsOffset),
      .flip("the last checksum", DiskBlockHeader.keyOffset - 1), .flip("the key", DiskBlockHeader.keyOffset + 9),
      .flip("what is behind the key", DiskBlockHeader.length - 1), .flip("the first byte", DiskBlockHeader.length),
      .flip("the end of the first chunk", DiskBlockHeader.length + BlockGeometry.chunkSize - 1),
      .flip("the second chunk", DiskBlockHeader.length + BlockGeometry.chunkSize), .flip("the middle", -150_000),
      .flip("the last byte", -1),
    ]
    + [0, 1, DiskBlockHeader.length - 1, DiskBlockHeader.length, DiskBlockHeader.length + 1, 300_000, -BlockGeometry.chunkSize, -1].map {
      .cut($0)
    }
    + [
      Damage(what: "longer by a byte") { $0.append(0) },
      Damage(what: "all zeros") { $0 = Array(repeating: 0, count: $0.count) },
      Damage(what: "zeros behind the header") { bytes in
        bytes.replaceSubrange(DiskBlockHeader.length..., with: Array(repeating: 0, count: bytes.count - DiskBlockHeader.length))
      },
      Damage(what: "zeros in the last page") { bytes in
        bytes.replaceSubrange((bytes.count - 4096)..., with: Array(repeating: 0, count: 4096))
      },
      Damage(what: "text of somebody else") { $0 = Array("to do: buy milk\n".utf8) },
      Damage(what: "two chunks that changed places") { bytes in
        let (start, size) = (DiskBlockHeader.length, BlockGeometry.chunkSize)
        let (one, two) = (Array(bytes[start..<start + size]), Array(bytes[start + size..<start + 2 * size]))
        bytes.replaceSubrange(start..<start + 2 * size, with: two + one)
      },
    ]

  @Test("Is a miss, is removed, and the reader gets the object's bytes from S3", arguments: damages)
  func damaged(damage: Damage) async throws {
    let fixture = try DiskCacheFixture(size: 3 * mebi + 300_000)
    _ = try await fixture.readThrough()
    #expect(fixture.files.count == 4)
    for file in fixture.files {
      var bytes = try Self.bytes(of: "\(fixture.path)/\(file)")
      let whole = bytes
      damage.apply(&bytes)
      #expect(bytes != whole)
      try Data(bytes).write(to: URL(fileURLWithPath: "\(fixture.path)/\(file)"))
    }
    let second = try await fixture.readThrough()
    #expect(second.isExact && second.requests > 0)
    #expect(second.metrics.value(.diskCacheDamaged) == 4 && second.metrics.value(.diskCacheErrors) == 0)
    // And it is whole again.
    let third = try await fixture.readThrough()
    #expect(third.isExact && third.requests == 0 && third.metrics.value(.diskCacheDamaged) == 0)
  }

  @Test("Files that changed places are not taken for each other")
  func exchanged() async throws {
    let fixture = try DiskCacheFixture(size: 4 * mebi)
    _ = try await fixture.readThrough()
    let (one, two, spare) = (try fixture.file(1), try fixture.file(2), "\(fixture.path)/spare")
    for (from, to) in [(one, spare), (two, one), (spare, two)] { #expect(rename(from, to) == 0) }
    let second = try await fixture.readThrough()
    #expect(second.isExact && second.requests > 0 && second.metrics.value(.diskCacheDamaged) == 2)
  }

  @Test("A link, a pipe or a directory in a block's place is no block, and waits for nobody")
  func foreign() async throws {
    let fixture = try DiskCacheFixture(size: 4 * mebi)
    _ = try await fixture.readThrough()
    let elsewhere = "\(fixture.path)/elsewhere"
    #expect(try rename(fixture.file(0), elsewhere) == 0)
    #expect(try symlink(elsewhere, fixture.file(0)) == 0)
    unlink(try fixture.file(1))
    #expect(try mkfifo(fixture.file(1), 0o600) == 0)
    unlink(try fixture.file(2))
    #expect(try mkdir(fixture.file(2), 0o700) == 0)
    let second = try await fixture.readThrough()
    #expect(second.isExact && second.requests > 0 && second.metrics.value(.diskCacheDamaged) == 3)
    #expect(second.metrics.value(.diskCacheErrors) > 0, "the directory cannot be removed")
    #expect(fixture.names.contains("elsewhere"))
  }

  @Test("What a killed daemon was writing is never read, and is removed once it is old; other files are left alone")
  func leftovers() async throws {
    let fixture = try DiskCacheFixture(size: 2 * mebi)
    _ = try await fixture.readThrough()
    let half = Array(try Self.bytes(of: fixture.file(0)).prefix(500_000))
    let object = try #require(DiskObject(fixture.object, store: "http://store", digest: DiskCacheFixture.digest))
    let (old, young) = (object.block(0).name.temporaryName(1), object.block(0).name.temporaryName(2))
    for name in [old, young, "notes.txt"] { try Data(half).write(to: URL(fileURLWithPath: "\(fixture.path)/\(name)")) }
    for name in [old, "notes.txt"] { fixture.setAge(of: "\(fixture.path)/\(name)", seconds: 7200) }
    unlink(try fixture.file(0))
    let second = try await fixture.readThrough()
    #expect(second.isExact && second.requests > 0 && second.metrics.value(.diskCacheDamaged) == 0)
    #expect(fixture.names == (fixture.files + [young, "notes.txt"]).sorted())
  }

  static func bytes(of file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
  }
}
