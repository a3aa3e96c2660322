// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Says things that a listing comes upon again and again only the first time.
final class OnceLog: Sendable {
  /// Names remembered; a catalog with more of them than that logs some twice rather than growing without end.
  private static let capacity = 10_000

  private let logger: Logger
  private let seen = Mutex(Set<String>())

  init(_ logger: Logger) {
    self.logger = logger
  }

  /// Logs a warning about a name of the catalog, once.
  func hidden(_ name: String, _ reason: Logger.Message) {
    let isNew = seen.withLock { seen in
      if seen.count >= Self.capacity { seen.removeAll() }
      return seen.insert(name).inserted
    }
    if isNew {
      logger.warning(reason, metadata: ["name": "\(name)"])
    }
  }
}
