// SPDX-License-Identifier: Apache-2.0

import Fuzzing
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Iceberg

/// When what is asked anew, and what callers share.
@Suite(.timeLimit(.minutes(5))) struct ReachabilityFreshnessTests {
  private static let root = ReachLake.root
  private static let metadata = "\(root)/metadata"

  @Test("Deleting many files in a row lists the catalog for each and reads nothing twice")
  func requestCounts() async throws {
    let lake = ReachLake(pageSize: 1)
    try lake.history()
    let other = TableIdentifier(namespace: Namespace(["sales"]), name: "other")
    try lake.commit("s3://lake/sales/other/metadata/00000-u.metadata.json", ReachLake.Version(location: "s3://lake/sales/other"), to: other)
    #expect(try await lake.judge("\(Self.root)/data/orphan0").isUnreferenced)
    // The first listing is made twice: one page of namespaces at the root and below `sales`, two of tables. All files once: three metadata
    // files of the table and the other's, three lists, three manifests.
    #expect(lake.requests() == (8, 0, 10))
    for number in 1...20 { #expect(try await lake.judge("\(Self.root)/data/orphan\(number)").isUnreferenced) }
    #expect(lake.requests() == (20 * 4, 0, 0))
    for path in ["data/a", "data/c", "metadata/m1.avro"] { #expect(try await lake.judge("\(Self.root)/\(path)").isReferenced) }
    #expect(lake.requests() == (3 * 4, 0, 0))
    // A commit costs its own files: a metadata file, a list, a manifest.
    try lake.commit(
      "\(Self.metadata)/00003-u.metadata.json",
      ReachLake.Version(
        log: (0...2).map { "\(Self.metadata)/0000\($0)-u.metadata.json" }, snapshots: [try lake.snapshot(4, live: ["\(Self.root)/data/d"])])
    )
    #expect(try await lake.judge("\(Self.root)/data/d").isReferenced)
    #expect(lake.requests() == (4, 0, 3))
  }

  @Test("With little memory it reads again, keeps to its limit and answers the same")
  func memory() async throws {
    let lake = ReachLake(memoryLimit: 4096)
    try lake.history()
    for _ in 0..<3 {
      for path in ["data/a", "data/b", "data/c", "metadata/m1.avro"] { #expect(try await lake.judge("\(Self.root)/\(path)").isReferenced) }
      #expect(try await lake.judge("\(Self.root)/data/orphan").isUnreferenced)
      #expect(lake.reachability.memoryUse <= 4096)
    }
    #expect(lake.requests().reads > 10)
    let none = ReachLake(memoryLimit: 0)
    try none.history()
    #expect(try await none.judge("\(Self.root)/data/a").isReferenced)
    #expect(none.reachability.memoryUse == 0)
  }

  @Test("A commit that was published before the question is always seen")
  func freshPointers() async throws {
    let lake = ReachLake()
    try lake.history()
    var log = (0...2).map { "\(Self.metadata)/0000\($0)-u.metadata.json" }
    for number in 3..<30 {
      let file = "\(Self.root)/data/new\(number)"
      #expect(try await lake.judge(file).isUnreferenced)
      let pointer = "\(Self.metadata)/\(number + 10)-u.metadata.json"
      try lake.commit(pointer, ReachLake.Version(log: log, snapshots: [try lake.snapshot(Int64(number + 10), live: [file])]))
      log.append(pointer)
      #expect(try await lake.judge(file).isReferenced)
    }
  }

  @Test("A caller is never answered by a sweep that began before it asked")
  func notShared() async throws {
    let lake = ReachLake()
    try lake.history()
    #expect(try await lake.judge("\(Self.root)/data/d").isUnreferenced)
    let listings = lake.catalog.faults.hold { $0.isListTables }
    let first = Task { try await lake.judge("\(Self.root)/data/d") }
    await listings.waitForArrivals(1)
    // The first sweep has asked for the pointer and will see the old one or the new one; the second question comes after the commit.
    try lake.commit(
      "\(Self.metadata)/00003-u.metadata.json", ReachLake.Version(snapshots: [try lake.snapshot(4, live: ["\(Self.root)/data/e"])]))
    let second = (0..<5).map { _ in Task { try await lake.judge("\(Self.root)/data/e") } }
    listings.open()
    _ = try await first.ended()
    for task in second { #expect(try await task.ended().isReferenced) }
  }

  @Test("Those who ask while a sweep runs share the next one, each with an answer of his own")
  func shared() async throws {
    let lake = ReachLake()
    try lake.history()
    _ = try await lake.judge("\(Self.root)/data/orphan")
    _ = lake.requests()
    let gate = lake.catalog.faults.hold { $0.isListTables }
    let first = Task { try await lake.judge("\(Self.root)/data/orphan") }
    await gate.waitForArrivals(1)
    let others = (0..<50).map { number in
      Task { try await lake.judge("\(Self.root)/data/\(number % 2 == 0 ? "a" : "x\(number)")") }
    }
    #expect(await becomesTrue { lake.reachability.waitingCallers == 51 })
    gate.open()
    #expect(try await first.ended().isUnreferenced)
    for (number, task) in others.enumerated() {
      let verdict = try await task.ended()
      #expect(number % 2 == 0 ? verdict.isReferenced : verdict.isUnreferenced)
    }
    #expect(lake.catalog.faults.count { $0.isListTables } == 2)
  }

  @Test("A cancelled caller leaves at once; the others are answered")
  func cancelled() async throws {
    let lake = ReachLake()
    try lake.history()
    let gate = lake.catalog.faults.hold { $0.isListTables }
    let first = Task { try await lake.judge("\(Self.root)/data/a") }
    await gate.waitForArrivals(1)
    let second = Task { try await lake.judge("\(Self.root)/data/orphan") }
    #expect(await becomesTrue { lake.reachability.waitingCallers == 2 })
    first.cancel()
    #expect(try await first.value.isUndecided)
    gate.open()
    #expect(try await second.ended().isUnreferenced)
    let third = Task { try await lake.judge("\(Self.root)/data/orphan") }
    third.cancel()
    _ = try await third.value
    #expect(try await lake.judge("\(Self.root)/data/orphan").isUnreferenced)
  }

  @Test("A table that is renamed between two pages of a listing is not overlooked")
  func renamedWhileListed() async throws {
    for isFirst in [true, false] {
      let lake = ReachLake()
      try lake.history()
      lake.catalog.putNamespace(Namespace(["archive"]))
      let owner = TableIdentifier(namespace: Namespace(["archive"]), name: "none")
      if !isFirst { #expect(try await lake.judge("\(Self.root)/data/c", owner: owner).isReferenced) }
      // `archive` is listed before the rename, `sales` after it.
      let gate = lake.catalog.faults.hold { call in
        if case .listTables(let namespace, _) = call { namespace == Namespace(["sales"]) } else { false }
      }
      lake.catalog.faults.forgetCalls()
      let question = Task { try await lake.judge("\(Self.root)/data/c", owner: owner) }
      await gate.waitForArrivals(1)
      #expect(
        await becomesTrue {
          lake.catalog.faults.calls.contains(.listNamespaces(Namespace(["archive"]), token: nil))
            && lake.catalog.faults.calls.contains(.listTables(Namespace(["archive"]), token: nil))
        })
      for _ in 0..<100 { await Task.yield() }
      lake.catalog.removeTable(ReachLake.orders)
      lake.catalog.putTable(
        TableIdentifier(namespace: Namespace(["archive"]), name: "orders"), metadataLocation: "\(Self.metadata)/00002-u.metadata.json")
      gate.open()
      #expect(try await question.ended().isReferenced)
    }
  }

  @Test("A pointer whose file a later commit deleted is read again from the catalog")
  func deletedAfterCommit() async throws {
    let lake = ReachLake()
    try lake.history()
    let gate = lake.files.faults.hold { $0.isRead }
    let question = Task { try await lake.judge("\(Self.root)/data/d") }
    await gate.waitForArrivals(1)
    try lake.delete("\(Self.metadata)/00002-u.metadata.json")
    try lake.commit(
      "\(Self.metadata)/00003-u.metadata.json", ReachLake.Version(snapshots: [try lake.snapshot(4, live: ["\(Self.root)/data/d"])]))
    gate.open()
    #expect(try await question.ended().isReferenced)
  }

  @Test("While another writer commits without pause, no file of a commit that came before the question is called unreferenced")
  func race() async throws {
    let lake = ReachLake()
    try lake.history()
    let published = Mutex(0)
    let isDone = Mutex(false)
    let writer = Task {
      var log: [String] = []
      var live: [String] = []
      var number = 0
      while !isDone.withLock({ $0 }), number < 400 {
        live.append("\(Self.root)/data/f\(number)")
        // Rewrites now and then: then only the log leads to the files before.
        let snapshot = try lake.snapshot(Int64(1000 + number), live: number % 7 == 0 ? [live.last ?? ""] : live.suffix(20))
        let pointer = "\(Self.metadata)/\(1000 + number)-u.metadata.json"
        try lake.commit(pointer, ReachLake.Version(log: log, snapshots: [snapshot]))
        log.append(pointer)
        if log.count > 30 { try lake.delete(log.removeFirst()) }
        published.withLock { $0 = number }
        number += 1
        await Task.yield()
      }
    }
    var generator = SeededGenerator(seed: 11)
    #expect(await becomesTrue { published.withLock { $0 } > 3 })
    for _ in 0..<12 {
      let newest = published.withLock { $0 }
      let asked = Int.random(in: max(0, newest - 5)...newest, using: &generator)
      let verdict = try await lake.judge("\(Self.root)/data/f\(asked)")
      // By the time of the sweep, 30 commits later, nothing may lead to it any more.
      if published.withLock({ $0 }) - asked < 15 { #expect(!verdict.isUnreferenced, "f\(asked): \(verdict)") }
    }
    isDone.withLock { $0 = true }
    try await writer.ended()
    let newest = published.withLock { $0 }
    for number in max(0, newest - 19)...newest { #expect(try await lake.judge("\(Self.root)/data/f\(number)").isReferenced) }
  }
}
