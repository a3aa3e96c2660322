// SPDX-License-Identifier: Apache-2.0

/// Gives way to others until a condition holds, for at most half a minute.
///
/// - Returns: whether it holds.
package func becomesTrue(_ condition: @Sendable () async -> Bool) async -> Bool {
  let clock = ContinuousClock()
  let deadline = clock.now + .seconds(30)
  while clock.now < deadline {
    if await condition() { return true }
    try? await Task.sleep(for: .milliseconds(1))
  }
  return false
}
