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

  /// The levels in one text; nil for a name that no call can take: the root, an empty level, one with a dot, or over DynamoDB's 1,024
  /// bytes of a sort key.
  package static func text(of namespace: Namespace) -> String? {
    guard !namespace.levels.isEmpty, namespace.levels.allSatisfy(isLevel) else { return nil }
    let text = namespace.description
    return text.utf8.count <= 1024 ? text : nil
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

  /// Nil for a name that no call can take; 2,048 bytes are DynamoDB's limit of a partition key.
  package static func key(of table: TableIdentifier) -> DynamoDBKey? {
    guard let namespace = text(of: table.namespace), isLevel(table.name) else { return nil }
    let identifier = "\(namespace).\(table.name)"
    return identifier.utf8.count <= 2048 ? key(identifier: identifier, namespace: namespace) : nil
  }

  package static func key(identifier: String, namespace: String) -> DynamoDBKey {
    DynamoDBKey([self.identifier: identifier, self.namespace: namespace])
  }

  private static func isLevel(_ name: String) -> Bool {
    !name.isEmpty && !name.utf8.contains(UInt8(ascii: "."))
  }
}
