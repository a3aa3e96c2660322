// SPDX-License-Identifier: Apache-2.0

/// Moves the pointer of one table, atomically or not at all. Implementations: Glue, DynamoDB, and in-memory for tests; all run the same
/// conformance suite.
package protocol TableOperations: Sendable {
  /// Makes a metadata file, which is in the object store already, the current one of a table by one conditional write.
  ///
  /// The pointer is read anew and compared with the base first; nothing is ever based on a pointer that the caller did not name. What was once
  /// sent is not called back by the cancellation of the calling task.
  ///
  /// - Throws: what is certain to have changed nothing: `alreadyExists` and `namespaceNotFound` for a create, `denied`, `invalid`, `failed`,
  ///   `timedOut`, and what the lease check throws.
  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome

  /// Makes a new table's name known to the catalog before its first file is written, where the keys of its files hang on that; nil where they
  /// do not. ``commit(_:)`` then puts the table in its place.
  ///
  /// - Parameter location: full URI of the table's directory.
  /// - Throws: `alreadyExists`, `namespaceNotFound`, and what a request may come to.
  func reserve(_ identifier: TableIdentifier, location: String) async throws(CatalogError) -> (any TableReservation)?
}

extension TableOperations {
  package func reserve(_ identifier: TableIdentifier, location: String) async throws(CatalogError) -> (any TableReservation)? { nil }
}

/// A name that is taken for a table to come.
package protocol TableReservation: Sendable {
  /// Gives the name free again; call it only when no commit can have put a table there. A table that somebody else has put there stays.
  func release() async
}

/// One move of a pointer.
package struct TableCommit: Sendable {
  package var identifier: TableIdentifier
  /// The entry that the new metadata was made from; nil to create the table.
  package var base: TableEntry?
  /// Full URI of the new metadata file.
  package var metadataLocation: String
  /// What the new metadata says that catalogs show.
  package var document: TableDocument
  /// Throws if the lease on the table is lost. Called right before every conditional write; must not block.
  package var checkLease: @Sendable () throws -> Void

  package init(
    identifier: TableIdentifier, base: TableEntry?, metadataLocation: String, document: TableDocument,
    checkLease: @escaping @Sendable () throws -> Void = {}
  ) {
    self.identifier = identifier
    self.base = base
    self.metadataLocation = metadataLocation
    self.document = document
    self.checkLease = checkLease
  }
}

/// What became of a commit that was not refused outright.
package enum CommitOutcome: Sendable, Hashable {
  /// The new file is the table's, or was and has been succeeded already. The entry is as this commit left it. Its version and time are nil
  /// where nothing says them: Glue's answers to UpdateTable and CreateTable are empty, so only an entry that was read back has them there.
  case committed(TableEntry)
  /// The pointer had moved, or moves by others came first: nothing was changed, and nothing of this commit can take effect any more. ESTALE
  case conflict(String)
  /// Nobody can say: the metadata file must be kept. EIO
  case unknown(String)
}

/// A catalog that can be changed.
package protocol WritableCatalog: Catalog {
  /// The commits of its tables.
  var tableOperations: any TableOperations { get }

  /// Throws `invalid`, with the rule that is broken, for a table's name that the catalog does not take. Sends nothing.
  func checkTableName(_ identifier: TableIdentifier) throws(CatalogError)

  /// Throws `invalid`, with the rule that is broken, for a namespace's name that the catalog does not take. Sends nothing.
  func checkNamespaceName(_ namespace: Namespace) throws(CatalogError)

  /// Where a new table goes whose maker names no place: a full URI without a slash at its end. Every call gives another one where
  /// `unique-table-location` is set. Whether anything is there already is not asked.
  ///
  /// - Throws: `namespaceNotFound`; `invalid` for a name that the catalog does not take, and where neither the namespace nor `warehouse` says
  ///   a place.
  func defaultLocation(of identifier: TableIdentifier) async throws(CatalogError) -> String

  /// Makes what the catalog itself is kept in, where its clients make that: the table of a DynamoDB catalog. Returns when it can be used; does
  /// nothing if it is there. For mounts that may write only. A namespace or a table that is made without it calls it by itself.
  func createIfMissing() async throws(CatalogError)

  /// Makes a namespace. Throws `alreadyExists`, and `invalid` for a name that the catalog's rules exclude.
  func createNamespace(_ namespace: Namespace, properties: [String: String]) async throws(CatalogError)

  /// Drops a namespace that holds nothing: no entry of any kind, no child. Throws `notEmpty`, `namespaceNotFound`; `unknown` if whether it
  /// was dropped cannot be found out.
  func dropNamespace(_ namespace: Namespace) async throws(CatalogError)

  /// Takes a table out of the catalog, whatever was committed to it meanwhile; its files stay.
  ///
  /// - Throws: what has changed nothing: `tableNotFound`, and `conflict` where another table has taken the name or commits come faster than
  ///   the drop. `unknown` if whether it was dropped cannot be found out.
  func dropTable(_ identifier: TableIdentifier) async throws(CatalogError)

  /// Gives a table another name; its files and its location stay.
  ///
  /// Whatever befalls it, the table keeps an entry under one of the names.
  ///
  /// - Throws: what is certain to have changed nothing: `tableNotFound`, `namespaceNotFound`, `alreadyExists`, `invalid`; `conflict` if the
  ///   table was committed to meanwhile. `unknown`, with the names to look at, where both or either may be there.
  func renameTable(_ entry: TableEntry, to target: TableIdentifier) async throws(CatalogError)
}

extension WritableCatalog {
  package func createIfMissing() async throws(CatalogError) {}
}
