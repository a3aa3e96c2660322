// SPDX-License-Identifier: Apache-2.0

import Testing

/// What has to be found below a table's directory, derived from boto3's list of objects.
struct ExpectedTree: Sendable {
  /// Path below the table's directory → object.
  private(set) var files: [[UInt8]: StoredObject] = [:]
  /// Paths below the table's directory.
  private(set) var directories: Set<[UInt8]> = []

  init(of table: SeededTable, in emulator: EmulatorWithSeed) async throws {
    for (name, place) in [("data", table.dataDirectory), ("metadata", table.metadataDirectory)] {
      let (objects, prefixLength) = emulator.seededObjects(at: place)
      try await add(objects.map { ($0, Array($0.key.dropFirst(prefixLength))) }, to: Array(name.utf8))
    }
  }

  private mutating func add(_ objects: [(object: StoredObject, rest: [UInt8])], to root: [UInt8]) async throws {
    directories.insert(root)
    let slash = UInt8(ascii: "/")
    let paths = objects.map { $0.rest.split(separator: slash, omittingEmptySubsequences: false).map { Array($0) } }
    let digests = try await ShownName.digests(of: Set(paths.joined()))
    let prefixes = Set(paths.flatMap { path in (1..<max(path.count, 1)).map { Array(path.prefix($0)) } })
    func shown(_ path: [[UInt8]], isSecond: Bool) -> [UInt8] {
      path.indices.reduce(root) { shown, index in
        shown + [slash] + ShownName.encode(path[index], isSecond: isSecond && index == path.indices.last, digests: digests)
      }
    }
    for (path, object) in zip(paths, objects) { files[shown(path, isSecond: prefixes.contains(path))] = object.object }
    for prefix in prefixes { directories.insert(shown(prefix, isSecond: false)) }
  }
}

/// An entry as `find` sees it.
struct FoundEntry: Sendable, Hashable {
  /// `f`, `d`, `l`, as `find -printf %y`.
  let kind: String
  let size: Int64
  /// Seconds since 1970.
  let modified: Double
  /// Of a symbolic link.
  let target: String

  /// All entries below a directory, by their path below it.
  static func all(below directory: String) async throws -> [[UInt8]: FoundEntry] {
    let found = try await Shell.bash("cd \"$D\" && find . -mindepth 1 -printf '%y\\t%s\\t%T@\\t%l\\t%P\\0'", ["D": directory]).succeeded()
    return try found.records.reduce(into: [:]) { entries, record in
      let fields = record.split(separator: UInt8(ascii: "\t"), maxSplits: 4, omittingEmptySubsequences: false)
      let texts = fields.prefix(4).map { String(decoding: $0, as: UTF8.self) }
      guard fields.count == 5, let size = Int64(texts[1]), let modified = Double(texts[2]) else {
        throw HarnessError("find printed no entry")
      }
      entries[Array(fields[4])] = FoundEntry(kind: texts[0], size: size, modified: modified, target: texts[3])
    }
  }

  /// The SHA-256 of every regular file below a directory, by its path below it.
  static func digests(below directory: String) async throws -> [[UInt8]: String] {
    let script = "cd \"$D\" && find . -type f -print0 | xargs -0 --no-run-if-empty sha256sum -z"
    return try await Shell.bash(script, ["D": directory]).succeeded().records.reduce(into: [:]) { digests, record in
      // Digest, two spaces, `./`, path.
      digests[Array(record.dropFirst(68))] = String(decoding: record.prefix(64), as: UTF8.self)
    }
  }
}
