// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The two places of a table where objects lie.
package enum TableDirectory: String, Sendable, Hashable, CaseIterable {
  case metadata
  case data
}

/// Files that the daemon itself answers, under `.bergfs`.
package enum ControlFile: String, Sendable, Hashable, CaseIterable {
  case status = "status.json"
  case metrics
  case errors = "errors.jsonl"
  case configuration = "config.json"
  case refresh
}

/// One file or directory that the kernel knows.
///
/// Immutable: what changes (a table's pointer, a listing) lives in the states it refers to. Freed when the kernel forgets it.
final class Node: Sendable {
  /// What makes a node the same node again; the inode number comes from it.
  enum Identity: Hashable, Sendable {
    case root
    case namespace(Namespace)
    case table(TableKey)
    case tableDirectory(TableKey, TableDirectory)
    case objectDirectory(TableKey, TableDirectory, ObjectLocation)
    case object(TableKey, ObjectLocation, version: String)
    case currentLink(TableKey)
    case versionHint(TableKey, pointer: String)
    case controlDirectory
    case control(ControlFile)
    case viewsDirectory(TableKey)
    case locationText(TableKey, text: String)
    /// Whatever snapshots show it.
    case snapshotFile(TableKey, ObjectLocation, version: String)
    case view(TableKey, String)
    case staged(UInt64)
  }

  enum Kind: Sendable {
    case root
    case namespace(Namespace)
    case table(TableState)
    case tableDirectory(TableState, TableDirectory)
    /// A prefix below one of the two directories; its key ends in `/`. A place below both is two nodes: a directory has one parent.
    case objectDirectory(TableState, TableDirectory, ObjectLocation)
    case object(TableState, ObjectAttributes)
    case currentLink(TableState)
    case versionHint(TableState, text: String)
    case controlDirectory
    case control(ControlFile)
    /// `.iceberg` of a table.
    case viewsDirectory(TableState)
    /// `.iceberg/location.txt`: where the table is, or will be.
    case locationText(TableState, text: String)
    /// A file as a snapshot names it: an object without an etag, as old as the snapshot that added it.
    case snapshotFile(TableState, ObjectAttributes)
    /// What else is below `.iceberg`.
    case view(TableState, ViewEntry)
    /// A file that only this mount has.
    case staged(StagedFile)
  }

  /// What is not an object.
  private final class Plain: Sendable {
    let kind: Kind
    let name: EntryName
    let shown: ShownListing?

    init(kind: Kind, name: EntryName) {
      self.kind = kind
      self.name = name
      shown =
        switch kind {
        case .namespace, .tableDirectory, .objectDirectory: ShownListing()
        default: nil
        }
    }
  }

  private enum Content: Sendable {
    case plain(Plain)
    case object(ObjectRecord)
  }

  let inode: UInt64
  let parent: Node?
  private let content: Content

  /// - Parameter prefix: of an object; made if it is not given.
  init(kind: Kind, inode: UInt64, parent: Node?, name: EntryName, prefix: ObjectPrefix? = nil) {
    self.inode = inode
    self.parent = parent
    switch kind {
    case .object(let table, let object), .snapshotFile(let table, let object):
      let isOfSnapshot = if case .snapshotFile = kind { true } else { false }
      content = .object(
        ObjectRecord(object, of: table, name: name, prefix: prefix ?? ObjectPrefix(of: object.location), isOfSnapshot: isOfSnapshot))
    default: content = .plain(Plain(kind: kind, name: name))
    }
  }

  /// Made anew each time for an object.
  var kind: Kind {
    switch content {
    case .plain(let plain): plain.kind
    case .object(let record): record.isOfSnapshot ? .snapshotFile(record.table, record.object) : .object(record.table, record.object)
    }
  }

  var name: EntryName {
    switch content {
    case .plain(let plain): plain.name
    case .object(let record): record.name
    }
  }

  /// The table that it belongs to.
  var table: TableState? {
    switch content {
    case .plain(let plain): plain.kind.table
    case .object(let record): record.table
    }
  }

  /// Size in bytes and nanoseconds since 1970; nil for what is no object.
  var objectFacts: (size: Int64, modified: Int64)? {
    if case .object(let record) = content { (record.size, record.shownModified) } else { nil }
  }

  /// The kernel's copy of a directory's listing; nil for what keeps none.
  var shown: ShownListing? {
    if case .plain(let plain) = content { plain.shown } else { nil }
  }

  /// Whether it is the node of what is given.
  func isSame(as kind: Kind) -> Bool {
    switch (content, kind) {
    case (.object(let record), .object(let table, let object)): !record.isOfSnapshot && record.isSame(as: object, of: table)
    case (.object(let record), .snapshotFile(let table, let object)): record.isOfSnapshot && record.isSame(as: object, of: table)
    case (.object, _), (_, .object), (_, .snapshotFile): false
    case (.plain(let plain), _): plain.kind.identity == kind.identity
    }
  }

  /// The path below the mount point, for messages.
  var path: String {
    guard let parent else { return "/" }
    let head = parent.path
    return head == "/" ? "/\(name)" : "\(head)/\(name)"
  }

  var isDirectory: Bool {
    if objectFacts != nil { return false }
    return switch kind {
    case .root, .namespace, .table, .tableDirectory, .objectDirectory, .controlDirectory, .viewsDirectory: true
    case .view(_, let entry): entry.shownAs == .directory
    case .object, .snapshotFile, .currentLink, .versionHint, .control, .locationText, .staged: false
    }
  }

  /// Whether it is below `.iceberg`, or that itself: nothing there can be written.
  var isView: Bool {
    if case .object(let record) = content { return record.isOfSnapshot }
    return switch kind {
    case .viewsDirectory, .locationText, .view, .snapshotFile: true
    default: false
    }
  }
}

extension Node.Kind {
  /// The table that it belongs to.
  var table: TableState? {
    switch self {
    case .table(let table), .tableDirectory(let table, _), .objectDirectory(let table, _, _), .object(let table, _),
      .currentLink(let table),
      .versionHint(let table, _), .viewsDirectory(let table), .locationText(let table, _), .snapshotFile(let table, _), .view(let table, _):
      table
    case .staged(let file): file.place.table
    case .root, .namespace, .controlDirectory, .control: nil
    }
  }

  var identity: Node.Identity {
    switch self {
    case .root: .root
    case .namespace(let namespace): .namespace(namespace)
    case .table(let table): .table(table.key)
    case .tableDirectory(let table, let directory): .tableDirectory(table.key, directory)
    case .objectDirectory(let table, let directory, let location): .objectDirectory(table.key, directory, location)
    case .object(let table, let object): .object(table.key, object.location, version: object.version)
    case .currentLink(let table): .currentLink(table.key)
    case .versionHint(let table, let text): .versionHint(table.key, pointer: text)
    case .controlDirectory: .controlDirectory
    case .control(let file): .control(file)
    case .viewsDirectory(let table): .viewsDirectory(table.key)
    case .locationText(let table, let text): .locationText(table.key, text: text)
    case .snapshotFile(let table, let object): .snapshotFile(table.key, object.location, version: object.version)
    case .view(let table, let entry): .view(table.key, entry.identity)
    case .staged(let file): .staged(file.number)
    }
  }
}

extension ObjectAttributes {
  /// What tells this version of the object from others: the etag, or size and seconds of a server that gives none.
  var version: String {
    etag.isEmpty ? "\(size) \((modified ?? 0) / 1_000_000_000)" : etag
  }
}

extension Node.Identity {
  /// A 64-bit FNV-1a digest, mixed: the same identity gives the same inode number for the life of the mount without a table of all numbers
  /// ever given. Two identities of one number are kept apart by the inode table.
  var preferredInode: UInt64 {
    if case .root = self { return 1 }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ text: String) {
      for byte in text.utf8 {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
      }
      hash = (hash ^ 0xff) &* 0x100_0000_01b3
    }
    func mix(_ table: TableKey) {
      table.identifier.namespace.levels.forEach(mix)
      mix("/")
      mix(table.identifier.name)
      if table.generation > 0 { mix(String(table.generation)) }
    }
    func mix(_ location: ObjectLocation) {
      mix(location.bucket)
      mix(location.key)
    }
    switch self {
    case .root: break
    case .namespace(let namespace):
      mix("namespace")
      namespace.levels.forEach(mix)
    case .table(let table):
      mix("table")
      mix(table)
    case .tableDirectory(let table, let directory):
      mix(directory.rawValue)
      mix(table)
    case .objectDirectory(let table, let directory, let location):
      mix("prefix")
      mix(directory.rawValue)
      mix(table)
      mix(location)
    case .object(let table, let location, let version):
      mix("object")
      mix(table)
      mix(location)
      mix(version)
    case .currentLink(let table):
      mix("current")
      mix(table)
    case .versionHint(let table, let pointer):
      mix("hint")
      mix(table)
      mix(pointer)
    case .controlDirectory: mix("control")
    case .control(let file):
      mix("control")
      mix(file.rawValue)
    case .viewsDirectory(let table):
      mix("views")
      mix(table)
    case .locationText(let table, let text):
      mix("location")
      mix(table)
      mix(text)
    case .snapshotFile(let table, let location, let version):
      mix("snapshot file")
      mix(table)
      mix(location)
      mix(version)
    case .view(let table, let identity):
      mix("view")
      mix(table)
      mix(identity)
    case .staged(let number):
      mix("staged")
      mix(String(number))
    }
    hash ^= hash >> 32
    hash = hash &* 0x9e37_79b9_7f4a_7c15
    hash ^= hash >> 29
    // 0 means "no such entry" and 1 is the root.
    return hash > 1 ? hash : hash &+ 2
  }
}
