// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import Testing

@Suite("S3 Access Grants, on a stand-in that checks each signature")
struct AccessGrantsTests {
  private func place(_ key: String) -> ObjectLocation { ObjectLocation(bucket: "lake", key: key) }

  private static let on = ["s3.access-grants.enabled": "true"]

  @Test("Each request is signed with the keys of the grant of its prefix and permission; a grant is asked for once")
  func perPrefix() async throws {
    try await S3SecurityBench.with { bench in
      try await bench.grant([("s3://lake/a/*", "READ"), ("s3://lake/b/*", "READWRITE")], ownRights: true)
      let setUp = try bench.files()
      for number in 0..<20 { _ = try await setUp.create(place("a/\(number)"), from: BytesContent([7]), options: WriteOptions()) }
      try await bench.grant([("s3://lake/a/*", "READ"), ("s3://lake/b/*", "READWRITE")], ownRights: false)
      let files = try bench.files(Self.on)
      try await withThrowingTaskGroup(of: [UInt8].self) { group in
        for number in 0..<20 { group.addTask { try await files.bytes(place("a/\(number)"), 0..<1) } }
        for try await bytes in group { #expect(bytes == [7]) }
      }
      let object = try await files.create(place("b/new"), from: BytesContent([1]), options: WriteOptions())
      _ = try await files.list(bucket: "lake", prefix: "b/", isDirectory: true, from: .start)
      #expect(await files.deleteAll([place("b/new"), place("b/old")]).allSatisfy { $0 == nil })
      try await files.delete(place("b/new"), etag: object.etag)
      let log = try await bench.log().dropFirst(20)
      #expect(log.allSatisfy { $0.refused == nil })
      func count(_ path: String) -> Int { log.count { $0.path.hasSuffix(path) } }
      #expect(count("accessgrantsinstance/prefix") == 1)
      #expect(count("accessgrantsinstance/dataaccess") == 3)
      let asked = log.filter { $0.path.hasSuffix("dataaccess") }.map { "\($0.query["permission"] ?? "") \($0.query["privilege"] ?? "")" }
      #expect(asked.sorted() == ["READ Default", "READ Default", "WRITE Default"])
      #expect(log.filter { $0.path.hasPrefix("/lake/") }.allSatisfy { $0.keys == "grant" })
    }
  }

  @Test("Without a grant nothing is sent to S3: the error says what was asked for, and what would use the plain keys")
  func denied() async throws {
    try await S3SecurityBench.with { bench in
      try await bench.grant([("s3://lake/a/*", "READ")], ownRights: true)
      let files = try bench.files(Self.on)
      for _ in 0..<3 {
        let error = await #expect(throws: FileIOError.self) { _ = try await files.head(place("secret/x")) }
        #expect(error?.code == .denied)
        #expect(error?.message.contains("no READ access to s3://lake/secret/x") == true)
        #expect(error?.message.contains("s3.access-grants.fallback-to-iam=true") == true)
      }
      let write = await #expect(throws: FileIOError.self) {
        _ = try await files.create(place("a/x"), from: BytesContent([1]), options: WriteOptions())
      }
      #expect(write?.code == .denied)
      let log = try await bench.log()
      #expect(!log.contains { $0.path.hasPrefix("/lake/") })
      // The same question is believed for a minute.
      #expect(log.count { $0.path.hasSuffix("dataaccess") } == 2)
    }
  }

  @Test("With s3.access-grants.fallback-to-iam the plain keys are used where no grant is")
  func fallback() async throws {
    try await S3SecurityBench.with { bench in
      try await bench.grant([("s3://lake/a/*", "READWRITE")], ownRights: true)
      let files = try bench.files(Self.on.merging(["s3.access-grants.fallback-to-iam": "true"]) { $1 })
      _ = try await files.create(place("other/x"), from: BytesContent([1]), options: WriteOptions())
      _ = try await files.create(place("a/x"), from: BytesContent([1]), options: WriteOptions())
      let log = try await bench.log()
      #expect(log.filter { $0.path.hasPrefix("/lake/") }.map(\.keys) == ["own", "grant"])
    }
  }

  @Test("Keys of a grant are renewed ahead of their end; a grant that is taken back ends with them")
  func renewal() async throws {
    try await S3SecurityBench.with { bench in
      let grants = [(scope: "s3://lake/a/*", permission: "READWRITE")]
      try await bench.grant(grants, ownRights: false)
      let files = try bench.files(Self.on)
      _ = try await files.create(place("a/x"), from: BytesContent([1]), options: WriteOptions())
      for _ in 0..<8 {
        bench.clock.advance(.seconds(120))
        #expect(try await files.bytes(place("a/x"), 0..<1) == [1])
      }
      #expect(try await bench.log().allSatisfy { $0.refused == nil })
      #expect(try await bench.log().count { $0.path.hasSuffix("dataaccess") } >= 4)
      try await bench.grant([], ownRights: false)
      bench.clock.advance(.seconds(600))
      let error = await #expect(throws: FileIOError.self) { _ = try await files.head(place("a/x")) }
      #expect(error?.code == .denied)
      try await bench.grant(grants, ownRights: false)
      bench.clock.advance(.seconds(61))
      _ = try await files.head(place("a/x"))
    }
  }

  @Test("A copy takes one grant for reading and writing both ends; tags, which grants do not speak of, the plain keys")
  func otherOperations() async throws {
    try await S3SecurityBench.with { bench in
      try await bench.grant([("s3://lake/a/*", "READWRITE")], ownRights: true)
      let files = try bench.files(Self.on.merging(["s3.delete.tags.gone": "yes"]) { $1 })
      let source = try await files.create(place("a/x"), from: BytesContent([1, 2]), options: WriteOptions())
      _ = try await files.copy(source, to: place("a/y"), options: WriteOptions())
      try? await files.delete(place("a/y"), etag: nil)
      let log = try await bench.log()
      let asked = log.filter { $0.path.hasSuffix("dataaccess") }.map { "\($0.query["permission"] ?? "") \($0.query["target"] ?? "")" }
      #expect(asked == ["WRITE s3://lake/a/x*", "READWRITE s3://lake/a/*"])
      #expect(log.filter { $0.operation == "GET tagging" }.map(\.keys) == ["own"])
    }
  }
}
