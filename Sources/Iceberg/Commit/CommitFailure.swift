// SPDX-License-Identifier: Apache-2.0

/// Why a commit did not take place. With every code but `unknown` it is certain that the table is as it was and that nothing of the commit can
/// take effect any more.
package struct CommitFailure: Error, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    /// The document may not follow the table's metadata, or no catalog takes it: EINVAL
    case invalid
    /// The document was made from another file than the current one: ESTALE
    case conflict
    /// Another object has the file's name, or another table the table's: EEXIST
    case exists
    /// Others held the lock all the time: ETIMEDOUT
    case lockTimedOut
    /// Nobody can say whether it was done; the metadata file is kept: EIO
    case unknown
    /// EACCES
    case denied
    /// A service did not answer: ETIMEDOUT
    case timedOut
    /// EIO
    case failed
    /// Before anything was changed: EINTR
    case cancelled
    /// No such table or namespace: ENOENT
    case notFound
  }

  package var code: Code
  /// A sentence for a person, naming the table and what stood against the commit.
  package var message: String
  /// Of the AWS request that was refused.
  package var requestID: String?
  /// The metadata file that was written, if it may be the table's and therefore is kept.
  package var kept: ObjectLocation?
  /// The pointer that the document was judged against, if one was known.
  package var base: String?

  package init(code: Code, message: String, requestID: String? = nil, kept: ObjectLocation? = nil, base: String? = nil) {
    self.code = code
    self.message = message
    self.requestID = requestID
    self.kept = kept
    self.base = base
  }

  package var description: String { message }
}

extension CommitFailure {
  /// - Parameter context: which commit of which table.
  init(_ error: FileIOError, _ context: String, base: String? = nil) {
    let code: Code =
      switch error.code {
      case .denied: .denied
      case .timedOut: .timedOut
      case .cancelled: .cancelled
      case .invalid, .tooLarge: .invalid
      case .exists: .exists
      case .notFound, .changed, .unknown, .unsupported, .failed: .failed
      }
    self.init(code: code, message: "\(context): \(error.message)", requestID: error.requestID, base: base)
  }

  /// For what a catalog refuses with certainty.
  init(_ error: CatalogError, _ context: String, base: String? = nil) {
    let code: Code =
      switch error.code {
      case .namespaceNotFound: .notFound
      case .tableNotFound: base == nil ? .notFound : .conflict
      case .alreadyExists: .exists
      case .conflict: .conflict
      case .invalid: .invalid
      case .denied: .denied
      case .timedOut: .timedOut
      case .cancelled: .cancelled
      case .unknown: .unknown
      case .catalogNotFound, .notEmpty, .failed: .failed
      }
    self.init(code: code, message: "\(context): \(error.message)", requestID: error.requestID, base: base)
  }

  init(_ refusal: SuccessorRefusal, _ context: String, base: String?) {
    let code: Code =
      switch refusal.kind {
      case .invalid: .invalid
      case .conflict: .conflict
      case .unavailable(.denied): .denied
      case .unavailable(.timedOut): .timedOut
      case .unavailable(.cancelled): .cancelled
      case .unavailable(.notFound), .unavailable(.changed), .unavailable(.exists), .unavailable(.tooLarge), .unavailable(.unknown),
        .unavailable(.failed), .unavailable(.invalid), .unavailable(.unsupported):
        .failed
      }
    let judged = base.map { " (judged against \($0))" } ?? ""
    self.init(code: code, message: "\(context): \(refusal.message)\(judged)", base: base)
  }

  init(_ error: LockError, _ context: String, base: String?) {
    let code: Code =
      switch error.code {
      case .timedOut: .lockTimedOut
      case .denied: .denied
      case .failed: .failed
      case .cancelled: .cancelled
      }
    self.init(code: code, message: "\(context): \(error.message)", requestID: error.requestID, base: base)
  }
}
