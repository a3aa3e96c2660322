// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// Which names Iceberg takes as names of Glue databases and tables. Source: spec/glue.md §3.
package struct GlueNames: Sendable {
  private let isValidationSkipped: Bool

  /// - Parameter isValidationSkipped: `glue.skip-name-validation`. A namespace still has exactly one level: Java drops further ones.
  package init(isValidationSkipped: Bool) {
    self.isValidationSkipped = isValidationSkipped
  }

  /// `^[a-z0-9_]{1,252}$`
  package func isDatabase(_ name: String) -> Bool { isValid(name, upTo: 252) }

  /// `^[a-z0-9_]{1,255}$`
  package func isTable(_ name: String) -> Bool { isValid(name, upTo: 255) }

  /// The database that a namespace is; nil if it cannot be one.
  package func database(of namespace: Namespace) -> String? {
    guard namespace.levels.count == 1, let name = namespace.levels.first, isDatabase(name) else { return nil }
    return name
  }

  /// Throws `invalid` for a namespace that cannot be a database.
  package func check(_ namespace: Namespace) throws(CatalogError) {
    guard let name = namespace.levels.first, namespace.levels.count == 1 else {
      throw Self.invalid("Cannot use '\(namespace)' as a Glue database name: a Glue database has exactly one level")
    }
    if let rule = brokenRule(name, upTo: 252) { throw Self.invalid("Cannot use '\(name)' as a Glue database name: \(rule)") }
  }

  /// Throws `invalid` for a table that Glue cannot hold.
  package func check(_ table: TableIdentifier) throws(CatalogError) {
    try check(table.namespace)
    if let rule = brokenRule(table.name, upTo: 255) { throw Self.invalid("Cannot use '\(table.name)' as a Glue table name: \(rule)") }
  }

  /// Whether Glue takes both for one entry: it folds names to lower case.
  static func areSame(_ left: TableIdentifier, _ right: TableIdentifier) -> Bool {
    "\(left)".lowercased().utf8.elementsEqual("\(right)".lowercased().utf8)
  }

  /// Nil for a name that is in order.
  private func brokenRule(_ name: String, upTo limit: Int) -> String? {
    if isValid(name, upTo: limit) { return nil }
    if name.isEmpty { return "it is empty" }
    let badCharacter = name.first { !isValid(String($0), upTo: 1) }
    guard let badCharacter else { return "it has \(name.utf8.count) characters, and \(limit) are the most" }
    return "it holds '\(badCharacter)', but it must be 1-\(limit) chars of lowercase letters, numbers, underscore "
      + "(glue.skip-name-validation=true takes any name)"
  }

  private static func invalid(_ message: String) -> CatalogError {
    CatalogError(code: .invalid, message: message)
  }

  private func isValid(_ name: String, upTo limit: Int) -> Bool {
    if name.isEmpty { return false }
    if isValidationSkipped { return true }
    return name.utf8.count <= limit
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
      }
  }
}
