// SPDX-License-Identifier: Apache-2.0

import Configuration
import Glibc

/// Where a daemon keeps what is not published yet: a directory that belongs to its user alone, and below it the journals of uploads.
struct StagingPlace: Sendable {
  /// Absolute.
  let directory: String
  /// Bytes that may be staged.
  let capacity: Int64

  /// What is staged at the most where nobody says: 10 GiB, and half of the free space, so that a full disk is somebody else's doing.
  static let defaultCapacity: Int64 = 10 << 30

  var journals: String { "\(directory)/journals" }

  /// Makes the directories that are missing, mode 0700.
  ///
  /// - Throws: `system` if one cannot be made, is a symbolic link, or is not the user's alone.
  static func prepare(_ options: MountOptions) throws(LifecycleError) -> StagingPlace {
    let directory = options.stagingDirectory ?? "/var/tmp/bergfs-\(getuid())"
    try makePrivate(directory)
    try makePrivate("\(directory)/journals")
    let capacity =
      if let size = options.stagingSize { size } else { min(defaultCapacity, (freeSpace(directory) ?? defaultCapacity * 2) / 2) }
    return StagingPlace(directory: directory, capacity: capacity)
  }

  private static func makePrivate(_ path: String) throws(LifecycleError) {
    let advice = "give another one by --staging-dir"
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw LifecycleError(.system, "the staging directory \(path) cannot be made: \(String(cString: strerror(errno))); \(advice)")
    }
    var status = stat()
    guard lstat(path, &status) == 0 else {
      throw LifecycleError(.system, "the staging directory \(path) cannot be used: \(String(cString: strerror(errno))); \(advice)")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw LifecycleError(.system, "the staging directory \(path) is no directory; \(advice)")
    }
    guard status.st_uid == getuid(), status.st_mode & 0o022 == 0 else {
      throw LifecycleError(
        .system, "the staging directory \(path) is not yours alone: others could change what is published; chmod 700 it, or \(advice)")
    }
  }

  /// Bytes that this user may still write there.
  private static func freeSpace(_ path: String) -> Int64? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    let (bytes, overflows) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflows ? nil : Int64(clamping: bytes)
  }
}
