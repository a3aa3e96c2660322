// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Iceberg

/// The one place where errors of the lock table's calls become errors of locking.
extension LockError {
  /// - Parameter place: what failed, as the beginning of the sentence.
  init(_ error: AWSError, _ place: String) {
    let code: Code =
      switch error.kind {
      case .credentials, .accessDenied: .denied
      case .timedOut: .timedOut
      case .network: FileIOError.isUnreachable(error) ? .timedOut : .failed
      case .cancelled: .cancelled
      case .notFound, .conditionFailed, .throttled, .server, .badRequest, .malformed, .unsupported, .configuration: .failed
      }
    self.init(code: code, message: "\(place): \(error.message) (\(error.operation): \(error.code))", requestID: error.requestID)
  }
}

extension AWSError {
  /// Whether the same call may succeed a little later: Iceberg's list, and every other way in which AWS says "slow down".
  /// Source: spec/lock-manager.md §5.2.
  var isPassing: Bool {
    switch kind {
    case .throttled, .server, .conditionFailed: true
    default: code == "TransactionConflictException"
    }
  }
}
