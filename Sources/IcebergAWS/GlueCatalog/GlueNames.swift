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
