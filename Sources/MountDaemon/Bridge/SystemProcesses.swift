// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Fuse

/// The processes of this machine, as /proc shows them.
struct SystemProcesses: CallerProcesses {
  func process(ofThread thread: Int32) -> ProcessToken? {
    CallerProcess.identity(ofThread: thread).map { ProcessToken(identifier: $0.pid, startTime: $0.startTime) }
  }

  func fate(ofThread thread: Int32) -> CallerFate {
    switch CallerProcess.state(ofThread: thread) {
    case .running: .running
    case .exitingByItself: .exiting
    case .killed(let signal): .killed(signal: signal)
    case .gone, .unknown: .unknown
    }
  }
}
