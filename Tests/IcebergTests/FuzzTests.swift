// SPDX-License-Identifier: Apache-2.0

import Fuzzing
import Testing

/// What `mount-scripts/fuzz` does for as long as one wants, for some seconds, with other inputs each time.
@Suite struct FuzzTests {
  private static let root = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()

  @Test(
    "Changed Avro files, JSON texts, manifests and metadata are read or refused with a sentence, and never trap",
    arguments: FuzzTarget.allCases)
  func inputs(target: FuzzTarget) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    let directories = ["Fuzzing/Corpus/\(target.rawValue)", "IcebergTests/Fixtures", "IcebergTests/Fixtures/manifests"]
    var fuzzer = Fuzzer(target, corpus: directories.flatMap { Fuzzer.corpus(in: "\(Self.root)/\($0)") }, seed: seed)
    var count = 0
    // In turns: two threads serve all tests, and those beside this one shall not wait for its end.
    for _ in 0..<25 {
      do {
        count += try fuzzer.run(until: .now + .milliseconds(120))
      } catch {
        Issue.record("seed \(seed): \(error): \(error.input)")
        return
      }
      await Task.yield()
    }
    #expect(count > 1_000, "\(count) inputs")
  }
}
