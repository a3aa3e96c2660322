// SPDX-License-Identifier: Apache-2.0

import CLinux
import Fuse
import Glibc
import Processes

/// The file that a program copies into a mount, from which the size of the copy is known before its end: what `cp` and its kind have open for
/// reading. Source: proc_pid_fdinfo(5).
enum CopySource {
  /// Bytes of the only regular file that a process reads and that is at least as long as what it has written; nil if it has none or several.
  ///
  /// - Parameters:
  ///   - written: bytes of the copy so far.
  ///   - mountpoint: what lies below is not looked at, as the mount may not answer.
  static func size(of process: Int32, written: Int64, mountpoint: String) -> Int64? {
    guard let stream = opendir("/proc/\(process)/fd") else { return nil }
    defer { closedir(stream) }
    var sizes: [Int64] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard Int32(name) != nil, isReadOnly(process, name), let path = target("/proc/\(process)/fd/\(name)"), path.hasPrefix("/"),
        path != mountpoint, !path.hasPrefix(mountpoint + "/")
      else { continue }
      var status = stat()
      guard stat("/proc/\(process)/fd/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size >= written else {
        continue
      }
      sizes.append(Int64(status.st_size))
    }
    return sizes.count == 1 ? sizes[0] : nil
  }

  private static func isReadOnly(_ process: Int32, _ descriptor: String) -> Bool {
    let text = String(decoding: SmallFile.read("/proc/\(process)/fdinfo/\(descriptor)") ?? [], as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags:") }) else { return false }
    let digits = line.dropFirst(6).drop { $0 == " " || $0 == "\t" }
    return Int32(digits, radix: 8).map { $0 & O_ACCMODE == O_RDONLY } ?? false
  }

  private static func target(_ link: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink(link, &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
