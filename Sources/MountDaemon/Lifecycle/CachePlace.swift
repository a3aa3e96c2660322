// SPDX-License-Identifier: Apache-2.0

import Configuration
import Glibc

/// Where blocks are kept on disk: a directory of the user's own, which further mounts of his may share.
struct CachePlace: Sendable, Hashable {
  /// Absolute, without a slash at its end.
  let directory: String
  /// Bytes; nil if nobody said.
  let limit: Int64?
  /// What a person should know of the place; nil if nothing.
  let warning: String?

  /// Makes the directory unless it is there, mode 0700, and checks that it can be used. Nil without `--cache-dir`. Blocks a moment.
  ///
  /// - Parameter space: tells the space of the filesystem of a directory; nil if it cannot be told.
  /// - Throws: `system` if it lies in the mount, cannot be made or written, is a symbolic link, or is not the user's alone.
  static func prepare(
    _ options: MountOptions, user: UInt32 = geteuid(), space: (String) -> StagingPlace.Space? = { .init(of: $0) }
  ) throws(LifecycleError) -> CachePlace? {
    guard let path = options.cacheDirectory else { return nil }
    let trimmed = "/" + path.split(separator: "/").joined(separator: "/")
    let place = PrivateDirectory(
      kind: "cache directory", advice: "give another one by --cache-dir", danger: "could change what is read", user: user)
    guard path.hasPrefix("/"), trimmed != "/" else {
      throw LifecycleError(.system, "the cache directory \(path) is not usable: give a directory of its own by --cache-dir")
    }
    // Looked at before it is made: what is made in the mountpoint would be hidden by the mount.
    guard !isInside(trimmed, options.mountpoint) else {
      throw LifecycleError(.system, "the cache directory \(trimmed) lies in the mountpoint \(options.mountpoint); \(place.advice)")
    }
    try place.make(trimmed)
    // Unlike the mode, this knows of read-only disks, also for root.
    guard access(trimmed, W_OK | X_OK) == 0 else { throw place.unusable(trimmed, errno) }
    return CachePlace(directory: trimmed, limit: options.cacheSize, warning: warning(trimmed, options.cacheSize, space(trimmed)))
  }

  private static func isInside(_ directory: String, _ mountpoint: String) -> Bool {
    let slash = directory.lastIndex(of: "/") ?? directory.startIndex
    let parent = CanonicalPath.resolve(slash == directory.startIndex ? "/" : String(directory[..<slash])).path?.text
    let resolved = CanonicalPath.resolve(directory).path?.text ?? parent.map { "\($0)\(directory[slash...])" } ?? directory
    return resolved == mountpoint || resolved.hasPrefix(mountpoint + "/")
  }

  private static func warning(_ directory: String, _ limit: Int64?, _ space: StagingPlace.Space?) -> String? {
    guard let space else { return nil }
    if space.isMemory { return "the cache directory \(directory) is in memory (tmpfs): what is cached there counts as memory" }
    if let limit, limit > space.free {
      return "--cache-size is \(limit >> 20) MiB, but only \(space.free >> 20) MiB are free in the cache directory \(directory)"
    }
    return nil
  }
}
