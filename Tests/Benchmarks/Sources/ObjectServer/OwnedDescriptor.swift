// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file descriptor that is closed when the last reference goes.
package final class OwnedDescriptor: Sendable {
  package let raw: Int32

  /// Takes ownership of an open descriptor.
  package init(raw: Int32) {
    self.raw = raw
  }

  deinit {
    close(raw)
  }
}

/// A system call that failed, with its errno.
package struct SystemFailure: Error, CustomStringConvertible {
  package let call: String
  package let code: Int32

  /// Takes the errno of the call just made.
  package init(_ call: String, code: Int32 = errno) {
    self.call = call
    self.code = code
  }

  package var description: String { "\(call): \(String(cString: strerror(code)))" }
}
