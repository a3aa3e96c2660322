// SPDX-License-Identifier: Apache-2.0

import CFuse
import Logging

extension FuseBridge {
  /// Capabilities wanted where the kernel has them (libfuse's `FUSE_CAP_*`, macros that Swift does not import).
  private enum Capability {
    static let asyncRead: UInt32 = 1 << 0
    static let atomicTruncate: UInt32 = 1 << 3
    static let spliceWrite: UInt32 = 1 << 7
    static let spliceMove: UInt32 = 1 << 8
    static let spliceRead: UInt32 = 1 << 9
    static let autoInvalidateData: UInt32 = 1 << 12
    static let readdirplus: UInt32 = 1 << 13
    static let readdirplusAuto: UInt32 = 1 << 14
    static let writebackCache: UInt32 = 1 << 16
    static let parallelDirectoryOperations: UInt32 = 1 << 18
    static let cacheSymlinks: UInt32 = 1 << 23
    static let explicitInvalidateData: UInt32 = 1 << 25
  }

  /// Answers the kernel's INIT (docs/performance.md says why each).
  func configure(_ connection: inout fuse_conn_info) {
    // Wanted twice: here and as a mount option, else libfuse refuses the mount.
    connection.max_read = options.maxRead
    connection.max_write = min(connection.max_write, 1 << 20)
    connection.max_background = options.maxBackground
    connection.congestion_threshold = options.congestionThreshold
    // Objects never change under an inode, so pages go only when told; AUTO_INVAL would take precedence and ask for attributes at each read.
    // readdirplus always, not by the kernel's guess: a listing of S3 knows every attribute anyway. Replies come from ordinary memory, for
    // which splice costs more than it saves. Symbolic links change with the catalog, so they are not cached.
    //
    // O_TRUNC comes in the flags of OPEN, or a SETATTR would truncate before anybody knows who writes. No write-back cache: each write is
    // told before write(2) returns, so its error is the writer's.
    let wanted =
      Capability.asyncRead | Capability.readdirplus | Capability.parallelDirectoryOperations | Capability.explicitInvalidateData
      | Capability.atomicTruncate
    let unwanted =
      Capability.autoInvalidateData | Capability.readdirplusAuto | Capability.writebackCache | Capability.cacheSymlinks
      | Capability.spliceRead | Capability.spliceWrite | Capability.spliceMove
    connection.want = (connection.want | (wanted & connection.capable)) & ~unwanted
    logger.debug(
      "the kernel opened the FUSE connection",
      metadata: [
        "protocol": "\(connection.proto_major).\(connection.proto_minor)", "maxReadahead": "\(connection.max_readahead)",
        "maxWrite": "\(connection.max_write)", "capable": "0x\(String(connection.capable, radix: 16))",
        "want": "0x\(String(connection.want, radix: 16))",
      ])
  }
}
