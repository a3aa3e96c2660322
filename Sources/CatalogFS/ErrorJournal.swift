// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The last failures of the mount, newest last, as `.bergfs/errors.jsonl` shows them.
package final class ErrorJournal: Sendable {
  package struct Record: Sendable, Hashable {
    /// Nanoseconds since 1970.
    package var time: Int64
    /// Below the mount point.
    package var path: String
    package var operation: String
    /// "EIO"
    package var errno: String
    /// What a person needs to know.
    package var message: String
    package var requestID: String?

    package init(time: Int64, path: String, operation: String, errno: String, message: String, requestID: String?) {
      self.time = time
      self.path = path
      self.operation = operation
      self.errno = errno
      self.message = message
      self.requestID = requestID
    }
  }

  /// What errors.jsonl holds at most.
  package static let capacity = 1_000

  private struct State {
    var records: [Record] = []
    /// Where the next record goes once the ring is full.
    var oldest = 0
  }

  private let state = Mutex(State())

  package init() {}

  package func append(_ record: Record) {
    state.withLock { state in
      if state.records.count < Self.capacity {
        state.records.append(record)
      } else {
        state.records[state.oldest] = record
        state.oldest = (state.oldest + 1) % Self.capacity
      }
    }
  }

  /// All records, oldest first.
  package var records: [Record] {
    state.withLock { Array($0.records[$0.oldest...] + $0.records[..<$0.oldest]) }
  }
}
