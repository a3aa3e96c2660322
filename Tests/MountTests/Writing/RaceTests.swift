// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("A race of writers")
struct RaceTests {
  /// One of the ways to mount, with how often each writer is to succeed at least.
  struct Configuration: Sendable, CustomStringConvertible {
    let metastore: Metastore
    let hasLocks: Bool
    /// In all, at least.
    let commits: Int

    var description: String { "\(metastore.testDescription) \(hasLocks ? "with" : "without") lock" }
  }

  /// Name, form and mount of those who write through a mount.
  private static let writers: [(name: String, form: RaceBench.Form, mount: Int)] = [
    ("a1", .edited, 0), ("a2", .full, 0), ("b1", .full, 1), ("b2", .shell, 1),
  ]

  /// Of each writer.
  private static let leastEach = 3

  /// 320 commits in all, or 1,280 in a long run.
  private static let configurations: [Configuration] = Metastore.allCases.flatMap { metastore in
    [false, true].map { Configuration(metastore: metastore, hasLocks: $0, commits: RaceBench.isLong ? 320 : 80) }
  }

  @Test("Of hundreds of commits by two mounts and a foreign writer on each metastore, with and without lock, every accepted one is found")
  func everyCommitIsFound() async throws {
    #expect(Self.configurations.reduce(0) { $0 + $1.commits } >= (RaceBench.isLong ? 1000 : 300))
    var all: RaceTotals?
    for configuration in Self.configurations {
      let totals = try await Self.race(configuration)
      print("race, \(configuration): \(totals)")
      Self.expectLawful(totals, configuration)
      if all == nil { all = totals } else { all? += totals }
    }
    if let all { print("race, all: \(all)") }
  }

  private static func race(_ configuration: Configuration) async throws -> RaceTotals {
    let name = "test_race_\(configuration.metastore.rawValue)_\(configuration.hasLocks ? "locked" : "free")"
    return try await RaceBench.with(configuration.metastore, name, hasLocks: configuration.hasLocks) { bench in
      let foreign = try await bench.startForeignWriter("foreign", quota: leastEach)
      let others = try writers.map { try bench.startWriter($0.form, $0.name, on: $0.mount, quota: leastEach, waits: true) }
      let all = others + [foreign]
      // All of them go on until together they have done enough: no slow one is left to finish alone.
      let isDone = await eventually(within: RaceBench.patience, every: .milliseconds(50)) {
        all.reduce(0) { $0 + bench.acceptedCount(of: $1) } >= configuration.commits || all.contains { $0.status != nil }
      }
      #expect(isDone)
      try bench.endWaiting()
      var lines: [UInt8] = []
      for writer in all { lines += try await bench.lines(of: writer) }
      return try await bench.totals(lines)
    }
  }

  private static func expectLawful(_ totals: RaceTotals, _ configuration: Configuration) {
    let comment: Comment = "\(configuration): \(totals)"
    #expect(totals.problems == [], comment)
    #expect(totals.accepted >= configuration.commits, comment)
    #expect(totals.found == totals.accepted && totals.lost == 0, comment)
    // A race that nobody loses was none.
    #expect(totals.reasons["ESTALE", default: 0] > 0, comment)
    #expect(totals.unknown == 0 && totals.gone == 0, comment)
    let lawful: Set = ["ESTALE", "ConcurrentModificationException", "ConditionalCheckFailedException", "CommitFailedException", "moved"]
    #expect(Set(totals.reasons.keys).isSubset(of: lawful), comment)
    #expect(totals.orphans["own"] == 0 && totals.orphans["unknown"] == 0, comment)
  }
}
