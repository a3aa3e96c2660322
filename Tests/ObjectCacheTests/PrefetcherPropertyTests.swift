// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Testing

@testable import ObjectCache

/// Every key is seen in the requests for an object.
@Suite("What the analytics accelerator's keys change in what is asked of the server")
struct PrefetcherPropertyTests {
  private static func tuning(_ keys: [String: String], enabled: String? = "true") throws -> Prefetcher.Tuning {
    var properties = keys
    properties["s3.analytics-accelerator.enabled"] = enabled
    return try Prefetcher.Tuning(EffectiveProperties(properties))
  }

  /// The requests that reads of one handle make.
  private func requests(
    _ keys: [String: String], size: Int64 = 24 * mebi, enabled: String? = "true", reads: [Range<Int64>]
  ) async throws -> [Range<Int64>] {
    let fixture = ReadPathFixture(size: size)
    let reader = fixture.reader(tuning: try Self.tuning(keys, enabled: enabled))
    for read in reads {
      let bytes = try await reader.read(offset: read.lowerBound, size: read.count)
      #expect(fixture.matches(bytes, at: read.lowerBound, size: read.count))
      await fixture.settle()
    }
    reader.close()
    return fixture.requests.sorted { $0.lowerBound < $1.lowerBound }
  }

  private static func forward(_ bytes: Int64) -> [Range<Int64>] {
    stride(from: 0, to: bytes, by: Int(128 * kibi)).map { $0..<$0 + 128 * kibi }
  }

  @Test("Without s3.analytics-accelerator.enabled, or without another key, requests are as ever", arguments: [nil, "false", "true"])
  func off(enabled: String?) async throws {
    let keys = enabled == "true" ? [:] : Self.all
    let reads = Self.forward(8 * mebi) + [20 * mebi..<20 * mebi + 4 * kibi]
    let usual = try await requests([:], enabled: nil, reads: reads)
    #expect(try await requests(keys, enabled: enabled, reads: reads) == usual)
    #expect(usual.count > 5)
  }

  @Test("Small objects are read whole up to the threshold, and not at all if that is switched off")
  func smallObjects() async throws {
    let read = [mebi + 512 * kibi..<mebi + 640 * kibi]
    #expect(try await requests([:], size: 3 * mebi, reads: read) == read)
    let (enabled, threshold) = (
      "s3.analytics-accelerator.logicalio.small.objects.prefetching.enabled",
      "s3.analytics-accelerator.logicalio.small.object.size.threshold"
    )
    #expect(try await requests([enabled: "true"], size: 3 * mebi, reads: read) == [0..<3 * mebi])
    #expect(try await requests([enabled: "true"], size: 3 * mebi + 1, reads: read) == read)
    #expect(try await requests([threshold: "3145728"], size: 3 * mebi, reads: read) == [0..<3 * mebi])
    #expect(try await requests([threshold: "3145727"], size: 3 * mebi, reads: read) == read)
    #expect(try await requests([enabled: "false", threshold: "3145728"], size: 3 * mebi, reads: read) == read)
    // Nor those that are read whole without any key.
    let early = [512 * kibi..<640 * kibi]
    #expect(try await requests([:], size: mebi, reads: early) == [0..<mebi])
    #expect(try await requests([enabled: "false"], size: mebi, reads: early) == early)
    #expect(try await requests([enabled: "false"], size: 300 * kibi, reads: [0..<1]) == [0..<300 * kibi])
  }

  @Test("physicalio.readaheadbytes is what a read outside of sequences fetches at least")
  func readAhead() async throws {
    let small = [10 * mebi..<10 * mebi + 4 * kibi]
    #expect(try await requests([:], reads: small) == [10 * mebi..<11 * mebi])
    #expect(
      try await requests(["s3.analytics-accelerator.physicalio.readaheadbytes": "65536"], reads: small) == [
        10 * mebi..<10 * mebi + 64 * kibi
      ])
    #expect(
      try await requests(["s3.analytics-accelerator.physicalio.readaheadbytes": "1"], reads: small) == [10 * mebi..<10 * mebi + 16 * kibi])
    let large = [10 * mebi..<10 * mebi + 256 * kibi]
    #expect(try await requests(["s3.analytics-accelerator.physicalio.readaheadbytes": "65536"], reads: large) == large)
    #expect(try await requests(["s3.analytics-accelerator.physicalio.readaheadbytes": "2097152"], reads: large) == [10 * mebi..<12 * mebi])
    let end = [22 * mebi..<22 * mebi + 4 * kibi]
    #expect(
      try await requests(["s3.analytics-accelerator.physicalio.readaheadbytes": "9223372036854775807"], reads: end).last?.upperBound == 24
        * mebi)
  }

  @Test("physicalio.maxrangesizebytes and partsizebytes: no request is longer than the smaller one")
  func longestRequest() async throws {
    let read = [8 * mebi..<12 * mebi]
    #expect(try await requests([:], reads: read) == read)
    let halves = [8 * mebi..<10 * mebi, 10 * mebi..<12 * mebi]
    let (range, part) = ("s3.analytics-accelerator.physicalio.maxrangesizebytes", "s3.analytics-accelerator.physicalio.partsizebytes")
    #expect(try await requests([range: "2097152"], reads: read) == halves)
    #expect(try await requests([part: "3145727"], reads: read) == halves)
    #expect(try await requests([range: "16777216", part: "2097152"], reads: read) == halves)
    #expect(try await requests([range: "1"], reads: read).count == 4)
  }

  @Test("physicalio.blocksizebytes is the size of the requests ahead of a sequential reader")
  func requestsAhead() async throws {
    let reads = Self.forward(24 * mebi)
    let usual = try await requests([:], reads: reads)
    #expect(usual.dropFirst().dropLast().allSatisfy { $0.count <= 2 * Int(mebi) })
    let sized = try await requests(["s3.analytics-accelerator.physicalio.blocksizebytes": "4194304"], reads: reads)
    let edges = [1152 * kibi] + stride(from: 5 * mebi, through: 21 * mebi, by: Int(4 * mebi)) + [24 * mebi]
    #expect(sized == zip([0] + edges, edges).map { $0..<$1 })
    let most = try await requests(["s3.analytics-accelerator.physicalio.blocksizebytes": "16777216"], reads: reads)
    #expect(most == [0..<1152 * kibi, 1152 * kibi..<9 * mebi, 9 * mebi..<17 * mebi, 17 * mebi..<24 * mebi])
  }

  @Test("physicalio.sequentialprefetch.base and speed are how fast the window grows")
  func growth() async throws {
    func frontier(_ keys: [String: String]) async throws -> Int64 {
      try await requests(keys, reads: Self.forward(2 * mebi)).last?.upperBound ?? 0
    }
    let (base, speed) = (
      "s3.analytics-accelerator.physicalio.sequentialprefetch.base", "s3.analytics-accelerator.physicalio.sequentialprefetch.speed"
    )
    let usual = try await frontier([:])
    #expect(try await frontier([base: "2.0", speed: "1.0"]) == usual)
    #expect(try await frontier([base: "4.0"]) > usual)
    #expect(try await frontier([base: "1"]) == 4 * mebi)
    #expect(try await frontier([base: "0.001"]) == 4 * mebi)
    #expect(try await frontier([speed: "0.5"]) < usual)
    #expect(try await frontier([speed: "2"]) > usual)
    #expect(try await frontier([base: "Infinity", speed: "Infinity"]) == 24 * mebi)
  }

  @Test("Values that blocks and memory do not allow become the nearest that they do")
  func limits() throws {
    let key = "s3.analytics-accelerator.physicalio.blocksizebytes"
    #expect(try Self.tuning([key: "1"]).requestAhead == mebi)
    #expect(try Self.tuning([key: "\(Int64.max)"]).requestAhead == 8 * mebi)
    #expect(
      try Self.tuning([key: "\(Int64.max)", "s3.analytics-accelerator.physicalio.maxrangesizebytes": "\(Int64.max)"]).requestAhead == 64
        * mebi)
    #expect(try Self.tuning(["s3.analytics-accelerator.logicalio.small.object.size.threshold": "\(Int64.max)"]).wholeObject == 64 * mebi)
  }

  @Test("A value of the wrong form is an error that names the key", arguments: PrefetcherPropertyTests.all.keys.sorted())
  func refused(key: String) throws {
    let error = #expect(throws: PropertyValueError.self) { try Self.tuning([key: "8MB"]) }
    #expect(error?.key == key && error?.description.hasPrefix("\(key)=8MB: ") == true)
    let definition = try #require(PropertyTable.definition(of: key))
    #expect(PropertyParsing.refusal(of: "8MB", by: definition) != nil)
    #expect(PropertyParsing.refusal(of: "0", by: definition) != nil)
  }

  private static let all = [
    "s3.analytics-accelerator.logicalio.small.objects.prefetching.enabled": "true",
    "s3.analytics-accelerator.logicalio.small.object.size.threshold": "67108864",
    "s3.analytics-accelerator.physicalio.blocksizebytes": "4194304", "s3.analytics-accelerator.physicalio.readaheadbytes": "65536",
    "s3.analytics-accelerator.physicalio.maxrangesizebytes": "1048576",
    "s3.analytics-accelerator.physicalio.partsizebytes": "1048576", "s3.analytics-accelerator.physicalio.sequentialprefetch.base": "1",
    "s3.analytics-accelerator.physicalio.sequentialprefetch.speed": "0.5",
  ]
}
