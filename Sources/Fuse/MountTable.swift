// SPDX-License-Identifier: Apache-2.0

import Processes

/// The mounts of this process's namespace, read from `/proc/self/mountinfo` (proc(5)), which never asks a mounted filesystem anything.
package struct MountTable: Sendable {
  package struct Entry: Sendable, Hashable {
    /// `major:minor`, the name of the mount's directory in `/sys/class/bdi`.
    package var device: String
    package var path: String
    /// `fuse.bergfs`, `ext4`, …
    package var type: String
    package var source: String
  }

  /// In mount order: of two at the same path the later one hides the earlier.
  package let entries: [Entry]

  /// Reads the table of this process; empty if `/proc` is not there.
  package static func current() -> MountTable {
    MountTable(parsing: SmallFile.read("/proc/self/mountinfo") ?? [])
  }

  /// Reads the text of a mountinfo file; lines that do not have its form are skipped.
  package init(parsing text: [UInt8]) {
    entries = text.split(separator: UInt8(ascii: "\n")).compactMap(Self.entry)
  }

  /// The mount that is seen at a path; nil if the path is no mount point. The path is absolute and without symbolic links.
  package func mount(at path: String) -> Entry? {
    entries.last { $0.path == path }
  }

  private static func entry(_ line: ArraySlice<UInt8>) -> Entry? {
    let fields = line.split(separator: UInt8(ascii: " "))
    guard fields.count >= 9, let dash = fields.dropFirst(6).firstIndex(of: ArraySlice("-".utf8)), dash + 2 < fields.count else {
      return nil
    }
    return Entry(
      device: text(fields[2]), path: text(fields[4]), type: text(fields[dash + 1]), source: text(fields[dash + 2]))
  }

  /// A field with its `\040` escapes (space, tab, newline, backslash, `#`) undone.
  private static func text(_ field: ArraySlice<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
        bytes.append(digits.reduce(UInt8(0)) { ($0 &<< 3) | ($1 - 0x30) })
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
