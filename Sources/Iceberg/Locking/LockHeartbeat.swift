// SPDX-License-Identifier: Apache-2.0

/// Renews one lease at a fixed rate, on a timer of its own: no other lease, upload or request delays it.
///
/// Java's managers share one scheduler, which the first to be closed takes away from the others. Source: spec/lock-manager.md §5.4, §5.5.
package struct LockHeartbeat: Sendable {
  package enum Beat: Sendable {
    case renewed
    /// The lock belongs to another, or is gone: there is nothing left to renew.
    case lost
    /// It cannot be said; the next beat tries again.
    case failed
  }

  private let end: @Sendable () -> Void

  private init(end: @escaping @Sendable () -> Void) {
    self.end = end
  }

  /// Starts renewing; the first beat comes at once. It ends with the lease, with the last reference to it, or with ``stop()``.
  ///
  /// - Parameter beat: one renewal. Cancelled when the heartbeat is stopped.
  package static func start(
    _ lease: LockLease, every interval: Duration, clock: any LockClock, beat: @escaping @Sendable () async -> Beat
  ) -> LockHeartbeat {
    let task = Task(priority: .high) { [weak lease] in
      var due = clock.elapsed()
      while !Task.isCancelled {
        let sent = clock.elapsed()
        switch await beat() {
        case .renewed: lease?.renew(at: sent)
        case .failed: break
        case .lost:
          lease?.end()
          return
        }
        due = next(after: due, every: interval, now: clock.elapsed())
        do throws(CancellationError) {
          try await clock.sleep(for: due - clock.elapsed())
        } catch {
          return
        }
        guard lease != nil else { return }
      }
    }
    return LockHeartbeat { [weak lease] in
      lease?.end()
      task.cancel()
    }
  }

  /// Ends the lease and its renewal; a beat that is on its way may still arrive.
  package func stop() {
    end()
  }

  /// The next time on the grid of a fixed rate; those that have passed are left out.
  private static func next(after due: Duration, every interval: Duration, now: Duration) -> Duration {
    let next = due + interval
    guard interval > .zero, now > next else { return next }
    return next + interval * Int(((now - next) / interval).rounded(.up))
  }
}
