// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Fuse
import Glibc
import Testing

@testable import MountDaemon

struct ErrnoTableTests {
  private static let expected: [FilesystemError.Code: Int32] = [
    .notFound: ENOENT, .notDirectory: ENOTDIR, .isDirectory: EISDIR, .invalid: EINVAL, .stale: ESTALE, .denied: EACCES, .readOnly: EROFS,
    .timedOut: ETIMEDOUT, .failed: EIO, .interrupted: EINTR, .badHandle: EBADF,
    .exists: EEXIST, .notEmpty: ENOTEMPTY, .tooLarge: EFBIG,
    .notPermitted: EPERM, .busy: EBUSY, .noSpace: ENOSPC, .outOfMemory: ENOMEM, .notSupported: EOPNOTSUPP,
  ]

  @Test("Every failure of the filesystem has its errno", arguments: FilesystemError.Code.allCases)
  func row(code: FilesystemError.Code) {
    let number = Errno(code).rawValue
    #expect(number == Self.expected[code])
    // Tools try again on these, for ever: only what passes by itself may give one.
    #expect(number != EAGAIN && (number != EBUSY || code == .busy))
  }
}
