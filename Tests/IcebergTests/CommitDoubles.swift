// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Logging
import Synchronization
import TestSupport

extension Logger {
  /// A logger that writes nothing.
  static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}

/// A lock manager that always answers the same.
final class ScriptedLocks: LockManager {
  enum Answer: Sendable {
    case give
    /// A lease that is lost when it is given.
    case giveLost
    case refuse(LockError.Code)
  }

  private struct State {
    var acquired: [(entity: String, owner: String)] = []
    var released = 0
  }

  private let answer: Answer
  private let state = Mutex(State())

  init(_ answer: Answer) {
    self.answer = answer
  }

  var acquired: [(entity: String, owner: String)] { state.withLock { $0.acquired } }
  var released: Int { state.withLock { $0.released } }

  func acquire(_ entityID: String, ownerID: String, within limit: Duration?) async throws(LockError) -> LockLease {
    state.withLock { $0.acquired.append((entityID, ownerID)) }
    if case .refuse(let code) = answer { throw LockError(code: code, message: "The lock on '\(entityID)' is refused.") }
    let clock = VirtualLockClock()
    let lease = LockLease(
      entityID: entityID, ownerID: ownerID, token: ownerID, length: .seconds(15), renewed: clock.elapsed(), clock: clock)
    if case .giveLost = answer { lease.end() }
    return lease
  }

  /// Never frees anything.
  func release(_ lease: LockLease) async -> Bool {
    state.withLock { $0.released += 1 }
    return false
  }

  func close() async {}
}

/// Writes down what it is told.
final class RecordingJournal: WriteJournal {
  private let lines = Mutex<[String]>([])
  var entries: [String] { lines.withLock { $0 } }

  func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    lines.withLock { $0.append("write \(location) \(mark)") }
  }
  func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    lines.withLock { $0.append("begin \(location) \(mark)") }
  }
  func didEnd(_ location: ObjectLocation, mark: WriteMark) async {
    lines.withLock { $0.append("end \(location) \(mark)") }
  }
}
