// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import Testing

@Suite("Directory buckets: sessions, on a stand-in that checks each signature")
struct ExpressSessionTests {
  private static let bucket = "lake--euw1-az1--x-s3"

  private func place(_ key: String, in bucket: String = bucket) -> ObjectLocation { ObjectLocation(bucket: bucket, key: key) }

  @Test("A read of a quarter of an hour outlives sessions of five minutes: no request meets an ended one")
  func longRead() async throws {
    try await S3SecurityBench.with { bench in
      let files = try bench.files()
      let content = [UInt8]((0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
      let object = try await files.create(place("data/a.parquet"), from: BytesContent(content), options: WriteOptions())
      var read: [UInt8] = []
      for start in stride(from: Int64(0), to: 4000, by: 100) {
        read += try await files.bytes(place("data/a.parquet"), start..<(start + 100), etag: object.etag)
        bench.clock.advance(.seconds(23))
      }
      #expect(read == content)
      let log = try await bench.log()
      #expect(log.allSatisfy { $0.refused == nil })
      // 920 s in sessions that are renewed a minute before their end, or a little later.
      let sessions = log.filter { $0.operation == "GET session" }
      #expect((3...5).contains(sessions.count) && sessions.allSatisfy { $0.keys == "own" })
      #expect(log.filter { $0.operation != "GET session" }.allSatisfy { $0.keys == "session" })
    }
  }

  @Test("A multipart upload goes on over the end of its session, and is complete")
  func longUpload() async throws {
    try await S3SecurityBench.with { bench in
      let files = try bench.files()
      let writer = try files.writer(place("data/b.parquet"), expectedSize: nil, options: WriteOptions())
      var written: [UInt8] = []
      for part in 0..<4 {
        let piece = [UInt8](repeating: UInt8(part + 1), count: 5_242_880)
        try await writer.append(piece)
        written += piece
        // Parts may still be under way: their deadline is not to come.
        bench.clock.advance(.seconds(6))
        bench.clock.jump(seconds: 134)
      }
      let object = try await writer.finish()
      #expect(object.size == Int64(written.count))
      #expect(try await files.bytes(place("data/b.parquet"), 0..<object.size, etag: object.etag) == written)
      let log = try await bench.log()
      #expect(log.allSatisfy { $0.refused == nil })
      #expect(log.filter { $0.operation == "GET session" }.count >= 2)
      #expect(log.contains { $0.operation == "POST uploadId" && $0.headers["if-none-match"] == "*" })
    }
  }

  @Test("A session that the service ends early is made anew, and the request goes through")
  func endedEarly() async throws {
    try await S3SecurityBench.with { bench in
      let files = try bench.files()
      _ = try await files.create(place("k"), from: BytesContent([1, 2]), options: WriteOptions())
      try await bench.endKeys()
      #expect(try await files.bytes(place("k"), 0..<2) == [1, 2])
      let log = try await bench.log()
      #expect(log.compactMap(\.refused) == ["ExpiredToken"])
      #expect(log.filter { $0.operation == "GET session" }.count == 2)
    }
  }

  @Test("Each bucket has a session of its own, made with the encryption of what is written; a copy of parts takes the own keys")
  func perBucket() async throws {
    try await S3SecurityBench.with { bench in
      let files = try bench.files(["s3.sse.type": "kms", "s3.sse.key": "key-1"])
      let source = try await files.create(place("k"), from: BytesContent([1, 2, 3]), options: WriteOptions())
      let other = place("k", in: "more--euw1-az1--x-s3")
      _ = try await files.create(other, from: BytesContent([4]), options: WriteOptions())
      _ = try await files.head(place("k"))
      _ = try await files.head(other)
      _ = try await files.copy(source, to: place("copy"), options: WriteOptions())
      #expect(try await files.bytes(place("copy"), 0..<3) == [1, 2, 3])
      let log = try await bench.log()
      #expect(log.allSatisfy { $0.refused == nil })
      let sessions = log.filter { $0.operation == "GET session" }
      #expect(sessions.map(\.path) == ["/\(Self.bucket)/", "/more--euw1-az1--x-s3/"])
      #expect(sessions.allSatisfy { $0.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1" })
      let copies = log.filter { $0.headers["x-amz-copy-source"] != nil }
      #expect(copies.map(\.keys) == ["own"] && copies.allSatisfy { $0.headers["x-amz-security-token"] != nil })
    }
  }

  @Test("With s3_disable_express_session_auth the own keys sign, for the service s3express")
  func disabled() async throws {
    try await S3SecurityBench.with { bench in
      try await bench.grant([], ownRights: false)
      let files = try bench.files(variables: ["AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": "true"])
      _ = try await files.create(place("k"), from: BytesContent([1]), options: WriteOptions())
      let log = try await bench.log()
      #expect(log.map(\.keys) == ["own"] && log.allSatisfy { $0.refused == nil })
    }
  }

  @Test(
    "A listing keeps the rules: a prefix ends in a slash, nothing begins behind a key, and an upload in progress shows as its directory")
  func listing() async throws {
    try await S3SecurityBench.with { bench in
      let files = try bench.files()
      for key in ["t/data/a/1", "t/data/a/2", "t/data/b", "t/other"] {
        _ = try await files.create(place(key), from: BytesContent([1]), options: WriteOptions())
      }
      let writer = try files.writer(place("t/data/new/part"), expectedSize: nil, options: WriteOptions())
      try await writer.append([UInt8](repeating: 0, count: 5_242_881))
      let whole = try await files.list(bucket: Self.bucket, prefix: "t/data", isDirectory: true, from: .start)
      #expect(Set(whole.prefixes) == ["t/data/a/", "t/data/new/"] && whole.objects.map(\.location.key) == ["t/data/b"])
      let behind = try await files.list(bucket: Self.bucket, prefix: "t/data/", isDirectory: true, from: .key("t/data/a"))
      #expect(Set(behind.prefixes) == Set(whole.prefixes))
      #expect(try await files.pendingUploads(at: place("t/data/new/part")).count == 1)
      #expect(try await files.pendingUploads(at: place("t/data/new")).isEmpty)
      await writer.abort()
      #expect(try await files.list(bucket: Self.bucket, prefix: "t/data/", isDirectory: true, from: .start).prefixes == ["t/data/a/"])
      #expect(try await bench.log().allSatisfy { $0.refused == nil })
      // Told to leave prefixes as they are, S3 refuses them.
      let verbatim = try bench.files(["s3.directory-bucket.list-prefix-as-directory": "false"])
      await #expect(throws: FileIOError.self) {
        _ = try await verbatim.list(bucket: Self.bucket, prefix: "t/data", isDirectory: true, from: .start)
      }
    }
  }

  @Test("Directory buckets get no MD5, also with the plugin for old servers, and each delete its CRC-32")
  func checksums() async throws {
    try await S3SecurityBench.with { bench in
      let files = try bench.files(["client.legacy-md5-plugin-enabled": "true"])
      _ = try await files.create(place("a"), from: BytesContent([1]), options: WriteOptions())
      #expect(await files.deleteAll([place("a"), place("b")]).allSatisfy { $0 == nil })
      let log = try await bench.log()
      #expect(log.allSatisfy { $0.refused == nil && $0.headers["content-md5"] == nil })
      #expect(log.last?.headers["x-amz-checksum-crc32"] != nil)
    }
  }
}
