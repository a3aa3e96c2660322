// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Fuse
import Glibc

/// The one place where a failure becomes a POSIX error number. Source: docs/semantics.md "Errno".
extension Errno {
  init(_ code: FilesystemError.Code) {
    let number: Int32 =
      switch code {
      case .notFound: ENOENT
      case .notDirectory: ENOTDIR
      case .isDirectory: EISDIR
      case .invalid: EINVAL
      case .stale: ESTALE
      case .denied: EACCES
      case .readOnly: EROFS
      case .timedOut: ETIMEDOUT
      case .failed: EIO
      case .interrupted: EINTR
      case .exists: EEXIST
      case .notEmpty: ENOTEMPTY
      case .tooLarge: EFBIG
      case .notPermitted: EPERM
      case .busy: EBUSY
      case .noSpace: ENOSPC
      case .outOfMemory: ENOMEM
      case .notSupported: EOPNOTSUPP
      case .badHandle: EBADF
      }
    self.init(rawValue: number)
  }
}
