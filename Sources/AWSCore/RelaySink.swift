// SPDX-License-Identifier: Apache-2.0

import HTTP
import Synchronization

/// Stands between transport and a caller's sink so that a send that broke before its first byte can be repeated unseen.
final class RelaySink: HTTPBodySink {
  private struct Head {
    var status = 0
    var headers: [(name: String, value: String)] = []
  }

  private let target: any HTTPBodySink
  private let head = Mutex(Head())
  private let begun = Atomic<Bool>(false)

  init(_ target: any HTTPBodySink) {
    self.target = target
  }

  /// Whether the caller's sink has seen anything.
  var hasBegun: Bool { begun.load(ordering: .acquiring) }

  func begin(status: Int, headers: [(name: String, value: String)]) -> Bool {
    head.withLock { $0 = Head(status: status, headers: headers) }
    return true
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    beginTarget() && target.receive(bytes)
  }

  /// Tells the caller's sink of an answer without a body. False when it refuses.
  func beginTarget() -> Bool {
    if hasBegun { return true }
    begun.store(true, ordering: .releasing)
    let head = head.withLock { $0 }
    return target.begin(status: head.status, headers: head.headers)
  }
}
