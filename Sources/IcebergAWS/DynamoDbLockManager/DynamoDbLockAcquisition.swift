// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Iceberg

/// One acquire: reads the lock and puts it, until it is taken or the time is up. Source: spec/lock-manager.md §5.1, §5.2, §9 (2).
///
/// Java sleeps a whole lease between two reads; looking more often shows a lock that was freed at once, and takes none any earlier.
struct DynamoDbLockAcquisition {
  /// A lock that stands in the table.
  struct Taken: Sendable {
    var item: DynamoDbLockItem
    /// When the put was sent.
    var sent: Duration
  }

  private enum Step {
    case taken(Taken)
    case again(after: Duration)
  }

  /// How often a lock that another holds is looked at, where `lock.acquire-interval-ms` is not shorter still: one read a second costs less
  /// than a commit that waits for the holder's whole lease.
  private static let lookInterval = Duration.seconds(1)
  private static let shortestLookInterval = Duration.milliseconds(10)

  let table: DynamoDbLockTable
  let settings: LockSettings
  let clock: any LockClock
  let calls: DetachedCalls
  let entityID: String
  let ownerID: String
  let limit: Duration
  let end: Duration
  let newVersion: @Sendable () -> String
  /// Takes back a lock that nobody waits for any more.
  let discard: @Sendable (DynamoDbLockItem) async -> Void
  private var contention = DynamoDbLockContention()
  /// Puts that may have been done, or may still be, although no answer said so.
  private(set) var doubtful: [Taken] = []
  private var hasPut = false
  private var isReadingBack = false

  init(
    table: DynamoDbLockTable, settings: LockSettings, clock: any LockClock, calls: DetachedCalls, entityID: String, ownerID: String,
    limit: Duration, end: Duration, newVersion: @escaping @Sendable () -> String,
    discard: @escaping @Sendable (DynamoDbLockItem) async -> Void
  ) {
    self.table = table
    self.settings = settings
    self.clock = clock
    self.calls = calls
    self.entityID = entityID
    self.ownerID = ownerID
    self.limit = limit
    self.end = end
    self.newVersion = newVersion
    self.discard = discard
  }

  mutating func run() async throws(LockError) -> Taken {
    while true {
      switch try await look() {
      case .taken(let taken): return taken
      case .again(let wait):
        let now = clock.elapsed()
        guard now < end else { throw .timedOut(entityID, after: limit, heldBy: contention.holder) }
        do throws(CancellationError) {
          try await clock.sleep(for: min(wait, end - now))
        } catch {
          throw .cancelled(entityID)
        }
      }
    }
  }

  private mutating func look() async throws(LockError) -> Step {
    let item: DynamoDbLockItem?
    do throws(AWSError) {
      let attributes = try await table.read(entityID, deadline: max(end - clock.elapsed(), .seconds(1)))
      item = attributes.flatMap { DynamoDbLockItem($0) }
      if attributes != nil, item == nil { throw notALock() }
    } catch {
      guard error.isPassing else { throw failure(error) }
      return .again(after: lookInterval)
    }
    let now = clock.elapsed()
    if let item, let own = doubtful.first(where: { $0.item.isSameWrite(as: item) }) { return .taken(own) }
    let action = contention.next(item, now: now)
    if isReadingBack {
      isReadingBack = false
      return .again(after: lookInterval)
    }
    switch action {
    case .wait(let remaining): return .again(after: min(lookInterval, remaining))
    case .create: return try await put(over: nil)
    case .takeOver(let version): return try await put(over: version)
    }
  }

  private mutating func put(over version: String?) async throws(LockError) -> Step {
    if hasPut, clock.elapsed() >= end { throw .timedOut(entityID, after: limit, heldBy: contention.holder) }
    hasPut = true
    let item = DynamoDbLockItem(entityID: entityID, ownerID: ownerID, version: newVersion(), lease: settings.heartbeatTimeout)
    let taken = Taken(item: item, sent: clock.elapsed())
    // A put that took longer would have nothing left of its lease.
    let deadline = min(max(end - taken.sent, .seconds(1)), settings.heartbeatTimeout)
    let (table, discard) = (table, discard)
    let result = await calls.run({ await Self.put(item, over: version, in: table, deadline: deadline) }) { error in
      if error?.isDefinite != true { await discard(item) }
    }
    guard let result else { throw .cancelled(entityID) }
    guard let error = result else { return .taken(taken) }
    if !error.isDefinite {
      // The answer may be about our own put, which came through before: the item tells whose it is.
      doubtful.append(taken)
      isReadingBack = true
      return .again(after: .zero)
    }
    guard error.isPassing else { throw failure(error) }
    return .again(after: lookInterval)
  }

  /// The error, nil for a put that was done.
  private static func put(
    _ item: DynamoDbLockItem, over version: String?, in table: DynamoDbLockTable, deadline: Duration
  ) async -> AWSError? {
    do throws(AWSError) {
      if let version {
        try await table.takeOver(item, version: version, deadline: deadline)
      } else {
        try await table.create(item, deadline: deadline)
      }
      return nil
    } catch {
      return error
    }
  }

  private var lookInterval: Duration {
    let interval = max(min(Self.lookInterval, settings.acquireInterval), Self.shortestLookInterval)
    return interval * (1 + 0.1 * clock.random())
  }

  private func notALock() -> AWSError {
    AWSError(
      kind: .malformed, code: "MalformedItem", message: "the item in table '\(table.name)' is no lock of Iceberg's",
      operation: "DynamoDB.GetItem")
  }

  private func failure(_ error: AWSError) -> LockError {
    if Task.isCancelled || error.kind == .cancelled { return .cancelled(entityID) }
    return LockError(error, "Cannot lock '\(entityID)'")
  }
}

extension DynamoDbLockItem {
  /// Whether both come from one put.
  fileprivate func isSameWrite(as other: DynamoDbLockItem) -> Bool {
    version.utf8.elementsEqual(other.version.utf8) && ownerID.utf8.elementsEqual(other.ownerID.utf8)
  }
}
