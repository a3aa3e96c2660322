// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Iceberg

/// What an error of a conditional write says for itself.
struct CommitRefusal {
  let error: AWSError

  /// Whether nothing can have been changed: every send was refused, or none left this machine.
  var isDefinite: Bool { error.isDefinite }

  /// Whether it may be taken at its word: after a second send, an error may stem from the first, which was done.
  var needsNoCheck: Bool {
    isDefinite && (error.attempts <= 1 || error.kind == .network || error.kind == .timedOut)
  }

  /// The refusal as the catalog's error.
  func catalogError(_ place: String) -> CatalogError {
    let code: CatalogError.Code? =
      switch error.code {
      case "AlreadyExistsException": .alreadyExists
      case "ValidationException", "InvalidInputException": .invalid
      default: nil
      }
    var failure = CatalogError(error, place)
    if let code { failure.code = code }
    return failure
  }
}

/// Runs the lease check of a commit.
extension TableCommit {
  func requireLease() throws(CatalogError) {
    do {
      try checkLease()
    } catch let error as CatalogError {
      throw error
    } catch {
      throw CatalogError(code: .conflict, message: "Cannot commit \(identifier): the lease on it is lost: \(error)")
    }
  }

  /// The entry as this commit leaves it.
  func entry(version: String?, modified: Int64? = nil) -> TableEntry {
    TableEntry(identifier: identifier, metadataLocation: metadataLocation, version: version, modified: modified)
  }
}

/// As `uninterrupted` for file access.
func uninterruptedCatalogCall<Value: Sendable>(
  _ body: @escaping @Sendable () async throws(CatalogError) -> Value
) async throws(CatalogError) -> Value {
  let task = Task { () -> Result<Value, CatalogError> in
    do throws(CatalogError) {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }
  return try await task.value.get()
}
