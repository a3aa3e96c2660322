// SPDX-License-Identifier: Apache-2.0

/// The requests that the bridge answers; the raw value is the `operation` label of the metrics.
package enum FuseOperation: String, Sendable, CaseIterable {
  case lookup, forget, getattr, readlink, open, read, flush, release, opendir, readdir, readdirplus, releasedir, statfs
  case setattr, mknod, mkdir, unlink, rmdir, symlink, rename, link, create, write, fallocate, setxattr, removexattr
  case copyFileRange = "copy_file_range"
}
