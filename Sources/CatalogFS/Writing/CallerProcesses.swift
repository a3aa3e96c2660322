// SPDX-License-Identifier: Apache-2.0

/// A process that stays itself when its number is given to another one.
package struct ProcessToken: Sendable, Hashable {
  package var identifier: Int32
  /// Clock ticks since boot, as /proc/<pid>/stat has it.
  package var startTime: UInt64

  package init(identifier: Int32, startTime: UInt64) {
    self.identifier = identifier
    self.startTime = startTime
  }
}

/// What is known of a caller at the moment of its request.
package enum CallerFate: Sendable, Hashable {
  case running
  /// It ends by itself: exit(3), or the return of main.
  case exiting
  /// A signal ends it: what it wrote is not whole.
  case killed(signal: Int32)
  /// /proc does not show it.
  case unknown
}

/// The processes behind requests. A killed writer's descriptors are closed like any other's, so only its state in /proc tells a close from a
/// death. Source: spec/kernel.md.
package protocol CallerProcesses: Sendable {
  /// The process of a thread; nil if it cannot be seen.
  func process(ofThread thread: Int32) -> ProcessToken?
  func fate(ofThread thread: Int32) -> CallerFate
}
