// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import TestSupport
import Testing

@Suite("Renames and drops when services fail")
struct CatalogFaultTests {
  private static let source = "db1.t1"
  private static let target = "db2.t2"
  private static let pointer = "s3://b/db1/t1/metadata/00001-a.metadata.json"
  private static let later = "s3://b/db1/t1/metadata/00002-b.metadata.json"
  private static let foreign = "s3://b/other/metadata/00000-c.metadata.json"
  private static let entry = TableEntry(identifier: identifier(source), metadataLocation: pointer, version: nil, modified: nil)

  /// Sends of an operation that a fault hits.
  enum Extent: String, CaseIterable, Sendable {
    case first, second, third, always, allButFirst, allButFirstTwo

    func hits(_ number: Int) -> Bool {
      switch self {
      case .first: number == 0
      case .second: number == 1
      case .third: number == 2
      case .always: true
      case .allButFirst: number >= 1
      case .allButFirstTwo: number >= 2
      }
    }
  }

  /// What another client does meanwhile.
  enum Rival: String, CaseIterable, Sendable {
    case none
    /// Commits to the table before it is renamed.
    case commits
    /// Drops the table.
    case drops
    /// Makes another table under the new name.
    case takesTheName
    /// Commits to the table under its old name when the new one is there.
    case commitsToOld
    /// Commits to the table under its old name right before that goes.
    case commitsLate
    /// Commits to the table under its new name.
    case commitsToNew
    /// Renames the table to the same name, a step ahead.
    case renames
  }

  @Test(
    "Whatever befalls a rename, it is done once, changed nothing, or is unknown; never are both names lost",
    arguments: MetastoreKind.allCases, CommitFaultTests.faults)
  func rename(_ kind: MetastoreKind, _ fault: SendFault) async throws {
    let steps =
      kind == .glue ? ["GetDatabase", "GetTable", "CreateTable", "UpdateTable", "DeleteTable"] : ["GetItem", "TransactWriteItems"]
    for step in steps {
      for extent in Extent.allCases {
        for rival in Rival.allCases {
          let service = SimulatedCatalog(kind)
          service.set(Self.source, Self.pointer)
          Self.arrange(rival, service)
          let (catalog, transport) = try service.catalog { $0 == step && extent.hits($1) ? fault : nil }
          let error = await Self.error { () throws(CatalogError) in
            try await catalog.renameTable(Self.entry, to: Self.identifier(Self.target))
          }
          transport.deliverLate()
          Self.checkRename(
            error, service, rival, "\(kind) \(step) \(fault) \(extent.rawValue) rival \(rival.rawValue): \(String(describing: error))")
        }
      }
    }
  }

  private static func arrange(_ rival: Rival, _ service: SimulatedCatalog) {
    let write = service.kind == .glue ? "CreateTable" : "TransactWriteItems"
    switch rival {
    case .none: break
    case .commits: service.before(write, 0) { $0.commit(source, from: pointer, to: later) }
    case .commitsToOld: service.before(service.kind == .glue ? "UpdateTable" : write, 0) { $0.commit(source, from: pointer, to: later) }
    case .commitsLate: service.before(service.kind == .glue ? "DeleteTable" : write, 0) { $0.commit(source, from: pointer, to: later) }
    case .drops: service.before(write, 0) { $0.remove(source) }
    case .takesTheName: service.before(write, 0) { $0.set(target, foreign) }
    case .renames where service.kind == .glue:
      service.before(write, 0) { if $0.entry(source) != nil { $0.set(target, pointer) } }
      service.before("UpdateTable", 0) { if $0.entry(source) != nil { $0.set(source, "", kind: nil) } }
      for number in 0..<9 { service.before("DeleteTable", number) { if $0.anyEntry(source)?.kind == nil { $0.remove(source) } } }
    case .renames:
      service.before(write, 0) {
        $0.remove(source); $0.set(target, pointer)
      }
    case .commitsToNew:
      let read = service.kind == .glue ? "GetTable" : "GetItem"
      for number in 1..<9 { service.before(read, number) { $0.commit(target, from: pointer, to: later) } }
    }
  }

  /// The truth is what the service was after every request has arrived.
  private static func checkRename(_ error: CatalogError?, _ service: SimulatedCatalog, _ rival: Rival, _ label: Comment) {
    let (old, new) = (service.entry(source), service.entry(target))
    let isOurs = [pointer, later].contains(new?.pointer)
    if rival != .drops { #expect(old != nil || isOurs, label) }
    switch error?.code {
    case nil: #expect(old == nil && isOurs, label)
    case .unknown:
      #expect(error.map { $0.message.contains(source) || $0.message.contains(target) } == true, label)
      #expect(
        error?.message.contains("look") == true || error?.message.contains("drop") == true || error?.message.contains("decide") == true,
        label)
    default:
      #expect(!isOurs || rival == .renames, label)
      #expect(service.changes.count { $0 == .removed(source) || $0 == .renamed } == 0, label)
    }
    // A commit that another client was told is made is there, under one of the names.
    for _ in service.commits { #expect(old?.pointer == later || new?.pointer == later, label) }
  }

  @Test(
    "A rename whose answer was lost is settled by reading", arguments: MetastoreKind.allCases,
    [SendFault.lostAfter, .timedOutAfter, .doneThen(500, "InternalServiceException"), .truncated, .webPage])
  func settledRename(_ kind: MetastoreKind, _ fault: SendFault) async throws {
    for step in kind == .glue ? ["CreateTable", "UpdateTable", "DeleteTable"] : ["TransactWriteItems"] {
      for extent in [Extent.first, .always] {
        let service = SimulatedCatalog(kind)
        service.set(Self.source, Self.pointer)
        let (catalog, _) = try service.catalog { $0 == step && extent.hits($1) ? fault : nil }
        let error = await Self.error { () throws(CatalogError) in
          try await catalog.renameTable(Self.entry, to: Self.identifier(Self.target))
        }
        #expect(error == nil, "\(step) \(extent)")
        #expect(service.entry(Self.source) == nil && service.entry(Self.target)?.pointer == Self.pointer)
      }
    }
  }

  @Test(
    "A refused closing or drop of the old name takes the new one back and leaves the old as it was; one whose fate is open does not",
    arguments: ["UpdateTable", "DeleteTable"])
  func undo(step: String) async throws {
    for (fault, code) in [
      (SendFault.refused(400, "AccessDeniedException"), CatalogError.Code.denied), (.lostBefore, .unknown), (.late, .unknown),
    ] {
      let service = SimulatedCatalog(.glue)
      service.set(Self.source, Self.pointer)
      let before = service.entry(Self.source)
      // What is done to the old name fails, what is done to the new one does not.
      let (catalog, transport) = try service.catalog { operation, number in
        guard operation == step else { return nil }
        return code == .unknown || number == 0 ? fault : nil
      }
      let error = await Self.error { () throws(CatalogError) in
        try await catalog.renameTable(Self.entry, to: Self.identifier(Self.target))
      }
      #expect(error?.code == code)
      #expect((service.anyEntry(Self.target) == nil) == (code == .denied))
      if code == .denied {
        var after = service.entry(Self.source)
        after?.version = before?.version ?? ""
        #expect(after == before)
      }
      transport.deliverLate()
      #expect(service.entry(Self.source) != nil || service.entry(Self.target) != nil)
    }
  }

  @Test(
    "A commit to the old name during a Glue rename takes the new one back and is a conflict", arguments: ["CreateTable", "UpdateTable"])
  func committedMeanwhile(step: String) async throws {
    let service = SimulatedCatalog(.glue)
    service.set(Self.source, Self.pointer)
    service.before(step, 0) { $0.commit(Self.source, from: Self.pointer, to: Self.later) }
    let (catalog, _) = try service.catalog()
    let error = await Self.error { () throws(CatalogError) in
      try await catalog.renameTable(Self.entry, to: Self.identifier(Self.target))
    }
    #expect(error?.code == .conflict)
    #expect(service.entry(Self.source)?.pointer == Self.later && service.anyEntry(Self.target) == nil)
  }

  @Test("A closing that never got through after somebody's commit is a conflict")
  func lostClosing() async throws {
    let service = SimulatedCatalog(.glue)
    service.set(Self.source, Self.pointer)
    service.before("CreateTable", 0) { $0.commit(Self.source, from: Self.pointer, to: Self.later) }
    // As often as one call is sent.
    let (catalog, _) = try service.catalog { $0 == "UpdateTable" && $1 < 4 ? .lostBefore : nil }
    let error = await Self.error { () throws(CatalogError) in
      try await catalog.renameTable(Self.entry, to: Self.identifier(Self.target))
    }
    #expect(error?.code == .conflict)
    #expect(service.entry(Self.source)?.pointer == Self.later && service.anyEntry(Self.target) == nil)
  }

  @Test("Once its old entry is closed, a Glue table that is renamed takes no commit under the old name, and the new one has no trace of it")
  func closed() async throws {
    let service = SimulatedCatalog(.glue)
    service.set(Self.source, Self.pointer)
    service.before("DeleteTable", 0) { service in
      #expect(service.entry(Self.source) == nil)
      let closed = service.anyEntry(Self.source)?.parameters
      #expect(closed?["bergfs.metadata-location"] == Self.pointer && closed?["bergfs.renamed-to"] == Self.target)
      service.commit(Self.source, from: Self.pointer, to: Self.later)
    }
    let (catalog, _) = try service.catalog()
    try await catalog.renameTable(Self.entry, to: Self.identifier(Self.target))
    #expect(service.anyEntry(Self.source) == nil && service.commits.isEmpty)
    #expect(service.entry(Self.target)?.pointer == Self.pointer && service.entry(Self.target)?.parameters == [:])
  }

  @Test("Of two renames of one Glue table to one name, the later takes nothing of the earlier back", arguments: [false, true])
  func rivalRename(isThrottled: Bool) async throws {
    let service = SimulatedCatalog(.glue)
    service.set(Self.source, Self.pointer)
    if isThrottled {
      // The other one makes the entry between the throttled send and the next.
      service.before("CreateTable", 0) { $0.set(Self.target, Self.pointer) }
    } else {
      service.before("UpdateTable", 0) { $0.set(Self.source, "", kind: nil) }
    }
    let (catalog, transport) = try service.catalog {
      $0 == "CreateTable" && $1 == 0 && isThrottled ? .refused(400, "ThrottlingException") : nil
    }
    let error = await Self.error { () throws(CatalogError) in
      try await catalog.renameTable(Self.entry, to: Self.identifier(Self.target))
    }
    #expect(error?.code == (isThrottled ? .alreadyExists : .unknown))
    #expect(service.entry(Self.target)?.pointer == Self.pointer)
    #expect(transport.sends("DeleteTable") == 0 && (service.entry(Self.source) != nil) == isThrottled)
  }

  @Test("A rename onto the same Glue name in capitals is refused before anything is sent")
  func sameName() async throws {
    let service = SimulatedCatalog(.glue)
    service.set(Self.source, Self.pointer)
    let (catalog, _) = try service.catalog(["glue.skip-name-validation": "true"])
    let error = await Self.error { () throws(CatalogError) in try await catalog.renameTable(Self.entry, to: Self.identifier("db1.T1")) }
    #expect(error?.code == .alreadyExists)
    #expect(service.order.isEmpty)
  }

  @Test(
    "Whatever befalls the drop of a table, it is done once, changed nothing, or is unknown", arguments: MetastoreKind.allCases,
    CommitFaultTests.faults)
  func drop(_ kind: MetastoreKind, _ fault: SendFault) async throws {
    let (read, write) = kind == .glue ? ("GetTable", "DeleteTable") : ("GetItem", "DeleteItem")
    for step in [read, write] {
      for extent in Extent.allCases {
        for rival in ["none", "commits", "makes it anew"] {
          let service = SimulatedCatalog(kind)
          service.set(Self.source, Self.pointer)
          // On Glue a commit makes no difference, as DeleteTable has no guard.
          if rival == "commits" { service.before(write, 0) { $0.set(Self.source, Self.later) } }
          if rival == "makes it anew" {
            service.before(read, 1) { if $0.entry(Self.source) == nil { $0.set(Self.source, Self.foreign, isNew: true) } }
          }
          let (catalog, transport) = try service.catalog { $0 == step && extent.hits($1) ? fault : nil }
          let error = await Self.error { () throws(CatalogError) in try await catalog.dropTable(Self.identifier(Self.source)) }
          let seen = service.entry(Self.source)
          // Glue's DeleteTable has no guard: one that arrives late takes whatever has the name by then.
          if kind == .dynamodb { transport.deliverLate() }
          let label: Comment = "\(kind) \(step) \(fault) \(extent.rawValue) rival \(rival): \(String(describing: error))"
          let removals = service.changes.count { $0 == .removed(Self.source) }
          switch error?.code {
          case nil: #expect(removals == 1 && [nil, Self.foreign].contains(service.entry(Self.source)?.pointer), label)
          case .unknown: #expect(removals <= 1 && error?.message.contains("look") == true, label)
          default: #expect(removals == 0 && seen == service.entry(Self.source) && service.entry(Self.source) != nil, label)
          }
        }
      }
    }
  }

  @Test("A drop is tried again when commits overtake it, ten times in all, and never takes a table made anew", arguments: [0, 1, 9, 10])
  func overtakenDrop(commits: Int) async throws {
    for isAnew in [false, true] {
      let service = SimulatedCatalog(.dynamodb)
      service.set(Self.source, Self.pointer)
      for number in 0..<commits {
        service.before("DeleteItem", number) { $0.set(Self.source, Self.later, isNew: isAnew && number == commits - 1) }
      }
      let (catalog, transport) = try service.catalog()
      let error = await Self.error { () throws(CatalogError) in try await catalog.dropTable(Self.identifier(Self.source)) }
      let isDropped = commits < 10 && !(isAnew && commits > 0)
      #expect(error?.code == (isDropped ? nil : .conflict))
      #expect((service.entry(Self.source) == nil) == isDropped)
      #expect(transport.sends("DeleteItem") == min(commits + (isDropped ? 1 : 0), 10))
    }
  }

  @Test("What is no Iceberg table of Glue is not dropped", arguments: ["", "hive"])
  func foreignDrop(kind: String) async throws {
    let service = SimulatedCatalog(.glue)
    service.set(Self.source, kind.isEmpty ? "" : Self.pointer, kind: kind.isEmpty ? "ICEBERG" : nil)
    let (catalog, transport) = try service.catalog()
    let error = await Self.error { () throws(CatalogError) in try await catalog.dropTable(Self.identifier(Self.source)) }
    #expect(error?.code == .tableNotFound)
    #expect(transport.sends("DeleteTable") == 0)
  }

  @Test(
    "Whatever befalls the making and the drop of a namespace, it is done once, changed nothing, or is unknown",
    arguments: MetastoreKind.allCases, CommitFaultTests.faults)
  func namespaces(_ kind: MetastoreKind, _ fault: SendFault) async throws {
    let namespace = Namespace(["db3"])
    let glue = kind == .glue
    for (isDrop, steps) in [
      (false, glue ? ["GetDatabase", "CreateDatabase"] : ["GetItem", "PutItem"]),
      (true, glue ? ["GetTables", "GetDatabase", "DeleteDatabase"] : ["Query", "GetItem", "DeleteItem"]),
    ] {
      for step in steps {
        for extent in Extent.allCases {
          let service = SimulatedCatalog(kind, namespaces: isDrop ? ["db3"] : [])
          let (catalog, transport) = try service.catalog { $0 == step && extent.hits($1) ? fault : nil }
          let error = await Self.error { () throws(CatalogError) in
            if isDrop { try await catalog.dropNamespace(namespace) } else { try await catalog.createNamespace(namespace, properties: [:]) }
          }
          transport.deliverLate()
          let label: Comment = "\(kind) \(step) \(fault) \(extent.rawValue) drop: \(isDrop): \(String(describing: error))"
          switch error?.code {
          case nil: #expect(service.hasNamespace("db3") != isDrop && service.changes.count == 1, label)
          case .unknown: #expect(service.changes.count <= 1 && error?.message.contains("look") == true, label)
          default: #expect(service.hasNamespace("db3") == isDrop && service.changes.isEmpty, label)
          }
        }
      }
    }
  }

  @Test("An entry of any kind keeps its namespace, also one that is made between the two looks", arguments: MetastoreKind.allCases)
  func notEmpty(_ kind: MetastoreKind) async throws {
    let list = kind == .glue ? "GetTables" : "Query"
    for number in [0, kind == .glue ? 1 : 2] {
      let service = SimulatedCatalog(kind)
      service.before(list, number) { $0.set("db1.view", "") }
      let (catalog, _) = try service.catalog()
      let error = await Self.error { () throws(CatalogError) in try await catalog.dropNamespace(Namespace(["db1"])) }
      #expect(error?.code == .notEmpty)
      #expect(service.hasNamespace("db1") && service.changes.isEmpty)
    }
  }

  // MARK: parts

  private static func identifier(_ name: String) -> TableIdentifier {
    let parts = name.split(separator: ".").map(String.init)
    return TableIdentifier(namespace: Namespace([parts[0]]), name: parts[1])
  }

  private static func error(_ body: () async throws(CatalogError) -> Void) async -> CatalogError? {
    do throws(CatalogError) {
      try await body()
      return nil
    } catch {
      return error
    }
  }
}
