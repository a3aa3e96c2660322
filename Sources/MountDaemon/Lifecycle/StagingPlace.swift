// SPDX-License-Identifier: Apache-2.0

import Configuration
import Fuse
import Glibc

/// Where a daemon keeps what is not published yet: a directory that belongs to its user alone, and below it the journals of uploads.
struct StagingPlace: Sendable, Hashable {
  /// What of the process decides where it lies.
  struct Surroundings: Sendable {
    var user: UInt32
    var environment: [String: String]
    /// Holds the default directories of users without a cache directory of their own; everybody may write there.
    var sharedDirectory = "/var/tmp"
    /// Where users' directories lie because somebody says so: `s3.staging-dir`.
    var namedDirectory: String?
    /// Tells the space of the filesystem of a directory; nil if it cannot be told.
    var space: @Sendable (String) -> Space? = { Space(of: $0) }

    init(user: UInt32 = geteuid(), environment: [String: String] = [:], namedDirectory: String? = nil) {
      self.user = user
      self.environment = environment
      self.namedDirectory = namedDirectory
    }
  }

  /// What a filesystem has to offer.
  struct Space: Sendable, Hashable {
    /// Bytes that this user may still write.
    var free: Int64
    /// Whether files there are kept in memory (tmpfs, ramfs).
    var isMemory: Bool
  }

  /// Absolute, without a slash at its end.
  let directory: String
  /// Bytes that may be staged.
  let capacity: Int64
  /// What a person should know of the place; nil if nothing.
  let warning: String?

  /// What is staged at the most where nobody says, and of the free space no more than half, so that it leaves others room.
  static let defaultCapacity: Int64 = 10 << 30

  var journals: String { "\(directory)/journals" }

  /// Makes the directories that are missing, mode 0700, and decides how much may be staged. Blocks a moment.
  ///
  /// - Throws: `system` if one cannot be made, is a symbolic link, or is not the user's alone.
  static func prepare(_ options: MountOptions, in surroundings: Surroundings = Surroundings()) throws(LifecycleError) -> StagingPlace {
    let directory = options.stagingDirectory.map(trimmed) ?? defaultDirectory(surroundings)
    guard directory.hasPrefix("/"), directory != "/" else {
      throw LifecycleError(.system, "the staging directory \(directory) is not usable: give a directory of its own by --staging-dir")
    }
    let place = PrivateDirectory(
      kind: "staging directory", advice: "give another one by --staging-dir", danger: "could change what is published",
      user: surroundings.user)
    if options.stagingDirectory == nil { try makeParents(of: directory, place) }
    try place.make(directory)
    try place.make("\(directory)/journals")
    let space = surroundings.space(directory)
    let capacity = options.stagingSize ?? defaultCapacity(space)
    return StagingPlace(directory: directory, capacity: capacity, warning: warning(directory, capacity, options, space))
  }

  /// Below `s3.staging-dir`, which may be everybody's (`/tmp`), a directory of the user's own; else `$XDG_CACHE_HOME/bergfs` for who has set it, but not for root, whose environment may be another user's.
  static func defaultDirectory(_ surroundings: Surroundings) -> String {
    if let named = surroundings.namedDirectory { return "\(trimmed(named))/bergfs-\(surroundings.user)".replacing("//", with: "/") }
    if surroundings.user != 0, let cache = surroundings.environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
      return "\(trimmed(cache))/bergfs".replacing("//", with: "/")
    }
    return "\(surroundings.sharedDirectory)/bergfs-\(surroundings.user)"
  }

  private static func defaultCapacity(_ space: Space?) -> Int64 {
    space.map { min(defaultCapacity, $0.free / 2) } ?? defaultCapacity
  }

  private static func warning(_ directory: String, _ capacity: Int64, _ options: MountOptions, _ space: Space?) -> String? {
    guard let space else { return nil }
    if space.isMemory {
      return "the staging directory \(directory) is in memory (tmpfs): what is staged, up to \(capacity >> 20) MiB, counts as memory; "
        + "give a directory on a disk by --staging-dir"
    }
    if options.stagingSize != nil, capacity > space.free {
      return "--staging-size is \(capacity >> 20) MiB, but only \(space.free >> 20) MiB are free in the staging directory \(directory)"
    }
    return nil
  }

  private static func trimmed(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.last == "/" { path.removeLast() }
    return String(path)
  }

  /// A user's cache directory may not exist yet; nothing is made for a directory that somebody named, which may be a slip.
  private static func makeParents(of directory: String, _ place: PrivateDirectory) throws(LifecycleError) {
    var end = directory.index(after: directory.startIndex)
    while let slash = directory[end...].firstIndex(of: "/") {
      let parent = String(directory[..<slash])
      // Whatever stands in the way shows when the next one is made.
      if mkdir(parent, 0o700) != 0, ![EEXIST, EROFS, EACCES, EPERM, EISDIR].contains(errno) { throw place.unmakeable(parent, errno) }
      end = directory.index(after: slash)
    }
  }
}

extension StagingPlace.Space {
  private static let memoryFilesystems: Set<String> = ["tmpfs", "ramfs", "devtmpfs"]

  /// Nil if the system does not tell.
  init?(of directory: String, mounts: MountTable = .current()) {
    var status = statvfs()
    guard statvfs(directory, &status) == 0, let path = CanonicalPath.resolve(directory).path?.text else { return nil }
    let (bytes, overflows) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    // The deepest mount on the way; of two at one place the later one hides the earlier.
    var mount: MountTable.Entry?
    for entry in mounts.entries where Self.contains(entry.path, path) && entry.path.utf8.count >= (mount?.path.utf8.count ?? 0) {
      mount = entry
    }
    self.init(free: overflows ? .max : Int64(clamping: bytes), isMemory: mount.map { Self.memoryFilesystems.contains($0.type) } ?? false)
  }

  private static func contains(_ directory: String, _ path: String) -> Bool {
    directory == "/" || path == directory || path.hasPrefix(directory + "/")
  }
}
