// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Jobs for a thread of its own that blocks on the disk: whoever has one never waits, and is told when there are too many.
final class DiskQueue<Job: Sendable>: Sendable {
  private struct State {
    var jobs: [Job] = []
    var isClosed = false
  }

  private let limit: Int
  private let state = Mutex(State())
  private let wakeUps = DispatchSemaphore(value: 0)

  init(limit: Int) {
    self.limit = limit
  }

  /// False if the queue is full or closed: the job is dropped.
  func offer(_ job: Job) -> Bool {
    let isTaken = state.withLock { state in
      guard !state.isClosed, state.jobs.count < limit else { return false }
      state.jobs.append(job)
      return true
    }
    if isTaken { wakeUps.signal() }
    return isTaken
  }

  /// The oldest job, for the queue's one thread, which waits for it; nil once the queue is closed and empty.
  func next() -> Job? {
    wakeUps.wait()
    return state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
  }

  /// Takes no more jobs; those that are there are still handed out.
  func close() {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    if isFirst { wakeUps.signal() }
  }
}
