// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes

/// What can be known to fail before the kernel is asked, and sentences for what it refuses.
enum MountCheck {
  /// Throws if /dev/fuse is absent, has no driver behind it, or may not be opened: libfuse opens it itself before it asks fusermount3.
  static func device(_ path: String = "/dev/fuse") throws(FuseError) {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    if descriptor >= 0 {
      close(descriptor)
      return
    }
    switch errno {
    case ENOENT, ENODEV, ENXIO:
      throw FuseError(.noDevice, "no /dev/fuse: load the fuse module or give the container --device /dev/fuse", errno: errno)
    case EACCES where geteuid() == 0, EPERM where geteuid() == 0:
      throw FuseError(.noDevice, "not allowed to open /dev/fuse: give the container --device /dev/fuse", errno: errno)
    case EACCES, EPERM:
      throw FuseError(
        .noDevice, "not allowed to open \(path): it must be open to all users, as udev makes it (chmod 666 \(path))", errno: errno)
    default:
      return
    }
  }

  /// Throws if this user may not let others in.
  static func allowOther(configuration path: String = "/etc/fuse.conf") throws(FuseError) {
    guard geteuid() != 0 else { return }
    let lines = String(decoding: SmallFile.read(path) ?? [], as: UTF8.self).split(separator: "\n")
    guard !lines.contains(where: { $0.split(separator: " ").first == "user_allow_other" }) else { return }
    throw FuseError(.refused, "--allow-other needs the line user_allow_other in \(path), or root", errno: EPERM)
  }

  /// The sentence for a mount that failed; libfuse gives its reason only as text.
  static func refusal(path: String, reason: String) -> FuseError {
    let detail = reason.isEmpty ? "see the line of fusermount3 above" : reason
    let advice = geteuid() == 0 ? "; in a container it needs --cap-add SYS_ADMIN and --device /dev/fuse" : "; is fuse3 installed?"
    return FuseError(.refused, "cannot mount on \(path): \(detail)\(advice)", errno: EPERM)
  }
}
