// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

/// The AWS emulator of this test process, seeded once for both metastores. It ends with the process.
///
/// The seeded tables are for everybody to read and for nobody to change. A test that writes makes a table of its own in a namespace whose
/// name begins with `test_`: see ``createTable(_:rows:in:)``.
struct EmulatorWithSeed: Sendable {
  static let region = "eu-central-1"
  static let accessKey = "mount-tests-root"
  static let secretKey = "mOuNt/TeStS+SeCrEt-0123456789abcdef"

  private static let started = Task { try await EmulatorWithSeed() }

  /// The emulator, started and seeded by whoever asks first.
  static func shared() async throws -> EmulatorWithSeed {
    try await started.value
  }

  /// `http://127.0.0.1:PORT`
  let endpoint: String
  var port: UInt16 { endpoint.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
  private let supervisor: RunningProcess
  private let catalogs: [Metastore: SeededCatalog]
  /// By bucket.
  private let objects: [String: [StoredObject]]

  private init() async throws {
    for program in [ProjectFiles.clientsPython, ProjectFiles.emulatorPython] where !ProjectFiles.exists(program) {
      throw HarnessError("\(program) is missing: mount-scripts/test makes it")
    }
    (supervisor, endpoint) = try await Self.startEmulator()
    let seeded = try await Self.client(
      "seed_catalog.py", ["--endpoint", endpoint, "--region", Self.region, "--size", "small", "--broken"], within: .seconds(180)
    ).succeeded()
    let summary = try JSONDocument(parsing: seeded.output).root
    var catalogs: [Metastore: SeededCatalog] = [:]
    for metastore in Metastore.allCases {
      guard let node = summary["catalogs"]?[metastore.rawValue] else { throw HarnessError("the seed says nothing of \(metastore)") }
      catalogs[metastore] = try SeededCatalog(metastore, node)
    }
    self.catalogs = catalogs
    let buckets = catalogs.values.map(\.bucket) + ["bergfs-elsewhere"]
    let endpoint = endpoint
    objects = try await withThrowingTaskGroup(of: (String, [StoredObject]).self) { group in
      for bucket in buckets { group.addTask { (bucket, try await Self.storedObjects(in: bucket, endpoint: endpoint)) } }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  func catalog(_ metastore: Metastore) throws -> SeededCatalog {
    guard let catalog = catalogs[metastore] else { throw HarnessError("\(metastore) is not seeded") }
    return catalog
  }

  /// The seeded objects of a bucket whose key begins with a prefix, in the order of their keys.
  func seededObjects(in bucket: String, below prefix: String = "") -> [StoredObject] {
    (objects[bucket] ?? []).filter { $0.key.starts(with: prefix.utf8) }
  }

  /// The seeded objects below an `s3://bucket/prefix`, and the length of that prefix with its slash.
  func seededObjects(at directory: String) -> (objects: [StoredObject], prefixLength: Int) {
    let (bucket, key) = Self.split(directory)
    return (seededObjects(in: bucket, below: key + "/"), key.utf8.count + 1)
  }

  /// `s3://bucket/some/key` as its two parts.
  static func split(_ uri: String) -> (bucket: String, key: String) {
    let parts = uri.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    return parts.count == 4 ? (String(parts[2]), String(parts[3])) : (parts.count == 3 ? String(parts[2]) : "", "")
  }

  // MARK: Other clients

  /// Looks at or changes the account with boto3 or PyIceberg: see `account.py --help`.
  @discardableResult
  func account(_ arguments: [String], input: [UInt8] = []) async throws -> JSONDocument {
    let result = try await Self.client("account.py", ["--endpoint", endpoint, "--region", Self.region] + arguments, input: input)
    return try JSONDocument(parsing: try result.succeeded().output)
  }

  /// All objects below a prefix as they are now.
  func objects(in bucket: String, below prefix: String) async throws -> [StoredObject] {
    try await Self.storedObjects(in: bucket, below: prefix, endpoint: endpoint)
  }

  /// Makes a table with one column, `id`, by PyIceberg; the namespace too if it is missing.
  ///
  /// - Parameter name: `test_….table`.
  func createTable(_ name: String, rows: Int = 10, in metastore: Metastore) async throws -> OwnTable {
    let (namespace, table) = try Self.identifier(name)
    let location = try "\(catalog(metastore).warehouse)/\(namespace)/\(table)"
    let answer = try await account(["create", metastore.rawValue, namespace, table, location, "--rows", "\(rows)"])
    return OwnTable(
      metastore: metastore, namespace: namespace, name: table, location: location,
      metadataLocation: try answer.root.text("metadata_location"))
  }

  /// A commit by PyIceberg; the new metadata location.
  func append(to table: OwnTable) async throws -> String {
    try await account(["append", table.metastore.rawValue, table.namespace, table.name]).root.text("metadata_location")
  }

  /// Puts an object, or replaces it.
  func putObject(_ uri: String, _ body: [UInt8]) async throws {
    let (bucket, key) = Self.split(uri)
    try await account(["put", bucket, key], input: body)
  }

  func deleteObject(_ uri: String) async throws {
    let (bucket, key) = Self.split(uri)
    try await account(["delete", bucket, key])
  }

  // MARK: Starting

  /// The emulator runs below a shell that stops it when its standard input ends: at the latest with this process.
  private static func startEmulator() async throws -> (RunningProcess, String) {
    let script = """
      set -u
      . "$SCRIPTS/common.sh"; . "$SCRIPTS/python.sh"; . "$SCRIPTS/emulator.sh"
      state=$(mktemp -d)
      trap 'emulator_stop "$state"; rm -rf "$state"' EXIT
      emulator_start "$state" "$KEY" "$SECRET"
      echo "$EMULATOR_ENDPOINT"
      cat >/dev/null
      """
    let shell = try Shell.start(
      "/bin/bash", ["-c", script], environment: ["SCRIPTS": ProjectFiles.scripts, "KEY": accessKey, "SECRET": secretKey])
    var text = ""
    _ = try await eventually(within: .seconds(60)) {
      if let status = shell.status {
        throw HarnessError("the emulator does not start, status \(status): \(String(decoding: shell.errors, as: UTF8.self))")
      }
      text = String(decoding: shell.output, as: UTF8.self)
      return text.hasSuffix("\n")
    }
    guard text.hasPrefix("http://"), text.hasSuffix("\n") else { throw HarnessError("the emulator does not start: \(text)") }
    return (shell, String(text.dropLast()))
  }

  private static func client(_ script: String, _ arguments: [String], input: [UInt8] = [], within limit: Duration = .seconds(60))
    async throws -> ProcessResult
  {
    try await Shell.run(
      ProjectFiles.clientsPython, [ProjectFiles.scripts + "/" + script] + arguments,
      environment: ["SEED_ACCESS_KEY": accessKey, "SEED_SECRET_KEY": secretKey, "PYTHONDONTWRITEBYTECODE": "1"], input: input, within: limit
    )
  }

  private static func storedObjects(in bucket: String, below prefix: String = "", endpoint: String) async throws -> [StoredObject] {
    let arguments = ["--endpoint", endpoint, "--region", region, "objects", bucket, prefix, "--digest"]
    let result = try await client("account.py", arguments).succeeded()
    return try JSONDocument(parsing: result.output).root.elements.map { try StoredObject(bucket, $0) }
  }

  private static func identifier(_ name: String) throws -> (namespace: String, table: String) {
    guard name.hasPrefix("test_"), let dot = name.lastIndex(of: ".") else { throw HarnessError("\(name) is no test_….table") }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }
}

/// A table that one test made for itself.
struct OwnTable: Sendable {
  let metastore: Metastore
  let namespace: String
  let name: String
  /// `s3://…` without a slash at the end.
  let location: String
  /// As it was made.
  let metadataLocation: String

  /// The table's directory below the mountpoint.
  var path: String { namespace + "/" + name }
}
