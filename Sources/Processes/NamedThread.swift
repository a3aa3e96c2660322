// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A thread of its own for work that blocks; the cooperative pool is as wide as the machine and must never block.
package enum NamedThread {
  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Starts a detached thread, to which no signals come. Threads that it makes inherit its name.
  ///
  /// - Parameter name: at most 15 bytes are shown by `ps -L` and `top -H`.
  /// - Returns: false if the system has no thread left (EAGAIN); then `body` never runs.
  package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let start = Unmanaged.passRetained(Start(name: String(decoding: name.utf8.prefix(15), as: UTF8.self), body: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        // SAFETY: the pointer is the reference retained above, given to this thread alone.
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        _ = bergfs_name_thread(start.name)
        // Signals are the main thread's.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        start.body()
        return nil
      }, start.toOpaque())
    guard result == 0 else {
      start.release()
      return false
    }
    return true
  }

  /// Runs blocking work on a thread of its own and awaits its value; nil if no thread could be made.
  package static func run<Value: Sendable>(_ name: String, _ body: @escaping @Sendable () -> Value) async -> Value? {
    await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
      if !start(name, { continuation.resume(returning: body()) }) {
        continuation.resume(returning: nil)
      }
    }
  }
}
