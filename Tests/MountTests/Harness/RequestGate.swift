// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Holds back requests of a proxy's choice until it is told to let them go on.
final class RequestGate: Sendable {
  private struct State {
    var isShut = false
    var held = 0
  }

  /// Longer than any test waits: what a failed test leaves behind ends by itself.
  private static let limit = Duration.seconds(150)

  private let state = Mutex(State())
  private let holds: @Sendable (ProxiedRequest) -> Bool

  /// - Parameter holds: whether a request is held while the gate is shut.
  init(_ holds: @escaping @Sendable (ProxiedRequest) -> Bool) {
    self.holds = holds
  }

  func shut() {
    state.withLock { $0 = State(isShut: true) }
  }

  func open() {
    state.withLock { $0.isShut = false }
  }

  /// For a proxy's thread, which waits here.
  func pass(_ request: ProxiedRequest) {
    guard holds(request) else { return }
    let isHeld = state.withLock { state in
      if state.isShut { state.held += 1 }
      return state.isShut
    }
    guard isHeld else { return }
    let deadline = ContinuousClock.now + Self.limit
    while state.withLock(\.isShut), ContinuousClock.now < deadline { usleep(1_000) }
  }

  /// Returns when the gate holds a request.
  func untilHeld() async throws {
    let isHeld = await eventually(within: .seconds(60), every: .milliseconds(5)) { self.state.withLock(\.held) > 0 }
    guard isHeld else { throw HarnessError("no request has come to the gate") }
  }
}

extension ProxiedRequest {
  /// The conditional write of a commit: Glue's or the DynamoDB catalog's.
  var isPointerWrite: Bool { operation == "UpdateTable" || operation == "UpdateItem" }

  /// Whether it is about this DynamoDB table.
  func isAbout(_ table: String) -> Bool {
    service == "dynamodb" && String(decoding: body, as: UTF8.self).contains("\"\(table)\"")
  }
}
