// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc

/// Operations that would change something: EROFS. The kernel answers most of them itself on a read-only mount; one that comes through
/// (another mount of the same superblock, a later kernel) is refused the same way, not by ENOSYS, which would switch it off.
extension FuseBridge {
  static func addRefusals(_ operations: inout fuse_lowlevel_ops) {
    operations.setattr = { request, _, _, _, _ in FuseBridge.refuse(request, .setattr) }
    operations.mknod = { request, _, _, _, _ in FuseBridge.refuse(request, .mknod) }
    operations.mkdir = { request, _, _, _ in FuseBridge.refuse(request, .mkdir) }
    operations.unlink = { request, _, _ in FuseBridge.refuse(request, .unlink) }
    operations.rmdir = { request, _, _ in FuseBridge.refuse(request, .rmdir) }
    operations.symlink = { request, _, _, _ in FuseBridge.refuse(request, .symlink) }
    operations.rename = { request, _, _, _, _, _ in FuseBridge.refuse(request, .rename) }
    operations.link = { request, _, _, _ in FuseBridge.refuse(request, .link) }
    operations.create = { request, _, _, _, _ in FuseBridge.refuse(request, .create) }
    operations.write = { request, _, _, _, _, _ in FuseBridge.refuse(request, .write) }
    operations.fallocate = { request, _, _, _, _, _ in FuseBridge.refuse(request, .fallocate) }
    operations.setxattr = { request, _, _, _, _, _ in FuseBridge.refuse(request, .setxattr) }
    operations.removexattr = { request, _, _ in FuseBridge.refuse(request, .removexattr) }
    operations.copy_file_range = { request, _, _, _, _, _, _, _, _ in FuseBridge.refuse(request, .copyFileRange) }
  }

  private static func refuse(_ request: fuse_req_t?, _ operation: FuseOperation) {
    FuseBridge.serveNow(request, operation) { _, request in request.reply(error: Errno(rawValue: EROFS)) }
  }
}
