// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import HTTP
import Testing
import WireFormats

@testable import IcebergAWS

@Suite("Signatures used again")
struct SignatureCacheTests {
  @Test("Reads of any range of an object share one signature for thirty seconds, and no range goes over to another read")
  func ranges() async throws {
    let clock = ManualClock()
    let lake = try SignedLake(
      clock: clock,
      signer: { request, number in
        let echo = request.document?["headers"]?["Range"].map { [("Range", JSONValue($0))] } ?? []
        return .success(.signature(of: request, number, further: echo))
      })
    for offset in 0..<5 { try await lake.read(from: Int64(offset) * 10) }
    _ = try await lake.s3.headObject(bucket: "b", key: "k")
    #expect(lake.signs.count == 2)
    #expect(lake.toS3.map { $0.value("Range") } == ["bytes=0-9", "bytes=10-19", "bytes=20-29", "bytes=30-39", "bytes=40-49", nil])
    _ = try await lake.s3.getObject(bucket: "b", key: "k", range: nil, ifMatch: nil, deadline: .seconds(9), sink: NoSink())
    #expect(lake.signs.count == 2)
    #expect(lake.toS3.last?.value("Range") == nil)
    clock.advance(29)
    try await lake.read()
    #expect(lake.signs.count == 2)
    clock.advance(1)
    try await lake.read()
    #expect(lake.signs.count == 3)
  }

  @Test("Another key, method, or header that is signed needs a signature of its own")
  func keys() async throws {
    let lake = try SignedLake()
    try await lake.read("a")
    try await lake.read("b")
    _ = try await lake.s3.getObject(bucket: "b", key: "a", range: 0..<1, ifMatch: "\"e\"", deadline: .seconds(9), sink: NoSink())
    _ = try await lake.s3.headObject(bucket: "b", key: "a")
    _ = try await lake.s3.headObject(bucket: "b", key: "a", headers: [("x-amz-checksum-mode", "ENABLED")])
    #expect(lake.signs.count == 5)
  }

  @Test("A second attempt, whose counter is signed, is signed anew")
  func attempts() async throws {
    let lake = try SignedLake(s3: { _, number in .success(number == 2 ? HTTPResponse(status: 500, headers: [], body: []) : .object()) })
    try await lake.read()
    #expect(
      lake.signs.map { $0.document?["headers"]?["amz-sdk-request"]?.elements.map { $0.string ?? "" } } == [
        ["attempt=1; max=6"], ["attempt=2; max=6"],
      ])
  }

  @Test("Where the signer covers the range, a signature is used for that range alone")
  func signedRange() async throws {
    let lake = try SignedLake(signer: { request, number in
      .success(
        .signature(
          of: request, number,
          authorization: "AWS4-HMAC-SHA256 Credential=A/d/r/s3/aws4_request, SignedHeaders=host;range;x-amz-date, Signature=s\(number)"))
    })
    try await lake.read(from: 0)
    try await lake.read(from: 0)
    try await lake.read(from: 10)
    #expect(lake.signs.count == 2)
  }

  @Test("Only `private` may be kept", arguments: [("private", 1), ("no-cache", 2), ("private, max-age=60", 2), ("Private", 2)])
  func cacheControl(value: String, count: Int) async throws {
    let lake = try SignedLake(signer: { .success(.signature(of: $0, $1, cacheControl: value)) })
    for _ in 0..<2 { try await lake.read() }
    #expect(lake.signs.count == count)
  }

  @Test("Forgetting credentials forgets signatures")
  func forgetting() async throws {
    let lake = try SignedLake()
    try await lake.read()
    lake.factory.forgetCredentials()
    try await lake.read()
    #expect(lake.signs.count == 2)
  }

  @Test("A hundred signatures are kept, the newest ones")
  func capacity() async throws {
    let clock = ManualClock()
    let lake = try SignedLake(clock: clock)
    for index in 0..<101 {
      try await lake.read("k\(index)")
      clock.advance(0.01)
    }
    for index in 1..<101 { try await lake.read("k\(index)") }
    #expect(lake.signs.count == 101)
    try await lake.read("k0")
    #expect(lake.signs.count == 102)
  }
}
