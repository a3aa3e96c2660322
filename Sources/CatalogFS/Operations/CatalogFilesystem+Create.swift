// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import ObjectCache

extension CatalogFilesystem {
  /// Makes a file that exists only here until it is published. The inode's lookup count is one higher afterwards.
  ///
  /// - Parameters:
  ///   - mode: permission bits that were asked for: temporaries of sed and rsync are told by them, too.
  ///   - flags: as open(2) has them.
  ///   - thread: of the caller, who becomes the file's opener.
  package func create(
    parent: UInt64, name: [UInt8], mode: UInt16 = 0o644, flags: Int32, thread: Int32
  ) async throws(FilesystemError) -> (NodeEntry, OpenedFile) {
    let writing = try writable()
    let directory = try node(parent)
    let name = EntryName(name)
    let target = try await target(name, in: directory)
    let role = NameRules.role(of: name, in: target.depth, isExclusive: flags & O_EXCL != 0, mode: mode)
    if case .refused(let message) = role { throw FilesystemError(.invalid, "\(target.path): \(message)") }
    let place = StagedFile.Place(table: target.table, parent: directory, name: name)
    let content = try content(of: role, at: target, writing)
    let file = StagedFile(number: writes.number(), place: place, role: role, content: content, modified: writing.now())
    if let known = local.insert(file, name, in: directory.kind.identity) {
      guard flags & O_EXCL == 0 else { throw FilesystemError(.exists, "\(target.path) exists already") }
      return try await opened(known, directory: directory, name: name, flags: flags, thread: thread)
    }
    if case .scratch = role { writing.note(target.path, "a scratch file, which stays in this mount and is not uploaded") }
    return try await opened(file, directory: directory, name: name, flags: flags, thread: thread)
  }

  private func opened(
    _ file: StagedFile, directory: Node, name: EntryName, flags: Int32, thread: Int32
  ) async throws(FilesystemError) -> (NodeEntry, OpenedFile) {
    let opened = try await openStaged(file, flags: flags, thread: thread)
    return (reference(.staged(file), parent: directory, name: name), opened)
  }

  /// Opens a staged file: for reading by anyone, for writing by one at a time.
  func openStaged(_ file: StagedFile, flags: Int32, thread: Int32) async throws(FilesystemError) -> OpenedFile {
    let isWriter = flags & O_ACCMODE != O_RDONLY
    if isWriter {
      let writing = try writable()
      try file.beginWriting(opener: writing.processes.process(ofThread: thread))
      if flags & O_TRUNC != 0, file.size > 0 {
        do throws(FilesystemError) {
          try await truncate(file, to: 0, writing)
        } catch {
          file.endWriting()
          throw error
        }
      }
    }
    let isDirect = if case .upload = file.content { true } else { false }
    return OpenedFile(
      handle: handles.insert(.staged(StagedHandle(file: file, isWriter: isWriter))), isDirect: isDirect, isWriter: isWriter,
      keepsCache: false)
  }

  /// Writes all bytes or fails. Waits while an upload cannot take more.
  package func write(handle: UInt64, offset: Int64, bytes: [UInt8]) async throws(FilesystemError) {
    guard case .staged(let staged) = handles[handle] else {
      // `echo > .bergfs/refresh`: opening it did it.
      if case .content = handles[handle] { return }
      throw FilesystemError(.badHandle)
    }
    let writing = try writable()
    guard staged.isWriter else { throw FilesystemError(.badHandle) }
    try await staged.file.change(at: writing.now()) { () async throws(FilesystemError) in
      switch staged.file.content {
      case .local(let file): try file.write(bytes, at: offset)
      case .upload(let upload):
        await writes.prepare(writing.beforeFirstWrite)
        try await upload.write(bytes, at: offset)
      }
    }
  }

  /// Takes a range of a published object into a new file by reference; false where the caller must move the bytes.
  package func copyRange(
    from source: UInt64, at sourceOffset: Int64, to destination: UInt64, at offset: Int64, count: Int
  ) async throws(FilesystemError) -> Int {
    let writing = try writable()
    guard case .staged(let staged) = handles[destination], staged.isWriter else { throw FilesystemError(.badHandle) }
    guard case .object(let reader, _) = handles[source], case .upload(let upload) = staged.file.content, sourceOffset == offset,
      let files = reader.fileIO as? any WritableFileIO
    else { throw FilesystemError(.notSupported) }
    let object = reader.object
    let end = min(sourceOffset + Int64(count), object.size)
    guard sourceOffset < end else { return 0 }
    var isTaken = false
    try await staged.file.change(at: writing.now()) { () async throws(FilesystemError) in
      isTaken = try await upload.copy(of: object, sourceFiles: files, range: sourceOffset..<end, at: offset)
    }
    guard isTaken else { throw FilesystemError(.notSupported) }
    return Int(end - sourceOffset)
  }

  /// What chmod, chown, utimens and truncate do. What is published takes mode, owner and times without effect, as programs set them after
  /// the close.
  package func setAttributes(
    inode: UInt64, mode: UInt16?, size: Int64?, modified: Int64?
  ) async throws(FilesystemError) -> (NodeAttributes, Duration) {
    let writing = try writable()
    let node = try node(inode)
    try checkNoView(node)
    if let mode, mode & 0o6000 != 0 {
      throw FilesystemError(.notPermitted, "\(node.path): setuid and setgid bits cannot be kept")
    }
    switch node.kind {
    case .staged(let file):
      if let size, size != file.size { try await truncate(file, to: size, writing) }
      file.withState { state in
        if let mode { state.mode = mode & 0o777 }
        if let modified { state.modified = modified }
      }
    case .currentLink, .versionHint:
      throw FilesystemError(.notPermitted, "\(node.path) is shown by the mount itself: it cannot be changed")
    case .object:
      if size != nil { throw FilesystemError(.notPermitted, "\(node.path) is published and cannot change any more: write a new file") }
    case .control:
      break
    case .root, .namespace, .table, .tableDirectory, .objectDirectory, .controlDirectory, .viewsDirectory, .locationText, .snapshotFile,
      .view:
      break
    }
    return (attributes(of: node), attributeLifetime(of: node.kind))
  }

  private func truncate(_ file: StagedFile, to size: Int64, _ writing: CatalogWriting) async throws(FilesystemError) {
    try await file.change(at: writing.now()) { () async throws(FilesystemError) in
      switch file.content {
      case .local(let local): try local.truncate(to: size)
      case .upload(let upload): try await upload.truncate(to: size)
      }
    }
    if size == 0 { file.withState { $0.incomplete = nil } }
  }

  // MARK: Places

  /// A name in `metadata/` or below `data/`.
  struct Target: Sendable {
    var table: TableState
    var root: TableDirectory
    /// Key ends in `/`.
    var directory: ObjectLocation
    var depth: NameRules.Directory
    /// The name behind the entry name.
    var text: String
    var path: String

    var location: ObjectLocation { directory.appending(text) }
  }

  func writable() throws(FilesystemError) -> CatalogWriting {
    guard let writing else { throw FilesystemError(.readOnly, "the mount is read-only: mount it again without --read-only") }
    return writing
  }

  /// Where a new file of this name goes. Throws `notPermitted` where no file can be, `invalid` for a name that cannot be kept.
  func target(_ name: EntryName, in directory: Node) async throws(FilesystemError) -> Target {
    let path = childPath(directory, name)
    try checkNoView(directory, path)
    let (table, root, place, names): (TableState, TableDirectory, ObjectLocation, MetadataNames?)
    switch directory.kind {
    case .tableDirectory(let state, let which):
      let layout = try await state.layout()
      (table, root, place, names) = (state, which, try layout.directory(which), which == .metadata ? layout.names : nil)
    case .objectDirectory(let state, let which, let location):
      (table, root, place, names) = (state, which, location, nil)
    case .root, .namespace, .table:
      throw FilesystemError(.notPermitted, "\(path): files are in the metadata/ and data/ of a table; mkdir makes namespaces and tables")
    case .controlDirectory: throw FilesystemError(.notPermitted, "\(path): control files are the daemon's own")
    case .object, .currentLink, .versionHint, .control, .viewsDirectory, .locationText, .snapshotFile, .view, .staged:
      throw FilesystemError(.notDirectory)
    }
    if let names, names.isVirtual(name, codec) {
      throw FilesystemError(.notPermitted, "\(path) is shown by the mount itself: copy into metadata/ first, then mv")
    }
    guard name.bytes.count <= NameCodec.longest, case .name(let text, false) = codec.decode(name) else {
      throw FilesystemError(.invalid, "\(path): a name that ends in `%`, is no UTF-8 or holds a false escape cannot be a key's")
    }
    let depth: NameRules.Directory =
      switch (directory.kind, root) {
      case (.tableDirectory, .metadata): .metadata
      case (.tableDirectory, .data): .data
      default: .belowData
      }
    return Target(table: table, root: root, directory: place, depth: depth, text: text, path: path)
  }

  private func content(of role: FileRole, at target: Target, _ writing: CatalogWriting) throws(FilesystemError) -> StagedFile.Content {
    let location: ObjectLocation
    switch role {
    case .object: location = target.location
    case .renamed(let name):
      guard case .name(let text, false) = codec.decode(name) else { return .local(try writing.staging.makeFile()) }
      location = target.directory.appending(text)
    case .scratch, .fullForm, .refused: return .local(try writing.staging.makeFile())
    }
    return .upload(try upload(to: location, of: target.table, writing))
  }

  private func upload(to location: ObjectLocation, of table: TableState, _ writing: CatalogWriting) throws(FilesystemError) -> UploadingFile
  {
    UploadingFile(
      location: location, files: try table.writableFiles(), staging: writing.staging,
      options: WriteOptions(table: table.identifier, journal: writing.journal))
  }
}

/// An open staged file.
final class StagedHandle: Sendable {
  let file: StagedFile
  let isWriter: Bool

  init(file: StagedFile, isWriter: Bool) {
    self.file = file
    self.isWriter = isWriter
  }
}
