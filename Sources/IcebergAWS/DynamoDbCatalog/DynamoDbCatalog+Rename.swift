// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg

/// Renames: one transaction, in which the item under the old key goes and the one under the new key comes, or neither.
/// Source: spec/dynamodb.md §5.2.
extension DynamoDbCatalog {
  /// Further sends of a transaction that another one was in the way of.
  private static let transactionRetries = 5

  /// What one rename sends, and is recognised by afterwards.
  private struct Rename: Sendable {
    let source: TableIdentifier
    let target: TableIdentifier
    let oldKey: DynamoDBKey
    let newKey: DynamoDBKey
    let old: DynamoDBItem
    let new: DynamoDBItem

    var problem: String { "Rename of table \(source) to \(target)" }

    /// Whether an item under the new key is the one that was sent, or what has become of it.
    func made(_ item: DynamoDBItem) -> Bool {
      item["v"] == new["v"]
        || (item["created_at"] == new["created_at"] && item["p.previous_metadata_location"] == old["p.metadata_location"])
    }
  }

  package func renameTable(_ entry: TableEntry, to target: TableIdentifier) async throws(CatalogError) {
    try checkTableName(target)
    guard let newKey = DynamoDbNames.key(of: target) else { throw Self.noTable(target) }
    guard entry.identifier != target else { throw Self.alreadyExists(target) }
    guard try await loadNamespace(target.namespace) != nil else { throw Self.noNamespace(target.namespace) }
    let (key, item) = try await unchanged(entry)
    let properties = item.filter { $0.key.utf8.starts(with: "p.".utf8) }.map { ($0.key, $0.value) }
    let rename = Rename(
      source: entry.identifier, target: target, oldKey: key, newKey: newKey, old: item,
      new: newItem(newKey, version: RandomUUID.text(), properties: properties))
    try await uninterruptedCatalogCall { [self] () throws(CatalogError) in try await transact(rename) }
  }

  private func transact(_ rename: Rename) async throws(CatalogError) {
    let writes: [DynamoDBTransactWrite] = [
      .delete(table: table, key: rename.oldKey, condition: DynamoDBCondition("v = :v", values: [":v": rename.old["v"] ?? .string("")])),
      .put(table: table, item: rename.new, condition: DynamoDBCondition("attribute_not_exists(v)")),
    ]
    var retries = 0
    // Whether a send is left of which nobody knows what became.
    var isOpen = false
    while true {
      let error: AWSError
      do {
        // A new token each time: under the old one the service repeats its old answer.
        try await client.transactWriteItems(writes, token: RandomUUID.text())
        return
      } catch let failure {
        error = failure
      }
      isOpen = isOpen || !CommitRefusal(error: error).isDefinite
      let mayRetry = error.cancellationReasons.contains("TransactionConflict") && retries < Self.transactionRetries
      do throws(CatalogError) {
        guard isOpen else { throw refused(rename, error) }
        return try await settle(rename, error)
      } catch {
        // Once more does no harm: the guards let only one through. What was in the way may have been an earlier send of this rename.
        guard mayRetry, error.code != .conflict, error.code != .alreadyExists else { throw error }
      }
      retries += 1
      try? await clock.sleep(for: .milliseconds(50 << retries) * clock.random())
    }
  }

  /// Throws unless the transaction was done. What both keys hold tells, since it changes both or none.
  private func settle(_ rename: Rename, _ error: AWSError) async throws(CatalogError) {
    let new = try await readBack(rename.newKey, rename.problem, error)
    if let new, rename.made(new) { return }
    let old = try await readBack(rename.oldKey, rename.problem, error)
    guard let old else {
      throw .open(
        rename.problem, error, "neither name stands for the table as it was: look at both, as somebody else has changed them meanwhile")
    }
    // A guard that has moved never comes back: no send of this rename can take effect any more.
    if old["v"] != rename.old["v"] { throw Self.moved(rename.source) }
    if new != nil { throw Self.alreadyExists(rename.target) }
    throw .open(
      rename.problem, error,
      "\(rename.source) is as it was, but the request may be on its way: look in a minute whether \(rename.target) has taken its place")
  }

  private func refused(_ rename: Rename, _ error: AWSError) -> CatalogError {
    if error.cancellationReasons.first == "ConditionalCheckFailed" { return Self.moved(rename.source) }
    if error.cancellationReasons.last == "ConditionalCheckFailed" { return Self.alreadyExists(rename.target) }
    return failure(error, "Cannot rename \(rename.source) to \(rename.target)")
  }

  private static func alreadyExists(_ identifier: TableIdentifier) -> CatalogError {
    CatalogError(code: .alreadyExists, message: "Table already exists: \(identifier)")
  }
}
