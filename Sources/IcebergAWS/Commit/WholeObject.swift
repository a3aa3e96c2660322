// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// Takes all bytes of a small object.
final class WholeObject: RangeSink {
  private let content = Mutex([UInt8]())

  var bytes: [UInt8] { content.withLock { $0 } }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    content.withLock { $0.append(contentsOf: bytes) }
    return true
  }
}
