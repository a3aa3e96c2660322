// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension FilesystemError {
  init(_ error: FileIOError) {
    let code: Code =
      switch error.code {
      case .notFound: .notFound
      case .changed: .stale
      case .exists: .exists
      case .tooLarge: .tooLarge
      case .unknown: .failed
      case .denied: .denied
      case .timedOut: .timedOut
      case .failed: .failed
      case .invalid: .failed
      case .unsupported: .notSupported
      case .cancelled: .interrupted
      }
    self.init(code, error.message, requestID: error.requestID)
  }

  init(_ failure: CommitFailure) {
    let code: Code =
      switch failure.code {
      case .invalid: .invalid
      case .conflict: .stale
      case .exists: .exists
      case .lockTimedOut, .timedOut: .timedOut
      case .unknown, .failed: .failed
      case .denied: .denied
      case .cancelled: .interrupted
      case .notFound: .notFound
      }
    self.init(code, failure.message, requestID: failure.requestID)
  }

  init(_ error: CatalogError) {
    let code: Code =
      switch error.code {
      case .namespaceNotFound, .tableNotFound: .notFound
      case .conflict: .stale
      case .invalid: .invalid
      case .alreadyExists: .exists
      case .notEmpty: .notEmpty
      case .catalogNotFound, .unknown: .failed
      case .denied: .denied
      case .timedOut: .timedOut
      case .failed: .failed
      case .cancelled: .interrupted
      }
    self.init(code, error.message, requestID: error.requestID)
  }
}
