// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Logging
import Synchronization

/// Whether writes of one S3FileIO carry the condition that there is no object yet, or look first because the server does not keep it.
///
/// Looking first leaves a moment in which another writer can come between: there the later of two writers wins. It goes only one way, and is
/// said once.
final class S3Conditions: Sendable {
  private let isGivenUp = Mutex(false)
  let logger: Logger

  init(logger: Logger) {
    self.logger = logger
  }

  /// Whether writes look first.
  var areLookedUp: Bool { isGivenUp.withLock { $0 } }

  /// From here on writes look first.
  ///
  /// - Parameter reason: what the server does with the condition, for the log.
  func giveUp(_ reason: String) {
    let isNew = isGivenUp.withLock { isGivenUp in
      defer { isGivenUp = true }
      return !isGivenUp
    }
    guard isNew else { return }
    logger.warning(
      "the S3 server does not keep conditions of writes: names are looked up before they are written, and two writers of one name at the same time are not kept apart in S3",
      metadata: ["reason": "\(reason)"])
  }

  /// Whether an error may mean that the server does not take the header: then nothing was done, and the same request without it tells.
  static func isRefusal(_ error: AWSError) -> Bool {
    switch error.status {
    case 501: true
    case 400: error.isDefinite && refusalCodes.contains(error.code)
    default: false
    }
  }

  /// What servers answer to a header that they do not know.
  private static let refusalCodes: Set<String> = ["NotImplemented", "InvalidArgument", "InvalidRequest", "UnsupportedOperation", "400"]
}
