// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Iceberg

@Suite("The content of manifests is kept as the catalog's keys say")
struct ManifestContentsTests {
  /// What is left of three manifests of 10 bytes, the first used again after a minute and a half, under some properties.
  private func kept(_ properties: [String: String]) throws -> [Bool] {
    let time = Mutex(ContinuousClock.now)
    let contents = ManifestContents(try ManifestCacheSettings(EffectiveProperties(properties))) { time.withLock { $0 } }
    let names = ["a", "b", "c"]
    for name in names {
      contents.keep([UInt8](repeating: 0, count: 10), of: name)
      time.withLock { $0 += .seconds(1) }
    }
    time.withLock { $0 += .seconds(50) }
    _ = contents.bytes(of: "a")
    time.withLock { $0 += .seconds(40) }
    return names.map { contents.bytes(of: $0) != nil }
  }

  @Test("io.manifest.cache keys: whether, how long, how much, and up to which length")
  func keys() throws {
    let on = ["io.manifest.cache-enabled": "true"]
    #expect(try kept([:]) == [false, false, false])
    #expect(try kept(on) == [true, false, false], "a minute after the last use")
    #expect(try kept(on.merging(["io.manifest.cache.expiration-interval-ms": "3600000"]) { $1 }) == [true, true, true])
    #expect(try kept(on.merging(["io.manifest.cache.expiration-interval-ms": "0"]) { $1 }) == [true, true, true])
    let long = on.merging(["io.manifest.cache.expiration-interval-ms": "0"]) { $1 }
    #expect(
      try kept(long.merging(["io.manifest.cache.max-total-bytes": "20"]) { $1 }) == [false, true, true], "the one of longest disuse goes")
    #expect(try kept(long.merging(["io.manifest.cache.max-content-length": "9"]) { $1 }) == [false, false, false])
  }
}
