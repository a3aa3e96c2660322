// SPDX-License-Identifier: Apache-2.0

package import AWSServices
package import Iceberg

/// How names stand in the items of a DynamoDB catalog, and which can. Source: spec/dynamodb.md §4.
package enum DynamoDbNames {
  /// Attributes of the key.
  package static let identifier = "identifier"
  package static let namespace = "namespace"
  /// The identifier of namespace items; no table's, since those hold a dot.
  package static let namespaceIdentifier = "NAMESPACE"
  /// Global secondary index with the key turned round.
  package static let index = "namespace-identifier"

  /// DynamoDB's limits of a sort key and of a partition key, bytes.
  private static let namespaceLimit = 1024
  private static let identifierLimit = 2048

  /// The levels in one text; nil for a name that no call can take: the root, an empty level, one with a dot, or too long for a sort key.
  package static func text(of namespace: Namespace) -> String? {
    guard !namespace.levels.isEmpty, namespace.levels.allSatisfy(isLevel) else { return nil }
    let text = namespace.description
    return text.utf8.count <= namespaceLimit ? text : nil
  }

  /// The namespace that a text names; nil if a level is empty.
  package static func namespace(of text: String) -> Namespace? {
    let levels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { String(Substring($0)) }
    let namespace = Namespace(levels)
    return self.text(of: namespace) == nil ? nil : namespace
  }

  /// The name of the table with an identifier; nil if it is none of this namespace or no call can take it.
  package static func table(of identifier: String, in namespace: String) -> String? {
    let prefix = Array("\(namespace).".utf8)
    guard identifier.utf8.starts(with: prefix) else { return nil }
    let name = String(Substring(identifier.utf8.dropFirst(prefix.count)))
    return isLevel(name) ? name : nil
  }

  package static func key(of namespace: Namespace) -> DynamoDBKey? {
    text(of: namespace).map { key(identifier: namespaceIdentifier, namespace: $0) }
  }

  /// Nil for a name that no call can take.
  package static func key(of table: TableIdentifier) -> DynamoDBKey? {
    guard let namespace = text(of: table.namespace), isLevel(table.name) else { return nil }
    let identifier = "\(namespace).\(table.name)"
    return identifier.utf8.count <= identifierLimit ? key(identifier: identifier, namespace: namespace) : nil
  }

  package static func key(identifier: String, namespace: String) -> DynamoDBKey {
    DynamoDBKey([self.identifier: identifier, self.namespace: namespace])
  }

  /// Throws `invalid` for a namespace that no call can take.
  package static func check(_ namespace: Namespace) throws(CatalogError) {
    let place = "Cannot use '\(namespace)' as a namespace of a DynamoDB catalog"
    if namespace.levels.isEmpty { throw invalid("\(place): it has no level") }
    for level in namespace.levels {
      if let rule = brokenRule(level) { throw invalid("\(place): a level of it \(rule)") }
    }
    let length = namespace.description.utf8.count
    if length > namespaceLimit { throw invalid("\(place): it has \(length) bytes, and \(namespaceLimit) are the most") }
  }

  /// Throws `invalid` for a table that no call can take.
  package static func check(_ table: TableIdentifier) throws(CatalogError) {
    try check(table.namespace)
    let place = "Cannot use '\(table.name)' as a table name of a DynamoDB catalog"
    if let rule = brokenRule(table.name) { throw invalid("\(place): it \(rule)") }
    let length = table.description.utf8.count
    if length > identifierLimit {
      throw invalid("\(place): with its namespace it has \(length) bytes, and \(identifierLimit) are the most")
    }
  }

  private static func brokenRule(_ name: String) -> String? {
    if isLevel(name) { return nil }
    return name.isEmpty ? "is empty" : "holds a dot"
  }

  private static func invalid(_ message: String) -> CatalogError {
    CatalogError(code: .invalid, message: message)
  }

  private static func isLevel(_ name: String) -> Bool {
    !name.isEmpty && !name.utf8.contains(UInt8(ascii: "."))
  }
}
