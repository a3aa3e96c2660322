// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc
import Synchronization
import Telemetry

/// One request of the kernel, to be answered exactly once: a second answer is a bug and traps, a request that is dropped unanswered answers
/// EIO by itself.
final class FuseRequest: @unchecked Sendable {
  // SAFETY: `request` is valid until it is answered. It is used by the one caller that `claim()` lets through, and by `becomesInterruptible`
  // with `state` held while it is unclaimed.
  let bridge: FuseBridge
  let operation: FuseOperation
  /// Read before the answer, after which libfuse has freed it.
  let caller: FuseCaller
  private let request: fuse_req_t
  private let started: UInt64
  private let state = Mutex(State())

  private struct State {
    var isAnswered = false
    var interruptNumber: UInt?
  }

  init(_ request: fuse_req_t, bridge: FuseBridge, operation: FuseOperation) {
    self.request = request
    self.bridge = bridge
    self.operation = operation
    let context = fuse_req_ctx(request)?.pointee
    caller = FuseCaller(thread: context?.pid ?? 0, uid: context?.uid ?? 0, gid: context?.gid ?? 0)
    started = nanoseconds(of: CLOCK_MONOTONIC)
  }

  deinit {
    guard !state.withLock({ $0.isAnswered }) else { return }
    fuse_reply_err(request, EIO)
    record(EIO)
  }

  /// Lets a fatal signal of the caller cancel the task that serves this request, if it is not answered yet.
  ///
  /// The interrupt function must not be set on an answered request, whose memory libfuse has freed; so it is set with `state` held, which
  /// `claim()` needs. The order is `state`, then libfuse's request and session locks, then the table; nothing takes them the other way.
  func becomesInterruptible(_ task: Task<Void, Never>) {
    state.withLock { state in
      guard !state.isAnswered else { return }
      let number = bridge.interrupts.insert(task, thread: caller.thread)
      state.interruptNumber = number
      fuse_req_interrupt_func(
        request,
        { request, number in
          guard let request, let bridge = FuseBridge.of(request) else { return }
          bridge.interrupts.interrupted(UInt(bitPattern: number))
        }, UnsafeMutableRawPointer(bitPattern: number))
    }
  }

  /// Sends the answer by `send`, which calls one of libfuse's reply functions on the request.
  ///
  /// - Returns: whether the kernel took it. If not (the caller was killed, the mount is gone), what the answer handed out must be undone.
  @discardableResult
  func answer(_ errorNumber: Int32 = 0, _ send: (fuse_req_t) -> Int32) -> Bool {
    claim()
    let result = send(request)
    record(errorNumber)
    return result == 0
  }

  private func claim() {
    let interruptNumber = state.withLock { state in
      precondition(!state.isAnswered, "a FUSE request was answered twice")
      state.isAnswered = true
      return state.interruptNumber
    }
    if let interruptNumber { bridge.interrupts.remove(interruptNumber) }
  }

  private func record(_ errorNumber: Int32) {
    let duration = Duration.nanoseconds(Int64(clamping: nanoseconds(of: CLOCK_MONOTONIC) &- started))
    bridge.metrics.add(.operations, operation.rawValue, Errno(rawValue: errorNumber).name)
    bridge.metrics.observe(.operationSeconds, operation.rawValue, duration)
  }
}

/// Nanoseconds of a clock; cheaper than ContinuousClock's 128-bit arithmetic.
private func nanoseconds(of clock: clockid_t) -> UInt64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return UInt64(bitPattern: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
}
