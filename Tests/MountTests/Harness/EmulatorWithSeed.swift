// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

/// The AWS emulator of this test process, seeded once for both metastores.
///
/// The seeded tables are for everybody to read and for nobody to change. A test that writes makes a table of its own in a namespace whose
/// name begins with `test_`: see ``createTable(_:rows:in:)``. The region keeps the seed apart from what other tests do with the emulator.
struct EmulatorWithSeed: Sendable {
  /// Keys of a user, whose signatures the emulator verifies.
  struct Keys: Sendable {
    let access: String
    let secret: String
  }

  static let region = "eu-central-1"
  /// Where no catalog has been seeded: in the other, tables that cannot be read keep every file from being deleted.
  static let emptyRegion = "eu-west-1"
  private static let started = Task { try await EmulatorWithSeed() }

  /// The emulator, started and seeded by whoever asks first.
  static func shared() async throws -> EmulatorWithSeed {
    try await started.value
  }

  private static let apart = Task { try await EmulatorWithSeed.shared().withEmptyCatalogs() }

  /// The same account, with catalogs that hold what tests have made and nothing else, in a bucket of their own.
  static func withoutSeed() async throws -> EmulatorWithSeed {
    try await apart.value
  }

  /// `http://127.0.0.1:PORT`
  let endpoint: String
  var port: UInt16 { endpoint.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
  /// Of one who may do everything: the tests', and those mounts' that write.
  let owner: Keys
  /// Of one who may only read: other mounts'.
  let reader: Keys
  private var accountClient: AccountClient
  /// Of the catalogs without the seed.
  private var emptyBucket: String?
  private let catalogs: [Metastore: SeededCatalog]
  /// By bucket.
  private let objects: [String: [StoredObject]]

  private init() async throws {
    let emulator = try await Emulator.shared()
    endpoint = emulator.endpoint
    owner = Keys(access: emulator.accessKeyID, secret: emulator.secretAccessKey)
    accountClient = try AccountClient(endpoint: endpoint, region: Self.region, keys: owner)
    let place = ["--endpoint", endpoint, "--region", Self.region]
    let seeded = try await Self.client("seed_catalog.py", place + ["--size", "small", "--broken"], keys: owner, within: .seconds(180))
    let summary = try JSONDocument(parsing: try seeded.succeeded().output).root
    guard let keys = try await accountClient.run(["user", "mount-tests"]).root["value"] else {
      throw HarnessError("no user for the mounts")
    }
    reader = Keys(access: try keys.text("access_key"), secret: try keys.text("secret_key"))
    var catalogs: [Metastore: SeededCatalog] = [:]
    for metastore in Metastore.allCases {
      guard let node = summary["catalogs"]?[metastore.rawValue] else { throw HarnessError("the seed says nothing of \(metastore)") }
      catalogs[metastore] = try SeededCatalog(metastore, node)
    }
    self.catalogs = catalogs
    let buckets = catalogs.values.map(\.bucket) + ["bergfs-elsewhere"]
    objects = try await withThrowingTaskGroup(of: (String, [StoredObject]).self) { [endpoint, owner] group in
      for bucket in buckets { group.addTask { (bucket, try await Self.storedObjects(in: bucket, endpoint: endpoint, keys: owner)) } }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  private func withEmptyCatalogs() async throws -> EmulatorWithSeed {
    var emulator = self
    let bucket = "bergfs-without-seed"
    emulator.accountClient = try AccountClient(endpoint: endpoint, region: Self.emptyRegion, keys: owner)
    try await emulator.account(["bucket", bucket])
    emulator.emptyBucket = bucket
    return emulator
  }

  /// `s3://…` without a slash at the end.
  func warehouse(_ metastore: Metastore) throws -> String {
    if let emptyBucket { return "s3://\(emptyBucket)/\(metastore.rawValue)" }
    return try catalog(metastore).warehouse
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
  ///
  /// - Parameter region: whose catalogs; nil is the seed's. Buckets are everybody's.
  @discardableResult
  func account(_ arguments: [String], input: [UInt8] = [], region: String? = nil) async throws -> JSONNode {
    let place = region.map { ["--region", $0] } ?? []
    guard let value = try await accountClient.run(place + arguments, input: input).root["value"] else {
      throw HarnessError("no value from \(arguments)")
    }
    return value
  }

  /// All objects below a prefix as they are now.
  func objects(in bucket: String, below prefix: String) async throws -> [StoredObject] {
    try await account(["objects", bucket, prefix, "--digest"]).elements.map { try StoredObject(bucket, $0) }
  }

  /// Makes a table with one column, `id`, by PyIceberg; the namespace too if it is missing.
  ///
  /// - Parameter name: `test_….table`.
  func createTable(_ name: String, rows: Int = 10, in metastore: Metastore, region: String? = nil) async throws -> OwnTable {
    let (namespace, table) = try Self.identifier(name)
    let location = try "\(warehouse(metastore))/\(namespace)/\(table)"
    let answer = try await account(["create", metastore.rawValue, namespace, table, location, "--rows", "\(rows)"], region: region)
    return OwnTable(
      metastore: metastore, namespace: namespace, name: table, location: location,
      metadataLocation: try answer.text("metadata_location"), region: region)
  }

  /// A commit by PyIceberg: the new metadata location, and when the commit had ended, in microseconds since 1970.
  func append(to table: OwnTable) async throws -> (location: String, time: Int64) {
    let answer = try await account(["append", table.metastore.rawValue, table.namespace, table.name], region: table.region)
    return (try answer.text("metadata_location"), try answer.integer("microseconds"))
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

  private static func client(
    _ script: String, _ arguments: [String], keys: Keys, within limit: Duration = .seconds(60)
  ) async throws -> ProcessResult {
    try await TestSlots.clients.occupied {
      try await Shell.run(
        ProjectFiles.clientsPython, [ProjectFiles.scripts + "/" + script] + arguments,
        environment: ["SEED_ACCESS_KEY": keys.access, "SEED_SECRET_KEY": keys.secret, "PYTHONDONTWRITEBYTECODE": "1"], within: limit)
    }
  }

  private static func storedObjects(in bucket: String, below prefix: String = "", endpoint: String, keys: Keys) async throws
    -> [StoredObject]
  {
    let arguments = ["--endpoint", endpoint, "--region", region, "objects", bucket, prefix, "--digest"]
    let result = try await client("account.py", arguments, keys: keys).succeeded()
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
  /// Nil is the seed's.
  var region: String?

  /// The table's directory below the mountpoint.
  var path: String { namespace + "/" + name }
}
