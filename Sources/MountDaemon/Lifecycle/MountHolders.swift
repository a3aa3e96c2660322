// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes

/// The processes that keep a mount busy, found by `/proc`, which never asks the mount itself.
package struct MountHolders: Sendable {
  package struct Holder: Sendable, Hashable {
    package let process: Int32
    package let command: String
    /// What of it is in use: `working directory`, or the path of an open file below the mount.
    package let use: String
  }

  package let holders: [Holder]

  /// Looks through all processes that this user may look into.
  ///
  /// - Parameters:
  ///   - path: the mountpoint, absolute.
  ///   - excluded: processes that do not count (the daemon, ourselves).
  package static func find(_ path: String, excluding excluded: Set<Int32> = []) -> MountHolders {
    var holders: [Holder] = []
    for name in names(in: "/proc") {
      guard let process = pid_t(name), !excluded.contains(process), let use = use(of: process, path) else { continue }
      let command = SmallFile.read("/proc/\(process)/comm").map { String(decoding: $0.prefix { $0 != 0x0a }, as: UTF8.self) } ?? "?"
      holders.append(Holder(process: process, command: command, use: use))
    }
    return MountHolders(holders: holders.sorted { $0.process < $1.process })
  }

  /// One clause for a sentence: `bash (pid 12, working directory), cat (pid 34, sales/orders/x) and 3 more`.
  package var description: String {
    guard !holders.isEmpty else { return "a process that this user cannot see" }
    let shown = holders.prefix(5).map { "\($0.command) (pid \($0.process), \($0.use))" }.joined(separator: ", ")
    return holders.count > 5 ? "\(shown) and \(holders.count - 5) more" : shown
  }

  private static func use(of process: pid_t, _ path: String) -> String? {
    for (link, meaning) in [("cwd", "working directory"), ("root", "root directory"), ("exe", "running program")] {
      if below(path, target(of: "/proc/\(process)/\(link)")) != nil { return meaning }
    }
    for descriptor in names(in: "/proc/\(process)/fd") {
      if let rest = below(path, target(of: "/proc/\(process)/fd/\(descriptor)")) { return rest.isEmpty ? "the top directory" : rest }
    }
    guard let maps = SmallFile.read("/proc/\(process)/maps") else { return nil }
    for line in maps.split(separator: 0x0a) {
      guard let slash = line.firstIndex(of: UInt8(ascii: "/")) else { continue }
      if let rest = below(path, String(decoding: line[slash...], as: UTF8.self)) { return rest }
    }
    return nil
  }

  /// The part of `path` below `mount`; nil if it lies elsewhere.
  private static func below(_ mount: String, _ path: String?) -> String? {
    guard let path else { return nil }
    if path == mount { return "" }
    return path.hasPrefix(mount + "/") ? String(path.dropFirst(mount.count + 1)) : nil
  }

  private static func target(of link: String) -> String? {
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
      let length = buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { base in readlink(link, base, Int(PATH_MAX)) } ?? -1 }
      count = max(length, 0)
    }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  private static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }
}
