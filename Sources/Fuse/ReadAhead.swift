// SPDX-License-Identifier: Apache-2.0

import Logging
import Processes

/// The read-ahead window of a mount, which only root can raise and only after INIT (its answer cuts the window to the kernel's 128 KiB).
enum ReadAhead {
  /// - Parameter device: `major:minor` of the mount.
  static func raise(device: String, kibibytes: Int, logger: Logger) {
    let path = "/sys/class/bdi/\(device)/read_ahead_kb"
    let result = SmallFile.write("\(kibibytes)\n", to: path)
    if result != 0 {
      logger.debug("the kernel's read-ahead stays as it is", metadata: ["file": "\(path)", "reason": "\(SystemError.text(result))"])
    }
  }
}
