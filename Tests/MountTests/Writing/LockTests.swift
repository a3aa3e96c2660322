// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing
import WireFormats

@Suite("Commits that take the lock of the table first")
struct LockTests {
  private static let lease = Duration.milliseconds(1_500)

  /// Sets the property `$V` on the newest document that the mount knows.
  private static let edit = #"""
    cat "$M/.bergfs/refresh" >/dev/null
    jq --arg v "$V" '.properties[$v]="set"' "$X/current.metadata.json" >"$X/$V.json" && $BY mv "$X/$V.json" "$X/current.metadata.json"
    """#

  // MARK: A living holder

  @Test(
    "Whoever waits for a living holder gives up at the time set, or after 20 s, and leaves nothing",
    arguments: [(Metastore.glue, 2_000), (.dynamodb, 2_000), (.glue, 180_000)])
  func holderLives(metastore: Metastore, timeout: Int) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withHolder("test_lock_alive_\(timeout).t", metastore, gate) { holder in
      try await Self.mounted(holder.table, ["lock.acquire-timeout-ms": "\(timeout)"]) { waiter in
        gate.shut()
        async let held = holder.shell(Self.edit, ["V": "holder"])
        defer { gate.open() }
        try await gate.untilHeld()
        let (pointer, objects) = (try await waiter.pointer(), try await waiter.objects())
        let wait = Duration.milliseconds(min(timeout, 20_000))
        let refused = try await waiter.shell(Self.edit, ["V": "waiter"], within: .seconds(55))
        #expect(refused.status != 0 && refused.errorText.contains("Connection timed out"), "\(refused)")
        #expect(refused.duration >= wait - .milliseconds(100) && refused.duration < wait + .seconds(15), "\(refused)")
        let record = try await waiter.lastError("current.metadata.json")
        #expect(record.errno == "ETIMEDOUT" && record.message.contains("lock"), "\(record)")
        #expect(try await waiter.objects() == objects)
        #expect(try await waiter.pointer() == pointer)
        gate.open()
        try await held.succeeded()
        // The lock is free: the waiter's next one goes through, on top of the holder's.
        try await waiter.shell(Self.edit, ["V": "again"]).succeeded()
        let properties = try await waiter.loaded().properties
        #expect(properties["holder"] == "set" && properties["again"] == "set" && properties["waiter"] == nil)
      }
    }
  }

  @Test("An interrupted wait for the lock ends at once and leaves nothing", arguments: Metastore.allCases)
  func interrupted(metastore: Metastore) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withHolder("test_lock_interrupted.t", metastore, gate) { holder in
      try await Self.mounted(holder.table) { waiter in
        gate.shut()
        async let held = holder.shell(Self.edit, ["V": "holder"])
        defer { gate.open() }
        try await gate.untilHeld()
        let count = try await Self.count(waiter.table)
        let interrupted = try await waiter.shell(Self.edit, ["V": "waiter", "BY": "timeout -s INT 3"])
        #expect(interrupted.status == 124 && interrupted.duration < .seconds(13), "\(interrupted)")
        let isClean = try await eventually(within: .seconds(20), every: .milliseconds(50)) { try await Self.count(waiter.table) == count }
        #expect(isClean, "the waiter's file is left")
        gate.open()
        try await held.succeeded()
        #expect(try await waiter.loaded().properties["waiter"] == nil)
      }
    }
  }

  @Test("Two that wait get the lock in turn, and no change of the three is lost", arguments: Metastore.allCases)
  func twoWaiters(metastore: Metastore) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withHolder("test_lock_turns.t", metastore, gate) { holder in
      try await Self.mounted(holder.table) { second in
        try await Self.mounted(holder.table) { third in
          let before = try await Self.count(holder.table)
          gate.shut()
          async let held = holder.shell(Self.edit, ["V": "first"])
          defer { gate.open() }
          try await gate.untilHeld()
          async let waiting = second.shell(Self.edit, ["V": "second"])
          async let alsoWaiting = third.shell(Self.edit, ["V": "third"])
          // Each has its file uploaded, which comes before the lock.
          let isWaiting = try await eventually(every: .milliseconds(50)) { try await Self.count(holder.table) == before + 3 }
          #expect(isWaiting)
          gate.open()
          try await held.succeeded()
          for refused in [try await waiting, try await alsoWaiting] {
            #expect(refused.status != 0 && refused.errorText.contains("Stale file handle"), "\(refused)")
          }
          #expect(try await Self.count(holder.table) == before + 1)
          let untilDone = "for i in {1..20}; do (\(Self.edit)) && exit 0; done; exit 1"
          async let one = second.shell(untilDone, ["V": "second"], within: .seconds(120))
          async let two = third.shell(untilDone, ["V": "third"], within: .seconds(120))
          try await one.succeeded()
          try await two.succeeded()
          #expect(try await Self.count(holder.table) == before + 3)
          let properties = try await holder.loaded().properties
          #expect(["first", "second", "third"].allSatisfy { properties[$0] == "set" }, "\(properties)")
        }
      }
    }
  }

  // MARK: A holder that is gone

  @Test(
    "A dead holder's lock is taken after its lease, and what the dead one had sent changes nothing when it arrives",
    arguments: Metastore.allCases)
  func holderDies(metastore: Metastore) async throws {
    let gate = RequestGate(\.isPointerWrite)
    try await Self.withHolder("test_lock_dead.t", metastore, gate) { holder in
      try await Self.mounted(holder.table) { next in
        gate.shut()
        async let held = holder.shell(Self.edit, ["V": "holder"])
        defer { gate.open() }
        try await gate.untilHeld()
        kill(try #require(holder.lake.workspace.daemons.first), SIGKILL)
        #expect(try await held.status != 0)
        let taken = try await next.shell(Self.edit, ["V": "next"]).succeeded()
        #expect(taken.duration >= Self.lease, "\(taken)")
        gate.open()
        try await next.shell(Self.edit, ["V": "after"]).succeeded()
        let properties = try await next.loaded().properties
        #expect(properties["next"] == "set" && properties["after"] == "set" && properties["holder"] == nil, "\(properties)")
        // The dead mount is cleared, and mounted again for the end of the test.
        try await holder.lake.workspace.mount().succeeded()
      }
    }
  }

  @Test(
    "A commit whose lease runs out before its conditional write does not send it", arguments: Metastore.allCases)
  func leaseLost(metastore: Metastore) async throws {
    let lockTable = Self.lockTable(metastore)
    let isLocked = Mutex(false)
    let gate = RequestGate { request in
      if request.isAbout(lockTable), request.operation == "PutItem" { isLocked.withLock { $0 = true } }
      let isRead = ["GetTable", "GetItem"].contains(request.operation ?? "") && !request.isAbout(lockTable)
      return isRead && isLocked.withLock { $0 }
    }
    let isCut = Mutex(false)
    let judge = { @Sendable (request: ProxiedRequest) -> CountingProxy.Verdict in
      if isCut.withLock({ $0 }), request.operation == "PutItem", request.isAbout(lockTable) { return .reset }
      gate.pass(request)
      return .forward
    }
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_lock_lost.t", in: metastore)
    try await Self.mounted(table, proxy: CountingProxy(to: emulator, judge: judge)) { holder in
      let (pointer, objects) = (try await holder.pointer(), try await holder.objects())
      gate.shut()
      async let held = holder.shell(Self.edit, ["V": "holder"])
      defer { gate.open() }
      try await gate.untilHeld()
      isCut.withLock { $0 = true }
      let start = ContinuousClock.now
      _ = await eventually { ContinuousClock.now - start > Self.lease + .milliseconds(500) }
      gate.open()
      let refused = try await held
      #expect(refused.status != 0 && refused.errorText.contains("Stale file handle"), "\(refused)")
      #expect(try await holder.lastError("current.metadata.json").message.contains("lock"))
      #expect(holder.proxy?.requests.count(where: \.isPointerWrite) == 0)
      #expect(try await holder.pointer() == pointer)
      #expect(try await holder.objects() == objects)
      isCut.withLock { $0 = false }
      try await holder.shell(Self.edit, ["V": "again"]).succeeded()
    }
  }

  // MARK: The table of locks

  @Test("A missing lock table is made by the first commit, once", arguments: Metastore.allCases)
  func missingTable(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_lock_missing.t", in: metastore)
    try await Self.mounted(table, ["lock.table": "madelocks-\(metastore)"], proxy: CountingProxy(to: emulator)) { own in
      for value in ["one", "two"] { try await own.shell(Self.edit, ["V": value]).succeeded() }
      let made = try #require(own.proxy?.requests.filter { $0.operation == "CreateTable" && $0.service == "dynamodb" })
      #expect(made.count == 1 && made.allSatisfy { $0.isAbout("madelocks-\(metastore)") })
      #expect(try await own.loaded().properties["two"] == "set")
    }
  }

  @Test("Without rights on the lock table nothing is committed: EACCES, and a sentence", arguments: Metastore.allCases)
  func denied(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_lock_denied.t", in: metastore)
    let lockTable = Self.lockTable(metastore)
    let proxy = try CountingProxy(to: emulator) { request in
      request.isAbout(lockTable) ? .answer(Fault.answer(400, "AccessDeniedException", request)) : .forward
    }
    try await Self.mounted(table, proxy: proxy) { own in
      let (pointer, objects) = (try await own.pointer(), try await own.objects())
      let refused = try await own.shell(Self.edit, ["V": "denied"])
      #expect(refused.status != 0 && refused.errorText.contains("Permission denied"), "\(refused)")
      let record = try await own.lastError("current.metadata.json")
      #expect(record.errno == "EACCES" && record.message.contains(lockTable), "\(record)")
      #expect(proxy.requests.count(where: \.isPointerWrite) == 0)
      #expect(try await own.pointer() == pointer)
      #expect(try await own.objects() == objects)
    }
  }

  // MARK: Mounts

  /// A table has one name in both metastores, and locks go by it.
  private static func lockTable(_ metastore: Metastore) -> String { "mountlocks-\(metastore.rawValue)" }

  /// How many objects the table has; unlike ``WritableTable/objects()`` while others delete some.
  private static func count(_ table: OwnTable) async throws -> Int {
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    return Array(try await EmulatorWithSeed.shared().account(["objects", bucket, key + "/"]).elements).count
  }

  /// A table of its own on a mount whose requests pass the gate.
  private static func withHolder(
    _ name: String, _ metastore: Metastore, _ gate: RequestGate, _ body: (WritableTable) async throws -> Void
  ) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable(name, in: metastore)
    let proxy = try CountingProxy(to: emulator) { request in
      gate.pass(request)
      return .forward
    }
    try await mounted(table, proxy: proxy, body)
  }

  private static func mounted(
    _ table: OwnTable, _ further: [String: String?] = [:], proxy: CountingProxy? = nil, _ body: (WritableTable) async throws -> Void
  ) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    var properties: [String: String?] = [
      "dynamodb.endpoint": proxy?.endpoint ?? emulator.endpoint, "lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager",
      "lock.table": lockTable(table.metastore), "lock.acquire-interval-ms": "50", "lock.acquire-timeout-ms": "15000",
      "lock.heartbeat-interval-ms": "300",
      "lock.heartbeat-timeout-ms": "1500",
    ]
    properties.merge(further) { $1 }
    var settings = MountSettings(table.metastore, properties: properties, proxy: proxy)
    settings.mayWrite = true
    try await MountedCatalog.with(settings) { lake in
      try await body(WritableTable(lake: lake, table: table))
    }
  }
}
