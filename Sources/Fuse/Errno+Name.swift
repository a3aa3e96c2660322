// SPDX-License-Identifier: Apache-2.0

import Glibc

extension Errno: CustomStringConvertible {
  /// The symbol of the number, as errno(3) lists it (`ENOENT`); `OK` for 0, `E<number>` for one without a symbol.
  package var name: String {
    switch rawValue {
    case 0: "OK"
    case ENOENT: "ENOENT"
    case EPERM: "EPERM"
    case EIO: "EIO"
    case EACCES: "EACCES"
    case EINTR: "EINTR"
    case ESTALE: "ESTALE"
    case EROFS: "EROFS"
    case EINVAL: "EINVAL"
    case EEXIST: "EEXIST"
    case EBUSY: "EBUSY"
    case ENOTDIR: "ENOTDIR"
    case EISDIR: "EISDIR"
    case ENOTEMPTY: "ENOTEMPTY"
    case ENOSYS: "ENOSYS"
    case ENOMEM: "ENOMEM"
    case ENOSPC: "ENOSPC"
    case EFBIG: "EFBIG"
    case EBADF: "EBADF"
    case ENAMETOOLONG: "ENAMETOOLONG"
    case ETIMEDOUT: "ETIMEDOUT"
    case ENOTCONN: "ENOTCONN"
    case EMFILE: "EMFILE"
    case ENODEV: "ENODEV"
    case EXDEV: "EXDEV"
    case ELOOP: "ELOOP"
    case EAGAIN: "EAGAIN"
    case EOPNOTSUPP: "EOPNOTSUPP"
    case EOVERFLOW: "EOVERFLOW"
    case ENXIO: "ENXIO"
    default: "E\(rawValue)"
    }
  }

  package var description: String { name }
}
