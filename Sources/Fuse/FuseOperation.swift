// SPDX-License-Identifier: Apache-2.0

/// The requests that the bridge answers; the raw value is the `operation` label of the metrics.
package enum FuseOperation: String, Sendable, CaseIterable {
  case lookup, forget, getattr, readlink, open, read, flush, fsync, release, opendir, readdir, readdirplus, releasedir, statfs
  case setattr, mknod, mkdir, unlink, rmdir, symlink, rename, link, create, write, fallocate
  case copyFileRange = "copy_file_range"

  /// Whether a caller's death before the answer makes the answer EINTR, whatever was thrown. Not for what may have changed something: there
  /// only the filesystem knows what happened, and its errno is what the metrics should show.
  var isUndoneByCancellation: Bool {
    switch self {
    case .lookup, .forget, .getattr, .readlink, .open, .read, .release, .opendir, .readdir, .readdirplus, .releasedir, .statfs: true
    case .flush, .fsync, .setattr, .mknod, .mkdir, .unlink, .rmdir, .symlink, .rename, .link, .create, .write, .fallocate,
      .copyFileRange:
      false
    }
  }
}
