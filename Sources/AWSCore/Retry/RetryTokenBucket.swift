// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The 500 tokens that bound how much a client's retries can add to a failing service's load (spec: clients.md §9).
final class RetryTokenBucket: Sendable {
  static let capacity = 500

  private let tokens = Mutex(RetryTokenBucket.capacity)

  /// Takes the cost of a retry; false, and nothing taken, when there is not enough.
  func take(_ cost: Int) -> Bool {
    tokens.withLock { tokens in
      guard tokens >= cost else { return false }
      tokens -= cost
      return true
    }
  }

  /// Gives back after a success: the last retry's cost, or 1 if there was none.
  func refund(_ amount: Int) {
    tokens.withLock { $0 = min(Self.capacity, $0 + amount) }
  }

  var available: Int { tokens.withLock { $0 } }
}
