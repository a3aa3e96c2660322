// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogFilesystem {
  /// Gives a staged file another name, which may publish or commit it; or a table.
  ///
  /// - Parameter isExchange: of renameat2; never possible here.
  package func rename(
    parent: UInt64, name: [UInt8], newParent: UInt64, newName: [UInt8], isExchange: Bool
  ) async throws(FilesystemError) {
    let writing = try writable()
    let (from, to) = (try node(parent), try node(newParent))
    let (old, new) = (EntryName(name), EntryName(newName))
    try checkNoView(from, childPath(from, old))
    try checkNoView(to, childPath(to, new))
    guard !isExchange else { throw FilesystemError(.invalid, "two names cannot be exchanged here") }
    if from.isNamespaceLike { return try await renameInCatalog(old, in: from, to: new, in: to, writing) }
    switch local.entry(old, in: from.kind.identity) {
    case .file(let file): try await rename(file, to: new, in: to, writing)
    case .directory: throw directoryRefusal(from, old)
    case .published, .removed, .pendingTable, nil:
      let entry = try await lookup(parent: parent, name: name)
      defer { forget(inode: entry.attributes.inode, count: 1) }
      switch try node(entry.attributes.inode).kind {
      case .currentLink, .versionHint:
        throw FilesystemError(.notPermitted, "\(childPath(from, old)) is shown by the mount itself: copy into metadata/ first, then mv")
      default: break
      }
      guard entry.attributes.kind == .file else { throw directoryRefusal(from, old) }
      throw FilesystemError(
        .notPermitted, "\(childPath(from, old)) is published and keeps its name: copy it under the new name, then remove the old one")
    }
  }

  private func directoryRefusal(_ parent: Node, _ name: EntryName) -> FilesystemError {
    FilesystemError(.notPermitted, "\(childPath(parent, name)) cannot be renamed: make the new directory and copy into it")
  }

  func childPath(_ parent: Node, _ name: EntryName) -> String {
    parent.path == "/" ? "/\(name)" : "\(parent.path)/\(name)"
  }

  // MARK: Files

  private func rename(_ file: StagedFile, to name: EntryName, in directory: Node, _ writing: CatalogWriting) async throws(FilesystemError) {
    if case .tableDirectory(let table, .metadata) = directory.kind, name == MetadataNames.currentLink {
      return try await exclusively(file, "rename", writing) { [self] () async throws(FilesystemError) in
        try await commitEditedForm(of: file, to: table, writing)
      }
    }
    let target = try await target(name, in: directory)
    let place = StagedFile.Place(table: target.table, parent: directory, name: name)
    let role = NameRules.role(of: name, in: target.depth, isExclusive: false)
    if case .refused(let message) = role { throw FilesystemError(.invalid, "\(target.path): \(message)") }
    // `sed -i --follow-symlinks` renames onto what the link points to.
    if case .fullForm = role, case .tableDirectory(_, .metadata) = directory.kind,
      let names = try await target.table.layout().names, names.shownCurrent(codec) == name
    {
      throw FilesystemError(
        .notPermitted, "\(target.path) is the current metadata and cannot change any more: copy into metadata/ first, then mv")
    }
    if case .file(let other)? = local.entry(name, in: directory.kind.identity) {
      guard other !== file else { return }
      guard !other.withState({ $0.hasWriter }) else {
        throw FilesystemError(.busy, "\(target.path) is being written by another program: wait until it is closed")
      }
    }
    try await exclusively(file, "rename", writing) { [self] () async throws(FilesystemError) in
      switch role {
      case .scratch: try await move(file, to: place, target, writing)
      case .fullForm:
        try await replacing(place, with: file) { () async throws(FilesystemError) in
          try await commitFullForm(of: file, as: place, writing)
        }
      case .object, .renamed:
        try await replacing(place, with: file) { () async throws(FilesystemError) in
          try await complete(file, as: place, target, writing)
        }
      case .refused: break
      }
    }
  }

  /// Publishes under a name, and removes the staged file that stood there.
  private func replacing(
    _ place: StagedFile.Place, with file: StagedFile, _ body: () async throws(FilesystemError) -> Void
  ) async throws(FilesystemError) {
    let other = local.entry(place.name, in: place.parent.kind.identity)
    try await body()
    if case .file(let replaced)? = other, replaced !== file { await discard(replaced) }
  }

  private func move(
    _ file: StagedFile, to place: StagedFile.Place, _ target: Target, _ writing: CatalogWriting
  ) async throws(FilesystemError) {
    guard try await find(target.text, in: target.directory, of: target.table).object == nil else {
      throw FilesystemError(.exists, "\(target.path) exists already and is published: it cannot be replaced")
    }
    let content = StagedFile.Content.local(try await localCopy(of: file, for: target.path, writing))
    let replaced = local.entry(place.name, in: place.parent.kind.identity)
    let (old, former) = (file.place, file.content)
    local.replace(file, old.name, in: old.parent.kind.identity, with: nil)
    local.set(.file(file), place.name, in: place.parent.kind.identity)
    file.withState { state in
      state.place = place
      state.role = .scratch
      state.content = content
    }
    if case .upload(let upload) = former { await upload.abort() }
    if case .file(let other)? = replaced, other !== file { await discard(other) }
  }

  /// Uploads a staged file as the object of this place; one whose upload goes there already is only completed.
  private func complete(
    _ file: StagedFile, as place: StagedFile.Place, _ target: Target, _ writing: CatalogWriting
  ) async throws(FilesystemError) {
    let (content, ending) = file.withState { ($0.content, $0.ending) }
    if case .failed(let error) = ending { throw error }
    try file.checkComplete()
    let object: ObjectAttributes
    switch content {
    case .upload(let upload) where upload.location == target.location:
      object = try await upload.finish()
    case .upload, .local:
      let bytes = try await localCopy(of: file, for: target.path, writing)
      let files = try target.table.writableFiles()
      do throws(FileIOError) {
        object = try await files.create(
          target.location, from: bytes, options: WriteOptions(table: target.table.identifier, journal: writing.journal))
      } catch {
        throw FilesystemError(error)
      }
    }
    if case .upload(let upload) = content, upload.location != target.location { await upload.abort() }
    published(file, as: object, at: place)
  }

  /// The bytes of a file that is to have another name, in the staging directory. Throws `notPermitted` once they are on their way.
  private func localCopy(of file: StagedFile, for path: String, _ writing: CatalogWriting) async throws(FilesystemError) -> StagingFile {
    switch file.content {
    case .local(let bytes): return bytes
    case .upload(let upload):
      let copy = try writing.staging.makeFile()
      let size = upload.size
      var next: Int64 = 0
      do throws(FilesystemError) {
        while next < size {
          let bytes = try await upload.read(next..<min(next + Self.copiedAtOnce, size))
          try copy.write(bytes, at: next)
          next += Int64(bytes.count)
        }
      } catch {
        guard error.code == .busy else { throw error }
        throw FilesystemError(
          .notPermitted, "\(file.path) is on its way to S3 under its own name: remove it, and write \(path) anew")
      }
      return copy
    }
  }

  /// Bytes.
  private static let copiedAtOnce: Int64 = 1 << 20

  /// Takes a staged file's name away and gives up what was uploaded of it.
  func discard(_ file: StagedFile) async {
    let (content, place, isOpen) = file.withState { state -> (StagedFile.Content, StagedFile.Place, Bool) in
      let isOpen = if case .none = state.ending { true } else { false }
      if isOpen { state.ending = .removed }
      return (state.content, state.place, isOpen)
    }
    local.replace(file, place.name, in: place.parent.kind.identity, with: nil)
    guard isOpen, case .upload(let upload) = content, let object = await upload.abort() else { return }
    // Its last part was on its way already: the name is the object's.
    published(file, as: object, at: place)
  }
}

extension Node {
  /// Root and namespaces: what is in them is the catalog's.
  var isNamespaceLike: Bool {
    switch kind {
    case .root, .namespace: true
    default: false
    }
  }
}
