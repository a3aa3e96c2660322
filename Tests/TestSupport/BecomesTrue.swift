// SPDX-License-Identifier: Apache-2.0

/// Gives way to others until a condition holds, for at most a minute: the tests beside it may keep both threads of the pool busy for a while.
///
/// - Returns: whether it holds.
package func becomesTrue(_ condition: @Sendable () async -> Bool) async -> Bool {
  let clock = ContinuousClock()
  let deadline = clock.now + .seconds(60)
  while clock.now < deadline, !Task.isCancelled {
    if await condition() { return true }
    try? await Task.sleep(for: .milliseconds(1))
  }
  return false
}

extension Task where Failure == any Error {
  /// The task's value; it is cancelled with whoever waits for it, so that a test that runs into its time limit ends.
  package func ended() async throws -> Success {
    try await withTaskCancellationHandler {
      try await value
    } onCancel: {
      cancel()
    }
  }
}
