// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import ObjectCache

extension CatalogFilesystem {
  /// Where `current.metadata.json` points: a name in the same directory.
  package func readlink(inode: UInt64) async throws(FilesystemError) -> [UInt8] {
    let node = try node(inode)
    if case .view(_, .link(let target, _)) = node.kind { return Array(target.utf8) }
    guard case .currentLink(let table) = node.kind else { throw FilesystemError(.invalid) }
    let layout = try await table.layout()
    if let failure = layout.failure { throw failure }
    guard let names = layout.names else { throw .notFound }
    return names.shownCurrent(codec).bytes
  }

  /// Opens a file. An object's handle is bound to the version the inode stands for; only what is staged can be opened for writing.
  ///
  /// - Parameters:
  ///   - flags: as open(2) has them.
  ///   - thread: of the caller; 0 if it is the kernel itself.
  package func open(inode: UInt64, flags: Int32 = O_RDONLY, thread: Int32 = 0) async throws(FilesystemError) -> OpenedFile {
    let node = try node(inode)
    if flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0 { try checkWritable(node) }
    switch node.kind {
    case .staged(let file): return try await openStaged(file, flags: flags, thread: thread)
    case .object(let table, let object):
      inodes.opened(inode)
      let reader = ObjectReader(object: object, fileIO: table.fileIO, cache: cache, tuning: options.tuning)
      return OpenedFile(handle: handles.insert(.object(reader, .init(node: node))), isDirect: false)
    case .versionHint(_, let text):
      return OpenedFile(handle: handles.insert(.content(ContentBuffer(Array(text.utf8)))), isDirect: false)
    case .control(let file):
      if file == .refresh { refresh() }
      return OpenedFile(handle: handles.insert(.content(ContentBuffer(control.read(file)))), isDirect: true)
    case .locationText(_, let text):
      return OpenedFile(handle: handles.insert(.content(ContentBuffer(Array(text.utf8)))), isDirect: false)
    case .snapshotFile(let table, let object):
      inodes.opened(inode)
      return openSnapshotFile(object, of: table, node)
    case .view(let table, let entry): return try await openView(entry, of: table)
    case .root, .namespace, .table, .tableDirectory, .objectDirectory, .controlDirectory, .viewsDirectory:
      throw FilesystemError(.isDirectory)
    case .currentLink: throw FilesystemError(.invalid)
    }
  }

  private func checkWritable(_ node: Node) throws(FilesystemError) {
    _ = try writable()
    try checkNoView(node)
    switch node.kind {
    case .staged: return
    case .control(let file) where file == .refresh: return
    case .object:
      // Tools that follow `current.metadata.json` end here.
      let isMetadata = if case .tableDirectory(_, .metadata)? = node.parent?.kind { true } else { false }
      let advice = isMetadata ? "copy into metadata/ first, then mv" : "write a new file"
      throw FilesystemError(.notPermitted, "\(node.path) is published and cannot change any more: \(advice)")
    case .currentLink, .versionHint:
      throw FilesystemError(.notPermitted, "\(node.path) is shown by the mount itself: copy into metadata/ first, then mv")
    case .control: throw FilesystemError(.notPermitted, "\(node.path): control files are the daemon's own")
    case .root, .namespace, .table, .tableDirectory, .objectDirectory, .controlDirectory, .viewsDirectory, .locationText, .snapshotFile,
      .view:
      throw FilesystemError(.isDirectory)
    }
  }

  /// Throws `readOnly` for `.iceberg` and what is below it.
  ///
  /// - Parameter path: of what is to be changed in the directory; nil if it is the node itself.
  func checkNoView(_ node: Node, _ path: @autoclosure () -> String? = nil) throws(FilesystemError) {
    if node.isView { throw FilesystemError(.readOnly, "\(path() ?? node.path): views cannot be written") }
  }

  /// At most `size` bytes from `offset`; fewer only at the end. What is cached comes back without suspending.
  package func read(handle: UInt64, offset: Int64, size: Int) async throws(FilesystemError) -> FileBytes {
    switch handles[handle] {
    case .object(let reader, _):
      do throws(FileIOError) {
        let bytes = try await reader.read(offset: offset, size: size)
        return FileBytes(segments: bytes.segments, owner: bytes.owner)
      } catch {
        // A version that is gone is as stale as one that was replaced: the handle's bytes cannot be had any more.
        throw error.code == .notFound ? FilesystemError(.stale, error.message, requestID: error.requestID) : FilesystemError(error)
      }
    case .snapshotFile(let reader, _): return try await reader.read(offset: offset, size: size)
    case .stream(let stream, let isWhole): return try await stream.read(offset: offset, size: size, isWhole: isWhole)
    case .content(let buffer): return buffer.slice(offset: offset, size: size)
    case .staged(let staged): return try await read(staged.file, offset: offset, size: size)
    case .directory: throw FilesystemError(.isDirectory)
    case nil: throw FilesystemError(.badHandle)
    }
  }

  private func read(_ file: StagedFile, offset: Int64, size: Int) async throws(FilesystemError) -> FileBytes {
    let end = min(file.size, offset + Int64(size))
    guard offset >= 0, offset < end else { return FileBytes(segments: [], owner: nil) }
    let bytes =
      switch file.content {
      case .local(let local): try local.read(offset..<end)
      case .upload(let upload): try await upload.read(offset..<end)
      }
    return ContentBuffer(bytes).slice(offset: 0, size: bytes.count)
  }

  /// Closes a file or directory handle.
  package func release(handle: UInt64) {
    let isLargeListing: Bool
    switch handles.remove(handle) {
    case .object(let reader, _):
      reader.close()
      return
    case .directory(let directory):
      directory.shown?.close()
      isLargeListing = directory.rowCount > Self.largeListing
    case .staged(let staged): return released(staged)
    case .snapshotFile(let reader, _):
      reader.close()
      return
    case .content, .stream, nil: return
    }
    // Only now nobody else holds the listing.
    if isLargeListing {
      objectListings.trim()
      namespaceListings.trim()
    }
  }

  /// Rows of a listing (1 MB and more) after whose last use the cache is looked through for what is over its limits.
  private static var largeListing: Int { 10_000 }
}
