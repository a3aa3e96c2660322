// SPDX-License-Identifier: Apache-2.0

/// What is told to the kernel about a mount.
package struct FuseMountOptions: Sendable {
  /// The source column of `mount` and `df`: `bergfs#<catalog>`.
  package var source: String
  /// The part after `fuse.` of the filesystem type.
  package var subtype: String
  /// Mounts with MS_RDONLY: every modifying call is EROFS without a request.
  package var isReadOnly: Bool
  /// Lets users other than the mounter in.
  package var allowsOther: Bool
  /// The kernel checks mode bits; no ACCESS request is sent.
  package var usesDefaultPermissions: Bool
  /// Largest READ request in bytes. 1 MiB is the kernel's ceiling (256 pages); a smaller one costs a request more for each piece.
  package var maxRead: UInt32
  /// READ requests that the kernel keeps in flight for read-ahead: enough that 64 pieces cover the latency of S3 (docs/performance.md).
  package var maxBackground: UInt32
  /// From so many on the kernel slows read-ahead down: three quarters of ``maxBackground``, the kernel's own ratio.
  package var congestionThreshold: UInt32
  /// Read-ahead window of the mount in KiB, set as root after mounting. The kernel's 128 KiB means requests of 128 KiB; 4096 makes it fetch megabytes
  /// beyond each column of a Parquet file, for a tenth more of sequential speed at 20 ms to the first byte (docs/performance.md).
  package var readAheadKiB: Int
  /// Threads that take requests from the kernel. Requests that wait hold no thread, so it is bounded by the work of copying replies.
  package var maxThreads: UInt32

  package init(
    source: String, subtype: String = "bergfs", isReadOnly: Bool = true, allowsOther: Bool = false, usesDefaultPermissions: Bool = true,
    maxRead: UInt32 = 1 << 20, maxBackground: UInt32 = 64, congestionThreshold: UInt32 = 48, readAheadKiB: Int = 1024,
    maxThreads: UInt32 = 4
  ) {
    self.source = source
    self.subtype = subtype
    self.isReadOnly = isReadOnly
    self.allowsOther = allowsOther
    self.usesDefaultPermissions = usesDefaultPermissions
    self.maxRead = maxRead
    self.maxBackground = maxBackground
    self.congestionThreshold = congestionThreshold
    self.readAheadKiB = readAheadKiB
    self.maxThreads = maxThreads
  }

  /// The value of `-o`. Commas and backslashes in the source are escaped as libfuse's option parser wants it.
  var mountOptionText: String {
    var escaped = ""
    for character in source {
      if character == "," || character == "\\" { escaped.append("\\") }
      escaped.append(character)
    }
    var options = ["fsname=\(escaped)", "subtype=\(subtype)", "max_read=\(maxRead)"]
    if isReadOnly { options.append("ro") }
    if allowsOther { options.append("allow_other") }
    if usesDefaultPermissions { options.append("default_permissions") }
    return options.joined(separator: ",")
  }
}
