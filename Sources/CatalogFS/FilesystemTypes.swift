// SPDX-License-Identifier: Apache-2.0

package import Iceberg
package import ObjectCache

/// How the tree is shown.
package struct CatalogFilesystemOptions: Sendable {
  /// How long listings and pointers may be shown without asking again.
  package var metadataTTL: Duration
  /// Permission bits of files and directories.
  package var fileMode: UInt16
  package var directoryMode: UInt16
  /// Only these namespaces, what is below them, and the way to them; empty: all.
  package var namespaces: [Namespace]
  /// Nanoseconds since 1970: the time of what has none of its own.
  package var mountTime: Int64
  /// Bytes: a metadata file larger than this is refused rather than read into memory.
  package var largestMetadata: Int64
  /// Whether listings of a table hold `.iceberg`, which is found by its name in any case.
  package var listsViews: Bool
  /// Bytes that what is known of snapshots may take while somebody looks at it; a snapshot whose files do not fit is not shown.
  package var viewMemory: Int
  /// Of the content of manifests.
  package var manifestCache: ManifestCacheSettings
  /// Of what reads fetch.
  package var tuning: Prefetcher.Tuning
  /// Files of snapshots whose versions are remembered.
  package var mostVersions: Int

  package init(
    metadataTTL: Duration = .seconds(1), fileMode: UInt16 = 0o444, directoryMode: UInt16 = 0o555, namespaces: [Namespace] = [],
    mountTime: Int64, largestMetadata: Int64 = 256 << 20, listsViews: Bool = false, viewMemory: Int = 256 << 20,
    manifestCache: ManifestCacheSettings = ManifestCacheSettings(), tuning: Prefetcher.Tuning = .init(), mostVersions: Int = 4_096
  ) {
    self.tuning = tuning
    self.mostVersions = mostVersions
    self.manifestCache = manifestCache
    self.listsViews = listsViews
    self.viewMemory = viewMemory
    self.metadataTTL = metadataTTL
    self.fileMode = fileMode
    self.directoryMode = directoryMode
    self.namespaces = namespaces
    self.mountTime = mountTime
    self.largestMetadata = largestMetadata
  }

  /// Whether a namespace is one of those asked for, above one, or below one.
  func shows(_ namespace: Namespace) -> Bool {
    namespaces.isEmpty || namespaces.contains { Self.isOnOnePath($0, namespace) }
  }

  /// Whether the tables of a namespace are shown: it is one of those asked for, or below one. The root has none.
  func showsTables(of namespace: Namespace) -> Bool {
    guard !namespace.levels.isEmpty else { return false }
    return namespaces.isEmpty || namespaces.contains { $0.levels.count <= namespace.levels.count && Self.isOnOnePath($0, namespace) }
  }

  private static func isOnOnePath(_ one: Namespace, _ other: Namespace) -> Bool {
    zip(one.levels, other.levels).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }
}

/// What `stat` shows of a node.
package struct NodeAttributes: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    case directory, file, symbolicLink
  }
  package var inode: UInt64
  package var kind: Kind
  /// Permission bits.
  package var mode: UInt16
  /// Bytes.
  package var size: Int64
  /// Nanoseconds since 1970.
  package var modified: Int64
}

/// A name found: attributes, and how long the kernel may keep name and attributes without asking.
package struct NodeEntry: Sendable {
  package var attributes: NodeAttributes
  package var entryLifetime: Duration
  package var attributeLifetime: Duration
}

/// An open file.
package struct OpenedFile: Sendable {
  package var handle: UInt64
  /// The page cache is passed by: the size is not known before it is read, or the bytes go through only once.
  package var isDirect: Bool
  /// Closes are to be told.
  package var isWriter = false
  /// What earlier opens read may be shown again.
  package var keepsCache = true
}

/// An open directory.
package struct OpenedDirectory: Sendable {
  package var handle: UInt64
  /// The kernel may keep a copy of what this handle lists, and list from the copy it has.
  package var isCached = false
  /// The copy of earlier opens is still what the directory holds.
  package var keepsCache = false
}

/// Bytes of a file: memory that `owner` keeps alive.
package struct FileBytes: @unchecked Sendable {
  // SAFETY: the segments point into memory that `owner` holds and nobody writes to any more.
  package var segments: [UnsafeRawBufferPointer]
  package var owner: (any AnyObject & Sendable)?
}

/// Takes directory entries while a reply fills up.
package protocol DirectoryReceiver: AnyObject, Sendable {
  /// Whether entries with attributes are wanted, each counting as a lookup.
  var wantsAttributes: Bool { get }
  /// Adds an entry with its attributes; the kernel takes a lookup count for it. False when it does not fit.
  func add(name: EntryName, entry: NodeEntry, next: UInt64) -> Bool
  /// Adds a bare name: no lookup is counted. False when it does not fit.
  func add(name: EntryName, inode: UInt64, kind: NodeAttributes.Kind, next: UInt64) -> Bool
}

/// The content of control files, made at open by the daemon that knows it.
package struct ControlContent: Sendable {
  package var read: @Sendable (ControlFile) -> [UInt8]

  package init(read: @escaping @Sendable (ControlFile) -> [UInt8]) {
    self.read = read
  }
}
