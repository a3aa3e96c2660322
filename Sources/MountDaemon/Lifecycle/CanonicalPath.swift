// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A path as the mount table has it: absolute, without symbolic links and dots.
struct CanonicalPath: Sendable, Hashable {
  let text: String
  /// What the system said about the last component: 0, or ENOTCONN for a dead mount, EACCES for another user's FUSE mount, and so on.
  let errorNumber: Int32

  /// Resolves a path, also one whose last component is a mount that does not answer.
  ///
  /// - Returns: nil if its parent cannot be resolved, or the last component is absent (`failure` tells which error it was).
  static func resolve(_ path: String) -> (path: CanonicalPath?, failure: Int32) {
    if let whole = real(path) {
      // realpath(3) does not look into the last component, so a dead mount passes it.
      var status = stat()
      let number = stat(whole, &status) == 0 ? 0 : errno
      return (CanonicalPath(text: whole, errorNumber: number), number)
    }
    let number = errno
    guard number != ENOENT, number != ENOTDIR else { return (nil, number) }
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    let slash = trimmed.lastIndex(of: "/")
    let parent = slash.map { $0 == trimmed.startIndex ? "/" : String(trimmed[..<$0]) } ?? "."
    let name = slash.map { trimmed[trimmed.index(after: $0)...] } ?? trimmed
    guard let base = real(parent) else { return (nil, number) }
    return (CanonicalPath(text: base == "/" ? "/\(name)" : "\(base)/\(name)", errorNumber: number), number)
  }

  private static func real(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
