// SPDX-License-Identifier: Apache-2.0

/// Why a mount could not be made, served, or taken away: one sentence for a person, and the cause as a value.
package struct FuseError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable, Hashable {
    /// `/dev/fuse` is absent or has no driver behind it.
    case noDevice
    /// The kernel or fusermount3 refused the mount.
    case refused
    /// Files of the mount are in use.
    case busy
    /// Nothing is mounted at the path.
    case notMounted
    /// The session broke down while it served requests.
    case broken
  }

  package let code: Code
  package let message: String
  /// The system's error number behind it; 0 if there is none.
  package let errno: Int32

  package init(_ code: Code, _ message: String, errno: Int32 = 0) {
    self.code = code
    self.message = message
    self.errno = errno
  }

  package var description: String { message }
}
