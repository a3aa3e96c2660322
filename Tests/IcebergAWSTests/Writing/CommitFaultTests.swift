// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import TestSupport
import Testing

@Suite("Commits when services fail")
struct CommitFaultTests {
  private static let base = SimulatedMetastore.location("00000-a")
  private static let ours = SimulatedMetastore.location("00001-ours")
  private static let rival = SimulatedMetastore.location("00001-rival")
  private static let later = SimulatedMetastore.location("00002-later")

  static let faults: [SendFault] = [
    .refused(503, "ServiceUnavailable"), .refused(400, "ThrottlingException"), .refused(500, "InternalServiceException"),
    .refused(400, "OperationTimeoutException"), .refused(400, "ExpiredTokenException"), .refused(400, "AccessDeniedException"),
    .refused(400, "ResourceNumberLimitExceededException"), .doneThen(500, "InternalServiceException"), .doneThen(503, "ServiceUnavailable"),
    .doneThen(400, "OperationTimeoutException"), .notSent, .lostBefore, .lostAfter, .late, .timedOutBefore, .timedOutAfter, .truncated,
    .webPage, .badChecksum,
  ]

  /// What another writer does around the commit.
  enum Rival: String, CaseIterable, Sendable {
    case none
    /// Commits right before our first conditional write arrives.
    case before
    /// Commits right after it, before anything is read back.
    case after
    /// Moves the guard and not the pointer.
    case touch
  }

  /// Sends that the fault hits: the first, or every one.
  enum Extent: String, CaseIterable, Sendable {
    case once, always

    func hits(_ number: Int) -> Bool { self == .always || number == 0 }
  }

  @Test(
    "Whatever befalls a commit, it is made once, refused, or unknown, and says so",
    arguments: MetastoreKind.allCases, faults)
  func update(_ kind: MetastoreKind, _ fault: SendFault) async throws {
    for step in [kind.readOperation, kind.writeOperation(creates: false)] {
      for extent in Extent.allCases {
        for rival in Rival.allCases {
          let metastore = SimulatedMetastore(kind, pointer: Self.base)
          let write = kind.writeOperation(creates: false)
          switch rival {
          case .none: break
          case .before: metastore.before(write, 0) { $0.set(Self.rival) }
          case .after:
            metastore.before(kind.readOperation, 1) { if $0.pointer == Self.ours { $0.set(Self.later) } }
            metastore.before(write, 1) { if $0.pointer == Self.ours { $0.set(Self.later) } }
          case .touch: metastore.before(write, 0) { $0.touch() }
          }
          let (operations, transport) = try metastore.operations { $0 == step && extent.hits($1) ? fault : nil }
          let entry = TableEntry(identifier: SimulatedMetastore.identifier, metadataLocation: Self.base, version: nil, modified: nil)
          let outcome = await Self.outcome(operations, base: entry)
          transport.deliverLate()
          let label: Comment = "\(kind) \(step) \(fault) \(extent) rival \(rival): \(outcome)"
          Self.check(outcome, metastore, label)
        }
      }
    }
  }

  @Test("Whatever befalls the creation of a table, it is made once, refused, or unknown", arguments: MetastoreKind.allCases, faults)
  func create(_ kind: MetastoreKind, _ fault: SendFault) async throws {
    for step in [kind.readOperation, kind.writeOperation(creates: true)] {
      for extent in Extent.allCases {
        for rival in [Rival.none, .before, .after] {
          let metastore = SimulatedMetastore(kind, pointer: nil)
          let write = kind.writeOperation(creates: true)
          switch rival {
          case .before: metastore.before(write, 0) { $0.set(Self.rival) }
          case .after:
            metastore.before(kind.readOperation, 1) { if $0.pointer == Self.ours { $0.set(Self.later) } }
            metastore.before(write, 1) { if $0.pointer == Self.ours { $0.set(Self.later) } }
          case .none, .touch: break
          }
          let (operations, transport) = try metastore.operations { $0 == step && extent.hits($1) ? fault : nil }
          let outcome = await Self.outcome(operations, base: nil)
          transport.deliverLate()
          Self.check(outcome, metastore, "\(kind) \(step) \(fault) \(extent) rival \(rival): \(outcome)")
        }
      }
    }
  }

  @Test(
    "A lost answer is settled by reading back",
    arguments: MetastoreKind.allCases,
    [SendFault.lostAfter, .timedOutAfter, .doneThen(500, "InternalServiceException"), .truncated, .webPage])
  func readBack(_ kind: MetastoreKind, _ fault: SendFault) async throws {
    for extent in Extent.allCases {
      let metastore = SimulatedMetastore(kind, pointer: Self.base)
      let (operations, _) = try metastore.operations { $0 == kind.writeOperation(creates: false) && extent.hits($1) ? fault : nil }
      let outcome = await Self.outcome(operations, base: entry(Self.base))
      guard case .success(.committed(let committed)) = outcome else {
        Issue.record("\(fault) \(extent): \(outcome)")
        continue
      }
      #expect(committed.metadataLocation == Self.ours)
      #expect(metastore.history == [Self.base, Self.ours])
    }
  }

  @Test("A request that never gets an answer and has changed nothing is unknown, and may arrive later", arguments: MetastoreKind.allCases)
  func late(_ kind: MetastoreKind) async throws {
    let metastore = SimulatedMetastore(kind, pointer: Self.base)
    let (operations, transport) = try metastore.operations { operation, _ in operation == kind.writeOperation(creates: false) ? .late : nil
    }
    let outcome = await Self.outcome(operations, base: entry(Self.base))
    guard case .success(.unknown) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    transport.deliverLate()
    #expect(metastore.history == [Self.base, Self.ours])
  }

  @Test("A commit that others have succeeded already is found in their log", arguments: MetastoreKind.allCases)
  func succeeded(_ kind: MetastoreKind) async throws {
    let metastore = SimulatedMetastore(kind, pointer: Self.base)
    metastore.before(kind.readOperation, 1) { $0.set(Self.later) }
    let (operations, _) = try metastore.operations { operation, _ in
      operation == kind.writeOperation(creates: false) ? .doneThen(500, "InternalServiceException") : nil
    }
    let outcome = await Self.outcome(operations, base: entry(Self.base))
    guard case .success(.committed(let committed)) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(committed.metadataLocation == Self.ours)
    #expect(metastore.history == [Self.base, Self.ours, Self.later])
  }

  @Test("What every send was refused for is told as it is, also when nothing can be read back", arguments: MetastoreKind.allCases)
  func refusedAndUnreadable(_ kind: MetastoreKind) async throws {
    for isReadable in [true, false] {
      let metastore = SimulatedMetastore(kind, pointer: Self.base)
      let (operations, transport) = try metastore.operations { operation, number in
        if operation == kind.writeOperation(creates: false) { return .refused(400, "ThrottlingException") }
        return isReadable || number == 0 ? nil : .refused(400, "AccessDeniedException")
      }
      guard case .failure(let error) = await Self.outcome(operations, base: entry(Self.base)) else {
        Issue.record("no refusal")
        return
      }
      #expect(error.code == .failed && error.message.contains("ThrottlingException"))
      #expect(transport.sends(kind.writeOperation(creates: false)) == 4)
    }
  }

  @Test("A guard that moved under the same pointer costs one more write", arguments: MetastoreKind.allCases)
  func touched(_ kind: MetastoreKind) async throws {
    let write = kind.writeOperation(creates: false)
    let metastore = SimulatedMetastore(kind, pointer: Self.base)
    metastore.before(write, 0) { $0.touch() }
    let (operations, transport) = try metastore.operations { _, _ in nil }
    guard case .success(.committed) = await Self.outcome(operations, base: entry(Self.base)) else {
      Issue.record("not committed")
      return
    }
    #expect(transport.sends(write) == 2)
    #expect(transport.sends(kind.readOperation) == 2)
    let restless = SimulatedMetastore(kind, pointer: Self.base)
    for number in 0..<5 { restless.before(write, number) { $0.touch() } }
    let (second, secondTransport) = try restless.operations { _, _ in nil }
    guard case .success(.conflict) = await Self.outcome(second, base: entry(Self.base)) else {
      Issue.record("not a conflict")
      return
    }
    #expect(secondTransport.sends(write) == 2)
  }

  @Test("A base that is not the current file is refused without a write", arguments: MetastoreKind.allCases)
  func staleBase(_ kind: MetastoreKind) async throws {
    let metastore = SimulatedMetastore(kind, pointer: Self.rival)
    let (operations, transport) = try metastore.operations { _, _ in nil }
    guard case .success(.conflict(let message)) = await Self.outcome(operations, base: entry(Self.base)) else {
      Issue.record("not a conflict")
      return
    }
    #expect(message.contains(Self.base) && message.contains(Self.rival))
    #expect(transport.sends(kind.writeOperation(creates: false)) == 0)
  }

  @Test("A lost lease ends the commit before its write", arguments: MetastoreKind.allCases)
  func lease(_ kind: MetastoreKind) async throws {
    struct Lost: Error {}
    let metastore = SimulatedMetastore(kind, pointer: Self.base)
    let (operations, transport) = try metastore.operations { _, _ in nil }
    let commit = TableCommit(
      identifier: SimulatedMetastore.identifier, base: entry(Self.base), metadataLocation: Self.ours,
      document: TableDocument(location: "s3://b/db1/t1"), checkLease: { throw Lost() })
    let error = await #expect(throws: CatalogError.self) { _ = try await operations.commit(commit) }
    #expect(error?.code == .conflict)
    #expect(transport.sends(kind.writeOperation(creates: false)) == 0)
  }

  @Test("A cancelled task does not call back a commit that was sent", arguments: MetastoreKind.allCases)
  func cancelled(_ kind: MetastoreKind) async throws {
    let metastore = SimulatedMetastore(kind, pointer: Self.base)
    let (operations, _) = try metastore.operations { operation, number in
      operation == kind.writeOperation(creates: false) && number == 0 ? .lostAfter : nil
    }
    let base = entry(Self.base)
    let task = Task { await Self.outcome(operations, base: base, checkLease: { withUnsafeCurrentTask { $0?.cancel() } }) }
    let outcome = await task.value
    Self.check(outcome, metastore, "\(outcome)")
  }

  // MARK: parts

  private func entry(_ location: String) -> TableEntry {
    TableEntry(identifier: SimulatedMetastore.identifier, metadataLocation: location, version: nil, modified: nil)
  }

  private static func outcome(
    _ operations: any TableOperations, base: TableEntry?, checkLease: @escaping @Sendable () -> Void = {}
  ) async -> Result<CommitOutcome, CatalogError> {
    let commit = TableCommit(
      identifier: SimulatedMetastore.identifier, base: base, metadataLocation: ours, document: TableDocument(location: "s3://b/db1/t1"),
      checkLease: checkLease)
    do throws(CatalogError) {
      return .success(try await operations.commit(commit))
    } catch {
      return .failure(error)
    }
  }

  /// The truth is what the metastore was after every request has arrived.
  private static func check(_ outcome: Result<CommitOutcome, CatalogError>, _ metastore: SimulatedMetastore, _ label: Comment) {
    let made = metastore.history.count { $0 == ours }
    switch outcome {
    case .success(.committed(let entry)):
      #expect(made == 1, label)
      #expect(entry.metadataLocation == ours, label)
    case .success(.conflict), .failure: #expect(made == 0, label)
    case .success(.unknown): #expect(made <= 1, label)
    }
  }
}
