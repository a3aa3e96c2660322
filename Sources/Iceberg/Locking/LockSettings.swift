// SPDX-License-Identifier: Apache-2.0

/// The times of a lock manager, with Iceberg's defaults. Source: spec/lock-manager.md §2.
package struct LockSettings: Sendable, Hashable {
  /// `lock.acquire-interval-ms`: the longest wait between two looks at a lock that another holds.
  package var acquireInterval: Duration
  /// `lock.acquire-timeout-ms`: no acquire takes longer.
  package var acquireTimeout: Duration
  /// `lock.heartbeat-interval-ms`: period of renewal.
  package var heartbeatInterval: Duration
  /// `lock.heartbeat-timeout-ms`: the lease. Without renewal for this long, others may take the lock.
  package var heartbeatTimeout: Duration

  package init(
    acquireInterval: Duration = .seconds(5), acquireTimeout: Duration = .seconds(180), heartbeatInterval: Duration = .seconds(3),
    heartbeatTimeout: Duration = .seconds(15)
  ) {
    self.acquireInterval = acquireInterval
    self.acquireTimeout = acquireTimeout
    self.heartbeatInterval = heartbeatInterval
    self.heartbeatTimeout = heartbeatTimeout
  }

  /// Whether two beats in a row may fail before others may take the lock.
  package var isHeartbeatFastEnough: Bool {
    heartbeatInterval > .zero && heartbeatInterval * 3 <= heartbeatTimeout
  }
}
