// SPDX-License-Identifier: Apache-2.0

/// Why the files of a snapshot cannot be told.
package struct SnapshotError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable, Hashable {
    /// A manifest list or manifest that the snapshot names is not there.
    case missing
    /// It can only be read with a key, which is not done here.
    case encrypted
    /// It was read and says nothing that could be relied on.
    case corrupt
    /// It cannot be read now, or by this caller.
    case unavailable(FileIOError.Code)
  }

  package var code: Code
  /// One sentence for a person, naming the file and, where it is corrupt, the byte.
  package var message: String
  package var requestID: String?

  package init(_ code: Code, _ message: String, requestID: String? = nil) {
    self.code = code
    self.message = message
    self.requestID = requestID
  }

  package var description: String { message }

  /// - Parameter what: `manifest list`, `manifest`.
  init(_ error: FileIOError, _ what: String, _ location: String) {
    switch error.code {
    case .notFound:
      self.init(
        .missing, "the \(what) \(location) does not exist: it was deleted while a snapshot still names it", requestID: error.requestID)
    case .invalid: self.init(.corrupt, "the \(what) \(location) cannot be read: \(error.message)", requestID: error.requestID)
    case .changed, .exists, .denied, .timedOut, .tooLarge, .unknown, .failed, .unsupported, .cancelled:
      self.init(.unavailable(error.code), error.message, requestID: error.requestID)
    }
  }

  package static func encrypted(_ what: String, _ location: String) -> SnapshotError {
    SnapshotError(.encrypted, "the \(what) \(location) is encrypted: views of encrypted tables are not shown")
  }
}
