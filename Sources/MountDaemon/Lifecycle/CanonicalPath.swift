// SPDX-License-Identifier: Apache-2.0

import CLinux
import Fuse
import Glibc

/// A path as the mount table has it: absolute, without symbolic links and dots.
struct CanonicalPath: Sendable, Hashable {
  let text: String
  /// What the system said about the last component: 0, or EACCES and so on. A FUSE mount is not asked, as it may never answer: 0.
  let errorNumber: Int32

  /// Resolves a path, also one whose last component is a mount that does not answer. What lies on the way to it is asked.
  ///
  /// - Returns: nil if its parent cannot be resolved, or the last component is absent (`failure` tells which error it was).
  static func resolve(_ path: String) -> (path: CanonicalPath?, failure: Int32) {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    if let whole = real(String(trimmed)) {
      // realpath(3) reads links and looks into directories on the way, but not into the last component.
      if isServed(whole) { return (CanonicalPath(text: whole, errorNumber: 0), 0) }
      var status = stat()
      let number = stat(whole, &status) == 0 ? 0 : errno
      return (CanonicalPath(text: whole, errorNumber: number), number)
    }
    let number = errno
    guard number != ENOENT, number != ENOTDIR else { return (nil, number) }
    let slash = trimmed.lastIndex(of: "/")
    let parent = slash.map { $0 == trimmed.startIndex ? "/" : String(trimmed[..<$0]) } ?? "."
    let name = slash.map { trimmed[trimmed.index(after: $0)...] } ?? trimmed
    guard let base = real(parent) else { return (nil, number) }
    return (CanonicalPath(text: base == "/" ? "/\(name)" : "\(base)/\(name)", errorNumber: number), number)
  }

  /// Whether a program serves what is mounted there.
  private static func isServed(_ path: String) -> Bool {
    guard let type = MountTable.current().mount(at: path)?.type else { return false }
    return type == "fuse" || type.hasPrefix("fuse.")
  }

  private static func real(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
