// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import WireFormats

/// A table of a test's own on a mount that may write.
struct WritableTable: Sendable {
  let lake: MountedCatalog
  let table: OwnTable

  /// What PyIceberg loads.
  struct Loaded: Sendable {
    let metadataLocation: String
    let previousMetadataLocation: String?
    let properties: [String: String]
    let snapshots: [String]
    let rows: Int64
    let uuid: String

    init(_ node: JSONNode) throws {
      metadataLocation = try node.text("metadata_location")
      previousMetadataLocation = node["previous_metadata_location"]?.string
      properties = node["properties"]?.members.reduce(into: [:]) { $0[$1.key] = $1.value.string } ?? [:]
      snapshots = node["snapshots"]?.elements.compactMap(\.string) ?? []
      rows = try node.integer("rows")
      uuid = try node.text("uuid")
    }

    var fileName: String { metadataLocation.split(separator: "/").last.map(String.init) ?? "" }
  }

  /// Makes the table by PyIceberg, mounts its catalog, runs `body` and unmounts.
  ///
  /// - Parameters:
  ///   - name: `test_….table`, of this test alone.
  ///   - appends: commits after the first, which made a snapshot too.
  ///   - region: whose catalog has nothing but what tests make in it; nil is the seed's.
  ///   - isWithoutSeed: the catalog holds no tables but those that tests have made, all of them readable.
  static func with(
    _ metastore: Metastore, _ name: String, appends: Int = 0, options: [String] = [], properties: [String: String?] = [:],
    region: String? = nil, proxied: Bool = false, isWithoutSeed: Bool = false, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (WritableTable) async throws -> Void
  ) async throws {
    let emulator = try await isWithoutSeed ? EmulatorWithSeed.withoutSeed() : EmulatorWithSeed.shared()
    var settings = MountSettings(metastore, options: options, properties: properties)
    settings.mayWrite = true
    settings.isWithoutSeed = isWithoutSeed
    if let region { settings.properties.merge(["client.region": region, "s3.region": EmulatorWithSeed.region]) { $1 } }
    if proxied { settings.proxy = try CountingProxy(to: emulator) }
    let mount = settings
    // In its slot, as the tables of all tests would else be made before the first of them is mounted.
    try await TestSlots.mounts.occupied {
      let table = try await emulator.createTable(name, in: metastore, region: region)
      for _ in 0..<appends { _ = try await emulator.append(to: table) }
      try await MountedCatalog.with(mount, sourceLocation: sourceLocation) { lake in
        try lake.workspace.directory.write(nextDocument, to: "next.py")
        try await body(WritableTable(lake: lake, table: table))
      }
    }
  }

  var emulator: EmulatorWithSeed { lake.emulator }
  var proxy: CountingProxy? { lake.workspace.settings.proxy }
  var data: String { "\(lake.path)/\(table.path)/data" }
  var metadata: String { "\(lake.path)/\(table.path)/metadata" }

  /// A script in bash with the table's directories as `$D` and `$X`, the mount as `$M`, and a directory of another file system as `$T`.
  ///
  /// `next KEY VALUE` makes the document of full form that follows the current one, with this property set, and prints its name: it lies
  /// in `$T`.
  func shell(_ script: String, _ variables: [String: String] = [:], within limit: Duration = Shell.limit) async throws -> ProcessResult {
    let prelude = "next() { /usr/bin/python3 \"$T/next.py\" \"$X\" \"$T\" \"$@\"; }\n"
    return try await lake.shell(prelude + script, ["D": data, "X": metadata].merging(variables) { $1 }, within: limit)
  }

  // MARK: What others see

  /// By PyIceberg, whose rows come from every file of the current snapshot.
  func loaded() async throws -> Loaded {
    try await Loaded(emulator.account(["table", table.metastore.rawValue, table.namespace, table.name], region: table.region))
  }

  /// Where the entry points: Glue's parameter or DynamoDB's attribute, as boto3 has it.
  func pointer() async throws -> String {
    try await emulator.account(["pointer", table.metastore.rawValue, table.namespace, table.name], region: table.region).text(
      "metadata_location")
  }

  /// The objects of the table by their path below its location, as boto3 has them.
  func objects() async throws -> [String: StoredObject] {
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    return try await emulator.objects(in: bucket, below: key + "/").reduce(into: [:]) { objects, object in
      objects[String(decoding: object.key.dropFirst(key.utf8.count + 1), as: UTF8.self)] = object
    }
  }

  /// Keys of multipart uploads of the table that nobody has ended.
  func uploads() async throws -> [String] {
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    return try await emulator.account(["uploads", bucket, key + "/"]).elements.compactMap(\.string)
  }

  /// The failures that the mount has recorded, oldest first.
  func errorRecords() async throws -> [ErrorRecord] {
    try await lake.shell(#"cat "$M/.bergfs/errors.jsonl""#).succeeded().lines.map { try ErrorRecord($0) }
  }

  /// The last recorded failure about a path that ends so.
  func lastError(_ ending: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> ErrorRecord {
    let records = try await errorRecords()
    return try #require(records.last { $0.path.hasSuffix(ending) }, "\(ending) is not in \(records)", sourceLocation: sourceLocation)
  }

  /// Files that are only in this mount, by their names, as `status.json` has them.
  func stagedNames() async throws -> [String] {
    let status = try await lake.shell(#"cat "$M/.bergfs/status.json""#).succeeded()
    guard let staged = try JSONDocument(parsing: status.output).root["writing"]?["staged"]?.elements else {
      throw HarnessError("status.json tells nothing of writing: \(status)")
    }
    return staged.compactMap { $0["path"]?.string?.split(separator: "/").last.map(String.init) }.sorted()
  }

  /// Written from the specification's rules, apart from the product: copies the current file, names it as the last of the log, and sets a
  /// property.
  private static let nextDocument = """
    import json, os, sys, time, uuid
    metadata, directory, key, value = sys.argv[1:5]
    current = os.readlink(metadata + "/current.metadata.json")
    with open(metadata + "/" + current) as file:
        document = json.load(file)
    document.setdefault("metadata-log", []).append(
        {"timestamp-ms": document["last-updated-ms"], "metadata-file": document["location"] + "/metadata/" + current})
    document["last-updated-ms"] = max(int(time.time() * 1000), document["last-updated-ms"] + 1)
    document["properties"][key] = value
    name = "%05d-%s.metadata.json" % (int(current.split("-")[0]) + 1, uuid.uuid4())
    with open(directory + "/" + name, "w") as file:
        json.dump(document, file)
    print(name)
    """
}
