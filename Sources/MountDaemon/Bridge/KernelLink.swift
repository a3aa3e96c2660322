// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Fuse
import Logging
import Synchronization
import Telemetry

/// What the tree tells when nobody asks: to the kernel, that attributes are old; to the record, what failed where no caller could be told.
final class KernelLink: Sendable {
  private let notifier = Mutex<FuseNotifier?>(nil)
  private let journal: ErrorJournal
  private let metrics: Metrics
  private let logger: Logger

  init(journal: ErrorJournal, metrics: Metrics, logger: Logger) {
    self.journal = journal
    self.metrics = metrics
    self.logger = logger
  }

  /// To be called once the session is there, which itself needs the tree.
  func connect(_ notifier: FuseNotifier) {
    self.notifier.withLock { $0 = notifier }
  }

  func invalidate(_ inodes: [UInt64]) async {
    guard let notifier = notifier.withLock({ $0 }) else { return }
    await notifier.invalidateInodes(inodes)
  }

  func drop(_ inodes: [DroppableInode]) async {
    guard let notifier = notifier.withLock({ $0 }) else { return }
    let refusal = await notifier.drop(inodes.map { ($0.inode, $0.parent, $0.name.bytes) })
    logger.debug("inodes to let go of", metadata: ["count": "\(inodes.count)", "errno": "\(refusal?.name ?? "-")"])
  }

  func record(_ path: String, _ operation: String, _ error: FilesystemError) {
    let errno = Errno(error.code)
    journal.append(
      ErrorJournal.Record(
        time: Timestamp.now, path: path, operation: operation, errno: errno.name, message: error.message, requestID: error.requestID))
    metrics.add(.errors, errno.name)
    logger.warning(
      "operation failed",
      metadata: [
        "operation": "\(operation)", "path": "\(path)", "errno": "\(errno.name)", "reason": "\(error.message)",
        "requestID": "\(error.requestID ?? "-")",
      ])
  }
}
