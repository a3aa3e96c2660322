// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How far the bytes of one write have come; counted by the write, looked at by whoever shows it.
package final class TransferProgress: Sendable {
  private let count = Atomic<Int64>(0)

  package init() {}

  /// Bytes that the store has acknowledged, as parts of an upload: an object in one piece counts when it is there.
  package var bytes: Int64 { count.load(ordering: .relaxed) }

  package func add(_ bytes: Int64) {
    count.wrappingAdd(bytes, ordering: .relaxed)
  }

  /// The write begins anew.
  package func reset() {
    count.store(0, ordering: .relaxed)
  }
}
