// SPDX-License-Identifier: Apache-2.0

/// Why a lock was not acquired. It is a definite failure of whatever the lock was for: nothing of that was sent.
package struct LockError: Error, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    /// Others held it all the time, or the service of the locks does not answer: ETIMEDOUT
    case timedOut
    /// EACCES
    case denied
    /// The service refuses, or what it holds is no lock: EIO
    case failed
    /// EINTR
    case cancelled
  }
  package var code: Code
  /// One sentence for a person, naming what was to be locked.
  package var message: String
  package var requestID: String?

  package init(code: Code, message: String, requestID: String? = nil) {
    self.code = code
    self.message = message
    self.requestID = requestID
  }

  package var description: String { message }
}

extension LockError {
  /// - Parameter owner: who held it when it was last looked at; nil if nobody did.
  package static func timedOut(_ entityID: String, after limit: Duration, heldBy owner: String?) -> LockError {
    let holder = owner.map { ": it is held by '\($0)'" } ?? ""
    return LockError(code: .timedOut, message: "The lock on '\(entityID)' was not free within \(limit)\(holder).")
  }

  package static func cancelled(_ entityID: String) -> LockError {
    LockError(code: .cancelled, message: "Waiting for the lock on '\(entityID)' was interrupted.")
  }

  package static func closed(_ entityID: String) -> LockError {
    LockError(code: .failed, message: "The lock on '\(entityID)' cannot be taken: the lock manager is closed.")
  }
}
