// SPDX-License-Identifier: Apache-2.0

/// How much memory the daemon may use for data: the bounds of `--memory-limit`, and its default.
package enum MemoryLimit {
  /// The least that works: a few blocks in flight and the catalog's state.
  package static let minimum: Int64 = 16 << 20
  /// The default never is more.
  package static let defaultCeiling: Int64 = 1 << 30

  /// min(1 GiB, a quarter of RAM), RAM being what the machine has or the control group allows, whichever is less; never under the minimum.
  /// - Parameter readFile: gives the text of a file under `/proc` or `/sys`, nil if there is none.
  package static func defaultLimit(readFile: (String) -> String?) -> Int64 {
    let machine = readFile("/proc/meminfo").flatMap(totalMemory)
    let limits = [machine] + controlGroupFiles(readFile).map { readFile($0).flatMap(limit) }
    guard let available = limits.compactMap(\.self).min() else { return minimum }
    return max(minimum, min(defaultCeiling, available / 4))
  }

  /// ``defaultLimit(readFile:)`` of this machine.
  package static func defaultLimit() -> Int64 {
    defaultLimit { path in
      (try? ConfigurationFile.contents(path)).flatMap { String(validating: $0, as: UTF8.self) }
    }
  }

  /// `MemTotal` in bytes.
  private static func totalMemory(_ text: String) -> Int64? {
    let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("MemTotal:") }
    guard let words = line?.split(separator: " "), words.count >= 2, let kilobytes = Int64(words[1]) else { return nil }
    return kilobytes.multipliedReportingOverflow(by: 1024).partialValue
  }

  private static func limit(_ text: String) -> Int64? {
    guard let bytes = Int64(text.prefix { !$0.isWhitespace }), bytes > 0 else { return nil }
    return bytes
  }

  /// The limit files of this process's group and of every group above it, in both versions of control groups.
  private static func controlGroupFiles(_ readFile: (String) -> String?) -> [String] {
    var files: [String] = []
    for line in (readFile("/proc/self/cgroup") ?? "").split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isUnified = parts[1].isEmpty
      guard isUnified || parts[1].split(separator: ",").contains("memory") else { continue }
      let root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      let file = isUnified ? "/memory.max" : "/memory.limit_in_bytes"
      var levels = parts[2].split(separator: "/")
      files.append(root + file)
      while !levels.isEmpty {
        files.append(root + "/" + levels.joined(separator: "/") + file)
        levels.removeLast()
      }
    }
    return files
  }
}
