// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg

/// Commits to tables of a DynamoDB catalog. Source: spec/dynamodb.md §6, §9.
///
/// The guard is `v`, a new UUID at every write: the one that was sent tells afterwards whose write is current.
package struct DynamoDbTableOperations: TableOperations {
  let client: DynamoDBClient
  let table: String
  let files: TableFiles
  let clock: any AWSClock

  /// What one write sends.
  private struct Write {
    let commit: TableCommit
    let key: DynamoDBKey
    /// The guard as it was read; nil to create.
    let old: String?
    let new: String
    /// Milliseconds since 1970.
    let now: Int64

    var entry: TableEntry { commit.entry(version: new, modified: now * 1_000_000) }

    /// The pointer's attributes.
    var pointer: [(name: String, value: String)] {
      var attributes = [("p.metadata_location", commit.metadataLocation)]
      if let base = commit.base { attributes.append(("p.previous_metadata_location", base.metadataLocation)) }
      return attributes + [("p.table_type", "ICEBERG")]
    }
  }

  package func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    try DynamoDbNames.check(commit.identifier)
    guard let key = DynamoDbNames.key(of: commit.identifier) else {
      return .conflict("Cannot commit \(commit.identifier): the table was dropped")
    }
    let item: DynamoDBItem?
    do throws(CatalogError) {
      item = try await self.item(key, commit.identifier)
    } catch {
      // The first table of a catalog: Java makes the catalog's own table when it starts.
      guard error.code == .catalogNotFound, commit.base == nil else { throw error }
      try await DynamoDbCatalog.createIfMissing(table, client: client, clock: clock)
      item = nil
    }
    guard let base = commit.base else {
      guard item == nil else { throw Self.alreadyExists(commit.identifier) }
      return try await persist(commit, key, old: nil, mayRetry: false)
    }
    guard let item else {
      return .conflict("Cannot commit \(commit.identifier): the table was dropped")
    }
    if let outcome = Self.compare(item, commit, base: base) { return outcome }
    return try await persist(commit, key, old: item, mayRetry: true)
  }

  // MARK: persist

  private func persist(
    _ commit: TableCommit, _ key: DynamoDBKey, old: DynamoDBItem?, mayRetry: Bool
  ) async throws(CatalogError) -> CommitOutcome {
    let version = old?["v"]?.string
    if old != nil, version == nil {
      throw CatalogError(
        code: .failed, message: "Cannot commit \(commit.identifier): its item has no attribute v, without which no commit is safe")
    }
    let write = Write(
      commit: commit, key: key, old: version, new: RandomUUID.text(), now: Int64((clock.wallSeconds() * 1000).rounded(.down)))
    return try await uninterruptedCatalogCall { () throws(CatalogError) in
      try await send(write, mayRetry: mayRetry)
    }
  }

  private func send(_ write: Write, mayRetry: Bool) async throws(CatalogError) -> CommitOutcome {
    let commit = write.commit
    try commit.requireLease()
    let error: AWSError
    do {
      if let old = write.old {
        try await update(write, old: old)
      } else {
        try await put(write)
      }
      return .committed(write.entry)
    } catch let failure {
      error = failure
    }
    let refusal = CommitRefusal(error: error)
    guard refusal.needsNoCheck else { return try await readBack(refusal, write) }
    guard error.kind == .conditionFailed else { throw refused(refusal, commit) }
    guard let base = commit.base else { throw Self.alreadyExists(commit.identifier) }
    // Whoever changes another attribute moves `v`, too; the pointer decides.
    guard mayRetry, let now = try? await item(write.key, commit.identifier) else { return Self.lost(commit) }
    if let outcome = Self.compare(now, commit, base: base) { return outcome }
    return try await persist(commit, write.key, old: now, mayRetry: false)
  }

  /// Sets the pointer's attributes, and only these: all others stay as they are. Source: spec/dynamodb.md §9.2.
  private func update(_ write: Write, old: String) async throws(AWSError) {
    var values: DynamoDBItem = [":uat": .number("\(write.now)"), ":uv": .string(write.new)]
    var names: [String: String] = [:]
    var parts: [String] = []
    for (index, attribute) in write.pointer.enumerated() {
      names["#k\(index)"] = attribute.name
      values[":v\(index)"] = .string(attribute.value)
      parts.append("#k\(index) = :v\(index)")
    }
    try await client.updateItem(
      table: table, key: write.key, update: "SET \(parts.joined(separator: ",")),updated_at = :uat,v = :uv", names: names,
      values: values, condition: DynamoDBCondition("v = :v", values: [":v": .string(old)]))
  }

  private func put(_ write: Write) async throws(AWSError) {
    var item: DynamoDBItem = [
      "created_at": .number("\(write.now)"), "updated_at": .number("\(write.now)"), "v": .string(write.new),
    ]
    for (name, value) in write.key.attributes { item[name] = .string(value) }
    for (name, value) in write.pointer { item[name] = .string(value) }
    try await client.putItem(table: table, item: item, condition: DynamoDBCondition("attribute_not_exists(v)"))
  }

  /// Reads the item after an answer that leaves the outcome open. Throws only a refusal that is certain.
  private func readBack(_ refusal: CommitRefusal, _ write: Write) async throws(CatalogError) -> CommitOutcome {
    let commit = write.commit
    let check = CommitStatusCheck(commit: commit, files: files.files(of: commit.identifier), clock: clock)
    let problem = "Commit of \(commit.identifier): \(refusal.error.message) (\(refusal.error.operation): \(refusal.error.code))"
    var hasMoved = false
    let outcome = await check.settle(problem) { () throws(CatalogError) in
      let item = try await item(write.key, commit.identifier)
      if item?["v"]?.string == write.new { return .committed(write.entry) }
      if item?["v"]?.string == write.old {
        return .unknown("\(problem); the item has not changed, but the request may still be on its way")
      }
      hasMoved = true
      guard let item else { return .unknown("\(problem); the table has been dropped since") }
      guard let pointer = item["p.metadata_location"]?.string, !pointer.isEmpty else { return Self.lost(commit) }
      if pointer.utf8.elementsEqual(commit.metadataLocation.utf8) { return .committed(commit.entry(version: item["v"]?.string)) }
      // The pointer is as it was but `v` is not: this write's condition can never hold again.
      if let base = commit.base, pointer.utf8.elementsEqual(base.metadataLocation.utf8) { return Self.lost(commit) }
      switch try await check.log(of: pointer) {
      case .contains: return .committed(commit.entry(version: nil))
      case .excludes: return Self.lost(commit)
      case .doesNotReach: return .unknown("\(problem); others have committed since, and their log does not reach back to this commit")
      }
    }
    if commit.base == nil, case .conflict = outcome { throw Self.alreadyExists(commit.identifier) }
    guard refusal.isDefinite, case .unknown = outcome else { return outcome }
    // Every send was refused, and the item does not show otherwise.
    guard commit.base != nil || refusal.error.kind != .conditionFailed else { throw Self.alreadyExists(commit.identifier) }
    if refusal.error.kind == .conditionFailed || (commit.base != nil && hasMoved) { return Self.lost(commit) }
    throw refused(refusal, commit)
  }

  // MARK: parts

  private func item(_ key: DynamoDBKey, _ identifier: TableIdentifier) async throws(CatalogError) -> DynamoDBItem? {
    do {
      return try await client.getItem(table: table, key: key, consistentRead: true)
    } catch {
      throw DynamoDbCatalog.failure(error, "Cannot load table \(identifier)", table: table)
    }
  }

  private func refused(_ refusal: CommitRefusal, _ commit: TableCommit) -> CatalogError {
    refusal.error.code == "ResourceNotFoundException"
      ? DynamoDbCatalog.failure(refusal.error, "Cannot commit \(commit.identifier)", table: table)
      : refusal.catalogError("Cannot commit \(commit.identifier)")
  }

  /// Nil if the pointer is still the base; else what that means.
  private static func compare(_ item: DynamoDBItem, _ commit: TableCommit, base: TableEntry) -> CommitOutcome? {
    let current = item["p.metadata_location"]?.string ?? ""
    if current.utf8.elementsEqual(base.metadataLocation.utf8) { return nil }
    if current.utf8.elementsEqual(commit.metadataLocation.utf8) { return .committed(commit.entry(version: item["v"]?.string)) }
    return .conflict(
      "Cannot commit \(commit.identifier) because base metadata location '\(base.metadataLocation)' is not same as the current DynamoDb "
        + "location '\(current)'")
  }

  private static func alreadyExists(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .alreadyExists, message: "Table already exists: \(identifier)")
  }

  private static func lost(_ commit: TableCommit) -> CommitOutcome {
    .conflict("Cannot commit \(commit.identifier): concurrent update detected")
  }
}
