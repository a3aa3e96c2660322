// SPDX-License-Identifier: Apache-2.0

/// Works out the plan of one table: the current metadata file, those of its log, and the manifest lists of all their snapshots.
struct ReachPlanning {
  /// A manifest list to read.
  private struct List {
    var location: String
    var origin: ReachPlan.Origin
  }

  private let reader: ReachReader
  private let files: any FileIO
  private var plan: ReachPlan
  private var metadata: [MetadataReach] = []
  private var lists: [List] = []
  private var knownLists: Set<String> = []
  private var manifests: [String: Int] = [:]

  /// The plan of the table whose pointer this is.
  static func plan(_ pointer: String, _ reader: ReachReader, _ files: any FileIO) async -> ReachPlan {
    var planning = ReachPlanning(reader: reader, files: files, plan: ReachPlan(metadataFiles: [pointer]))
    await planning.run(pointer)
    return planning.plan
  }

  private init(reader: ReachReader, files: any FileIO, plan: ReachPlan) {
    self.reader = reader
    self.files = files
    self.plan = plan
  }

  private mutating func run(_ pointer: String) async {
    add(pointer, ReachPlan.Origin(kind: .current, metadata: 0))
    await readMetadata([pointer])
    // A logged file names earlier ones itself; those are kept, but not read: they are out of the table's log.
    var known: Set = [pointer]
    await readMetadata(metadata.flatMap { $0.log.reversed() }.filter { known.insert($0).inserted })
    for (index, reach) in metadata.enumerated() { addNames(of: reach, index) }
    await readLists()
  }

  private mutating func readMetadata(_ locations: [String]) async {
    var found = [MetadataReach?](repeating: nil, count: locations.count)
    var faults: [(text: String, isFinal: Bool)] = []
    let isCurrent = metadata.isEmpty
    let files = files
    await reader.read(locations.map { ReachReader.Request(location: $0, kind: .metadata, files: files) }) { index, outcome in
      switch outcome {
      case .facts(.metadata(let reach)): found[index] = reach
      case .facts(.missing) where !isCurrent:
        // Expired: it was deleted after a commit, and leads nowhere any more.
        break
      case .facts(.missing): faults.append(("the metadata file \(locations[index]) is missing", true))
      case .facts(.unreadable(let why)): faults.append(("the metadata file \(locations[index]) cannot be made out: \(why)", true))
      case .failed(let why): faults.append(("the metadata file \(locations[index]) cannot be read: \(why)", false))
      case .facts(.manifestList), .facts(.manifest):
        faults.append(("\(locations[index]) is named as a metadata file and as a manifest", true))
      }
      return true
    }
    for (location, reach) in zip(locations, found) {
      guard let reach else { continue }
      if !isCurrent { plan.metadataFiles.append(location) }
      metadata.append(reach)
    }
    faults.forEach { doubt($0.text, isFinal: $0.isFinal) }
  }

  private mutating func addNames(of reach: MetadataReach, _ index: Int) {
    for file in reach.log { add(file, ReachPlan.Origin(kind: .logged, metadata: index)) }
    for file in reach.statistics { add(file, ReachPlan.Origin(kind: .statistics, metadata: index)) }
    for file in reach.properties { add(file, ReachPlan.Origin(kind: .property, metadata: index)) }
    for snapshot in reach.snapshots {
      if let location = snapshot.manifestList {
        let origin = ReachPlan.Origin(kind: .manifestList, metadata: index, snapshotID: snapshot.id)
        add(location, origin)
        if snapshot.isEncrypted {
          doubt("the manifest list \(location) is encrypted", isFinal: true)
        } else if knownLists.insert(location).inserted {
          lists.append(List(location: location, origin: origin))
        }
      }
      for path in snapshot.manifests {
        addManifest(
          ReachPlan.Manifest(
            path: path, length: nil, origin: ReachPlan.Origin(kind: .manifest, metadata: index, snapshotID: snapshot.id),
            isCurrent: index == 0))
      }
    }
  }

  private mutating func readLists() async {
    let (lists, requests) = (lists, lists.map { ReachReader.Request(location: $0.location, kind: .manifestList, files: files) })
    var read: [(list: Int, manifests: [ReachFacts.Manifest])] = []
    var faults: [(text: String, isFinal: Bool)] = []
    await reader.read(requests) { index, outcome in
      switch outcome {
      case .facts(.manifestList(let manifests)): read.append((index, manifests))
      case .facts(.missing):
        // Expiring snapshots deletes the lists that only earlier metadata still names; a current one has to be there.
        guard lists[index].origin.metadata == 0 else { break }
        faults.append(("the manifest list \(lists[index].location) is missing", true))
      case .facts(.unreadable(let why)): faults.append(("the manifest list \(lists[index].location) cannot be made out: \(why)", true))
      case .failed(let why): faults.append(("the manifest list \(lists[index].location) cannot be read: \(why)", false))
      case .facts(.metadata), .facts(.manifest):
        faults.append(("\(lists[index].location) is named as a manifest list and as another kind of file", true))
      }
      return true
    }
    for (index, manifests) in read {
      var origin = lists[index].origin
      origin.kind = .manifest
      for manifest in manifests {
        guard !manifest.isEncrypted else {
          add(manifest.path, origin)
          doubt("the manifest \(manifest.path) is encrypted", isFinal: true)
          continue
        }
        addManifest(
          ReachPlan.Manifest(path: manifest.path, length: manifest.length, origin: origin, isCurrent: origin.metadata == 0))
      }
    }
    faults.forEach { doubt($0.text, isFinal: $0.isFinal) }
  }

  private mutating func addManifest(_ manifest: ReachPlan.Manifest) {
    if let index = manifests[manifest.path] {
      if manifest.isCurrent, !plan.manifests[index].isCurrent { plan.manifests[index] = manifest }
      return
    }
    manifests[manifest.path] = plan.manifests.count
    plan.manifests.append(manifest)
    add(manifest.path, manifest.origin)
  }

  private mutating func add(_ location: String, _ origin: ReachPlan.Origin) {
    let objects = PathDigest.all(location)
    if objects.isEmpty {
      doubt("\(plan.metadataFiles[origin.metadata]) names '\(location.prefix(200))', which is no location", isFinal: true)
    }
    for object in objects where plan.direct[object] == nil { plan.direct[object] = origin }
  }

  private mutating func doubt(_ sentence: String, isFinal: Bool) {
    // The first ones say enough.
    if plan.doubts.count < 8 { plan.doubts.append(sentence) }
    plan.isFinal = plan.isFinal && isFinal
  }
}
