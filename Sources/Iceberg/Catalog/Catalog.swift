// SPDX-License-Identifier: Apache-2.0

/// A namespace: one level on Glue, any number on DynamoDB; empty for the root.
package struct Namespace: Sendable, Hashable, CustomStringConvertible {
  package var levels: [String]

  package init(_ levels: [String]) {
    self.levels = levels
  }

  package static let root = Namespace([])
  package var description: String { levels.joined(separator: ".") }
}

/// Equality is that of the bytes: `String`'s own takes two Unicode forms of one character for equal, DynamoDB does not.
extension Namespace {
  package static func == (left: Namespace, right: Namespace) -> Bool {
    left.levels.count == right.levels.count && zip(left.levels, right.levels).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }
}

/// A table's name in its namespace.
package struct TableIdentifier: Sendable, Hashable, CustomStringConvertible {
  package var namespace: Namespace
  package var name: String

  package init(namespace: Namespace, name: String) {
    self.namespace = namespace
    self.name = name
  }

  package var description: String { "\(namespace).\(name)" }
}

extension TableIdentifier {
  package static func == (left: TableIdentifier, right: TableIdentifier) -> Bool {
    left.namespace == right.namespace && left.name.utf8.elementsEqual(right.name.utf8)
  }
}

/// What the catalog says of a namespace.
package struct NamespaceEntry: Sendable, Hashable {
  package var namespace: Namespace
  /// Nanoseconds since 1970; nil where the catalog does not say.
  package var modified: Int64?
  package var properties: [String: String]

  package init(namespace: Namespace, modified: Int64?, properties: [String: String]) {
    self.namespace = namespace
    self.modified = modified
    self.properties = properties
  }
}

/// What the catalog says of an Iceberg table: the pointer and its guard.
package struct TableEntry: Sendable, Hashable {
  package var identifier: TableIdentifier
  /// Full URI of the current metadata file, exactly as stored.
  package var metadataLocation: String
  /// Opaque guard of the entry: Glue `VersionId`, DynamoDB `v`.
  package var version: String?
  /// Nanoseconds since 1970.
  package var modified: Int64?

  package init(identifier: TableIdentifier, metadataLocation: String, version: String?, modified: Int64?) {
    self.identifier = identifier
    self.metadataLocation = metadataLocation
    self.version = version
    self.modified = modified
  }
}

/// One page of a catalog listing.
package struct CatalogPage<Element: Sendable>: Sendable {
  package var entries: [Element]
  /// Goes into the next call; nil after the last page. A page may be empty and still have a next one.
  package var next: String?

  package init(entries: [Element], next: String?) {
    self.entries = entries
    self.next = next
  }
}

/// Everything that a catalog points at.
package struct CatalogInventory: Sendable {
  package var tables: [TableIdentifier: TableEntry] = [:]
  /// Entries that seem to hold a pointer and that nobody can make out: a sentence about each. They may lead to any file.
  package var unclear: Set<String> = []

  package init() {}
}

/// A catalog, reading. Only Iceberg tables that have a metadata pointer and names that later calls could take are ever returned.
package protocol Catalog: Sendable {
  /// "glue" or "dynamodb".
  var kind: String { get }

  /// Whether a namespace may hold namespaces (DynamoDB). Where it may not, nobody asks for them.
  var nestsNamespaces: Bool { get }

  /// One page of the direct children of a namespace. A missing parent gives an empty page.
  func listNamespaces(under parent: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<NamespaceEntry>

  /// One page of tables with their pointers (DynamoDB: primed by BatchGetItem). Throws `namespaceNotFound` where the catalog says so.
  func listTables(in namespace: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<TableEntry>

  /// Every table whatever its namespace, those too that no listing of namespaces leads to, for whoever must overlook none.
  ///
  /// Each page is asked for after the call; all pages are not one moment.
  func allTables() async throws(CatalogError) -> CatalogInventory

  /// Nil if there is none, or the name is one the catalog's rules exclude (then no request is sent).
  func loadNamespace(_ namespace: Namespace) async throws(CatalogError) -> NamespaceEntry?

  /// Nil if there is none, it is no Iceberg table, has no pointer yet, or the name is excluded (then no request is sent).
  func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> TableEntry?

  /// The file access for a table (per-table credentials live behind it); shared where the configuration is the same.
  func fileIO(for identifier: TableIdentifier) -> any FileIO
}

extension Catalog {
  /// By the listings of all namespaces: right where a table is always in a namespace that the catalog lists.
  package func allTables() async throws(CatalogError) -> CatalogInventory {
    var inventory = CatalogInventory()
    inventory.tables = try await CatalogSurvey(catalog: self).tables()
    return inventory
  }
}

/// Why a catalog operation failed.
package struct CatalogError: Error, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    /// ENOENT
    case namespaceNotFound
    /// The catalog itself is missing (DynamoDB table absent): EIO, and an error sentence at mount.
    case catalogNotFound
    /// ENOENT
    case tableNotFound
    /// EEXIST
    case alreadyExists
    /// ENOTEMPTY
    case notEmpty
    /// The entry is no longer what the caller saw, or the lease on it is lost: ESTALE
    case conflict
    /// A name or a document that the catalog does not take: EINVAL
    case invalid
    /// Whether the change was made cannot be found out: EIO
    case unknown
    /// EACCES
    case denied
    /// ETIMEDOUT
    case timedOut
    /// EIO
    case failed
    /// EINTR
    case cancelled
  }
  package var code: Code
  package var message: String
  package var requestID: String?
  /// What a service answered, where that was the reason: tells kinds apart that have one code.
  package var cause: (any Error)?

  package init(code: Code, message: String, requestID: String? = nil, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.requestID = requestID
    self.cause = cause
  }

  package var description: String { message }
}
