// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc

extension FuseAttributeChanges {
  /// Which fields of a SETATTR count (libfuse's `FUSE_SET_ATTR_*`, of which Swift imports no shifted macros).
  private enum Field {
    static let mode: Int32 = 1 << 0
    static let uid: Int32 = 1 << 1
    static let gid: Int32 = 1 << 2
    static let size: Int32 = 1 << 3
    static let accessed: Int32 = 1 << 4
    static let modified: Int32 = 1 << 5
    static let accessedNow: Int32 = 1 << 7
    static let modifiedNow: Int32 = 1 << 8
  }

  /// Reads what libfuse passes on of a SETATTR.
  ///
  /// - Parameters:
  ///   - status: the new values; only those that `mask` names count.
  ///   - now: nanoseconds since 1970, for UTIME_NOW, whose time the protocol leaves to the filesystem.
  init(_ status: stat, mask: Int32, now: @autoclosure () -> Int64 = timespec.now.nanoseconds) {
    self.init()
    if mask & Field.mode != 0 { mode = UInt16(truncatingIfNeeded: status.st_mode & 0o7777) }
    if mask & Field.uid != 0 { uid = status.st_uid }
    if mask & Field.gid != 0 { gid = status.st_gid }
    if mask & Field.size != 0 { size = Int64(status.st_size) }
    if mask & Field.accessed != 0 { accessed = status.st_atim.nanoseconds }
    if mask & Field.modified != 0 { modified = status.st_mtim.nanoseconds }
    guard mask & (Field.accessedNow | Field.modifiedNow) != 0 else { return }
    let now = now()
    if mask & Field.accessedNow != 0 { accessed = now }
    if mask & Field.modifiedNow != 0 { modified = now }
  }
}

extension timespec {
  init(nanoseconds: Int64) {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    self =
      rest < 0 ? timespec(tv_sec: Int(seconds - 1), tv_nsec: Int(rest + 1_000_000_000)) : timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
  }

  /// Since 1970; times beyond the years 1677 and 2262 are those.
  var nanoseconds: Int64 {
    let (product, isOver) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isOverToo) = product.addingReportingOverflow(Int64(tv_nsec))
    return isOver || isOverToo ? (tv_sec < 0 ? .min : .max) : sum
  }

  static var now: timespec {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time
  }
}
