// SPDX-License-Identifier: Apache-2.0

/// An object in question.
struct ReachTarget: Sendable {
  var location: ObjectLocation
  var digest: PathDigest
  var owner: TableIdentifier
}

/// One walk over the catalog that answers for some objects at once.
struct ReachSweep {
  private let targets: [ReachTarget]
  private let catalog: any Catalog
  private let watch: CatalogWatch
  private let reader: ReachReader
  /// What holds each object, once something is found.
  private var holders: [String?]
  /// Why an object may be held although nothing was found.
  private var doubts: [String?]
  /// Tables that an object was looked for in.
  private var searched: [Int]
  private var tableCount = 0

  /// How often the catalog is listed anew because tables moved meanwhile.
  private static let mostAttempts = 4

  init(_ targets: [ReachTarget], catalog: any Catalog, watch: CatalogWatch, reader: ReachReader) {
    self.targets = targets
    self.catalog = catalog
    self.watch = watch
    self.reader = reader
    holders = Array(repeating: nil, count: targets.count)
    doubts = holders
    searched = Array(repeating: 0, count: targets.count)
  }

  /// The verdicts in the order of the targets.
  mutating func run() async -> [Reachability.Verdict] {
    for (index, target) in targets.enumerated() { holders[index] = Self.reservation(target.location) }
    do throws(CatalogError) {
      if !open.isEmpty { try await search() }
    } catch {
      for index in targets.indices { doubts[index] = "The tables of the catalog cannot be listed: \(error.message)" }
    }
    return targets.indices.map { index in
      if let holder = holders[index] { return .referenced(by: holder) }
      if let doubt = doubts[index] { return .undecided(doubt) }
      return .unreferenced(
        since: "None of the catalog's \(tableCount) tables reaches it; it lies in the directories of \(searched[index]) of them, whose "
          + "logged metadata files and snapshots were all gone through.")
    }
  }

  /// Names in a table's directory that readers without a catalog go by; nobody knows who does.
  private static func reservation(_ location: ObjectLocation) -> String? {
    let key = location.key.utf8
    let name = String(location.key[(key.lastIndex(of: UInt8(ascii: "/")).map { key.index(after: $0) } ?? key.startIndex)...])
    guard name.contains("version-hint") || MetadataFileName(name)?.hadoopNumber != nil else { return nil }
    return "\(name) is a file by which readers find a table without a catalog."
  }

  /// The targets not yet known to be held.
  private var open: [Int] { targets.indices.filter { holders[$0] == nil } }

  // MARK: Tables

  /// A table and where it keeps files.
  private struct Table {
    var entry: TableEntry
    var isGone: Bool
    var outline: TableOutline
  }

  private mutating func search() async throws(CatalogError) {
    for _ in 0..<Self.mostAttempts {
      let sight = try await watch.tables()
      var present = sight.present
      for owner in Set(targets.map(\.owner)) where !present.contains(where: { $0.identifier == owner }) {
        // A listing that lags behind may not have it yet.
        if let entry = try await catalog.loadTable(owner) { present.append(entry) }
      }
      tableCount = present.count
      for entry in present {
        let pointer = PathDigest.all(entry.metadataLocation)
        for index in open where pointer.contains(targets[index].digest) {
          holders[index] = "Table \(entry.identifier): it is the current metadata file."
        }
      }
      if open.isEmpty { return }
      guard let tables = try await outlines(of: present, gone: sight.gone) else { continue }
      for table in tables { await search(table) }
      if let why = sight.unclear.first { doubt(open, why) }
      return
    }
    throw CatalogError(code: .failed, message: "tables moved during each of \(Self.mostAttempts) attempts")
  }

  /// Where each table keeps files; nil if one is no longer where it was listed.
  private func outlines(of present: [TableEntry], gone: [TableEntry]) async throws(CatalogError) -> [Table]? {
    var tables: [Table] = []
    var waiting: [(entry: TableEntry, isGone: Bool)] = []
    for (entry, isGone) in present.map({ ($0, false) }) + gone.map({ ($0, true) }) {
      if let outline = reader.cache.outline(entry.metadataLocation) {
        tables.append(Table(entry: entry, isGone: isGone, outline: outline))
      } else {
        waiting.append((entry, isGone))
      }
    }
    var missing: [TableEntry] = []
    let requests = waiting.map {
      ReachReader.Request(location: $0.entry.metadataLocation, kind: .metadata, files: catalog.fileIO(for: $0.entry.identifier))
    }
    await reader.read(requests) { index, outcome in
      let (entry, isGone) = waiting[index]
      let file = "The metadata file \(entry.metadataLocation) of table \(entry.identifier)"
      let outline: TableOutline
      var isFinal = true
      switch outcome {
      case .facts(.metadata(let reach)): outline = .areas(Array(reach.areas))
      case .facts(.missing):
        missing.append(entry)
        outline = .missing(ReachArea.around(file: entry.metadataLocation))
        isFinal = false
      case .facts(.unreadable(let why)): outline = .unreadable("\(file) cannot be made out: \(why).")
      case .facts(.manifestList), .facts(.manifest): outline = .unreadable("\(file) is named as a manifest elsewhere.")
      case .failed(let why):
        outline = .unreadable("\(file) cannot be read: \(why)")
        isFinal = false
      }
      if isFinal { reader.cache.keep(outline, of: entry.metadataLocation) }
      tables.append(Table(entry: entry, isGone: isGone, outline: outline))
      return true
    }
    for entry in missing where !gone.contains(entry) {
      // A commit since the listing may have deleted it; then the listing is old.
      guard try await catalog.loadTable(entry.identifier)?.metadataLocation == entry.metadataLocation else { return nil }
      reader.cache.keep(.missing(ReachArea.around(file: entry.metadataLocation)), of: entry.metadataLocation)
    }
    return tables
  }

  // MARK: Files

  private mutating func search(_ table: Table) async {
    let entry = table.entry
    let asked = open.filter { targets[$0].owner == entry.identifier || table.outline.covers(targets[$0].location) }
    if asked.isEmpty { return }
    switch table.outline {
    case .areas: break
    case .missing:
      // A table that was dropped with its files holds nothing.
      if !table.isGone { doubt(asked, "The metadata file \(entry.metadataLocation) of table \(entry.identifier) is missing.") }
      return
    case .unreadable(let why):
      doubt(asked, why)
      return
    }
    for index in asked { searched[index] += 1 }
    let files = catalog.fileIO(for: entry.identifier)
    let plan: ReachPlan
    if let known = reader.cache.plan(entry.metadataLocation) {
      plan = known
    } else {
      plan = await ReachPlanning.plan(entry.metadataLocation, reader, files)
      if plan.isFinal { reader.cache.keep(plan, of: entry.metadataLocation) }
    }
    for index in asked {
      guard let origin = plan.direct[targets[index].digest] else { continue }
      holders[index] = "Table \(entry.identifier): \(plan.sentence(origin))."
    }
    await searchManifests(of: plan, entry, files, asked)
    for why in plan.doubts { doubt(asked, "Table \(entry.identifier): \(why).") }
  }

  private mutating func searchManifests(of plan: ReachPlan, _ entry: TableEntry, _ files: any FileIO, _ asked: [Int]) async {
    var rest = asked.filter { holders[$0] == nil }
    if rest.isEmpty { return }
    var (found, faults): ([(target: Int, manifest: Int)], [String]) = ([], [])
    let targets = targets
    let requests = plan.manifests.map {
      ReachReader.Request(location: $0.path, kind: .manifest, files: files, length: $0.length)
    }
    await reader.read(requests) { index, outcome in
      let path = plan.manifests[index].path
      switch outcome {
      case .facts(.manifest(let digests)):
        rest.removeAll { target in
          guard digests.contains(targets[target].digest) else { return false }
          found.append((target, index))
          return true
        }
      case .facts(.missing):
        // As with manifest lists: what only earlier metadata reaches may have been expired.
        if plan.manifests[index].isCurrent { faults.append("the manifest \(path) is missing") }
      case .facts(.unreadable(let why)): faults.append("the manifest \(path) cannot be made out: \(why)")
      case .failed(let why): faults.append("the manifest \(path) cannot be read: \(why)")
      case .facts(.metadata), .facts(.manifestList): faults.append("\(path) is named as a manifest and as another kind of file")
      }
      return !rest.isEmpty
    }
    for (target, manifest) in found {
      holders[target] = "Table \(entry.identifier): \(plan.sentence(liveIn: plan.manifests[manifest]))."
    }
    for why in faults { doubt(asked, "Table \(entry.identifier): \(why).") }
  }

  /// The first doubt is kept.
  private mutating func doubt(_ indices: [Int], _ sentence: String) {
    for index in indices where doubts[index] == nil { doubts[index] = sentence }
  }
}
