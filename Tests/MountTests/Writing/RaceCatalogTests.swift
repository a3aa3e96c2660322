// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import TestSupport
import Testing
import WireFormats

@Suite("A race for a table's entry", .serialized)
struct RaceCatalogTests {
  @Test("Of two mounts that create one table, exactly one does; the other is told and sees that table", arguments: Metastore.allCases)
  func creation(metastore: Metastore) async throws {
    let rounds = RaceBench.isLong ? 40 : 8
    try await RaceBench.with(metastore, "test_race_create_\(metastore.rawValue)", hasLocks: false) { bench in
      let writers = try [0, 1].map { mount in
        try bench.startProgram(
          "create_tables.py", ["m\(mount)", bench.namespacePath(on: mount), "\(rounds)", bench.directory + "/meeting", "2"])
      }
      var answers: [String: [JSONDocument]] = [:]
      for writer in writers {
        let run = try await writer.finished(within: .seconds(300)).succeeded()
        for line in run.lines {
          let answer = try JSONDocument(parsing: Array(line.utf8))
          answers[try answer.root.text("table"), default: []].append(answer)
        }
      }
      #expect(answers.count == rounds)
      for (table, pair) in answers {
        let winners = pair.filter { $0.root["outcome"]?.string == "accepted" }
        #expect(winners.count == 1, "\(table)")
        let file = try #require(winners.first?.root["file"]?.string)
        let reasons = Set(pair.compactMap { $0.root["errno"]?.string })
        #expect(reasons.isSubset(of: ["EEXIST", "ESTALE"]) && !reasons.isEmpty, "\(table): \(reasons)")
        for answer in pair {
          #expect(answer.root["current"]?.string == file && answer.root["listed"]?.int64 == 1, "\(table)")
          #expect(answer.root["files"]?.elements.compactMap(\.string) == [file], "\(table)")
        }
        #expect(try await bench.pointer(of: table)?.hasSuffix("/" + file) == true, "\(table)")
      }
    }
  }

  @Test(
    "A table that is renamed to and fro while others commit to it loses no commit and has one name",
    arguments: Metastore.allCases, [false, true])
  func rename(metastore: Metastore, hasLocks: Bool) async throws {
    let name = "test_race_rename_\(metastore.rawValue)_\(hasLocks ? "locked" : "free")"
    try await RaceBench.with(metastore, name, hasLocks: hasLocks, options: ["--allow-rename"]) { bench in
      let paths = ["orders", "moved"].map { bench.table.namespace + "/" + $0 }
      let writers = try [RaceBench.Form.edited, .full].map {
        try bench.startWriter($0, $0.rawValue, on: 1, quota: 4, waits: true, names: paths)
      }
      let rounds = RaceBench.isLong ? "60" : "6"
      let renamer = try bench.startProgram("rename_to_and_fro.py", [bench.namespacePath(on: 0), "orders", "moved", rounds])
      let renamed = await renamer.finished(within: .seconds(300))
      try bench.endWaiting()
      var lines: [UInt8] = []
      for writer in writers { lines += try await bench.lines(of: writer) }
      let answer = try JSONDocument(parsing: renamed.succeeded().output).root
      let errors = answer["errors"]?.members.map(\.key) ?? []
      #expect(Set(errors).isSubset(of: ["ESTALE"]), "\(errors)")
      let totals = try await bench.totals(lines, names: ["orders", "moved"])
      print("race with renames, \(metastore.testDescription)\(hasLocks ? " with lock" : ""): \(totals)")
      #expect(totals.problems == [] && totals.lost == 0 && totals.found == totals.accepted && totals.accepted >= 8, "\(totals)")
      #expect(totals.names == [answer["name"]?.string])
      #expect(Set(totals.reasons.keys).isSubset(of: ["ESTALE", "ENOENT"]), "\(totals)")
      #expect(totals.unknown == 0 && totals.orphans["own"] == 0, "\(totals)")
    }
  }

  @Test(
    "A commit that comes right before the old entry of a renamed Glue table is deleted waits, or without a lock goes to the new name",
    arguments: [0, 1], [false, true])
  func commitBeforeDelete(mount: Int, hasLocks: Bool) async throws {
    let gate = Gate()
    let proxy = try await CountingProxy(to: .shared()) { request in
      if request.operation == "DeleteTable" { gate.wait() }
      return .forward
    }
    let name = "test_race_gate_\(mount)_\(hasLocks ? "locked" : "free")"
    let result = try await RaceBench.with(.glue, name, hasLocks: hasLocks, options: ["--allow-rename"], firstProxy: proxy) { bench in
      defer { gate.open() }
      let renamer = try bench.startProgram("rename_to_and_fro.py", [bench.namespacePath(on: 0), "orders", "moved", "1"])
      #expect(await eventually { gate.isReached })
      let paths = ["orders", "moved"].map { bench.table.namespace + "/" + $0 }
      let writer = try bench.startWriter(.edited, "late", on: mount, quota: 1, names: paths)
      // A commit takes some hundredths of a second; one that waits for the rename takes until the gate opens.
      _ = await eventually(within: .seconds(2)) { !writer.output.isEmpty }
      gate.open()
      try await renamer.finished(within: .seconds(60)).succeeded()
      return try await bench.totals(bench.lines(of: writer), names: ["orders", "moved"])
    }
    #expect(result.problems == [] && result.lost == 0 && result.accepted == 1 && result.found == 1, "\(result)")
    #expect(result.names == ["moved"])
  }

  @Test("A table that is dropped while others commit to it is gone, and nothing is committed after", arguments: Metastore.allCases)
  func drop(metastore: Metastore) async throws {
    try await RaceBench.with(metastore, "test_race_drop_\(metastore.rawValue)", hasLocks: false, options: ["--allow-drop"]) { bench in
      let writers = try [RaceBench.Form.edited, .full].map { try bench.startWriter($0, $0.rawValue, on: 1, quota: 100_000) }
      #expect(await eventually { writers.allSatisfy { $0.output.contains(UInt8(ascii: "\n")) } })
      let script = #"until rmdir "$M/$TABLE" 2>>"$T/errors"; do sleep 0.02; done; date +%s.%N; cat "$T/errors""#
      let dropped = try await bench.mounts[0].shell(script, ["TABLE": bench.table.path]).succeeded()
      let end = try #require(dropped.lines.first.flatMap { Double($0) })
      #expect(dropped.lines.dropFirst().allSatisfy { $0.hasSuffix(": Stale file handle") }, "\(dropped)")
      var lines: [UInt8] = []
      for writer in writers { lines += try await bench.lines(of: writer) }
      let late = try lines.split(separator: UInt8(ascii: "\n")).map { try JSONDocument(parsing: Array($0)).root }
        .filter { ($0["started"]?.double ?? 0) > end && $0["outcome"]?.string != "refused" && $0["outcome"]?.string != "gone" }
      #expect(late.isEmpty)
      let totals = try await bench.totals(lines)
      #expect(totals.names == [] && totals.accepted > 0, "\(totals)")
      #expect(Set(totals.reasons.keys).isSubset(of: ["ESTALE", "ENOENT"]), "\(totals)")
    }
  }
}

/// Holds threads until it is opened, for a minute at most.
private final class Gate: Sendable {
  private let state = Mutex((isReached: false, isOpen: false))

  var isReached: Bool { state.withLock { $0.isReached } }

  func open() { state.withLock { $0.isOpen = true } }

  func wait() {
    state.withLock { $0.isReached = true }
    let deadline = ContinuousClock.now + .seconds(60)
    while !state.withLock({ $0.isOpen }), ContinuousClock.now < deadline { usleep(1000) }
  }
}
