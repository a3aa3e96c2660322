// SPDX-License-Identifier: Apache-2.0

import Iceberg
import ObjectCache

extension CatalogFilesystem {
  /// Where `current.metadata.json` points: a name in the same directory.
  package func readlink(inode: UInt64) async throws(FilesystemError) -> [UInt8] {
    let node = try node(inode)
    guard case .currentLink(let table) = node.kind else { throw FilesystemError(.invalid) }
    let layout = try await table.layout()
    if let failure = layout.failure { throw failure }
    return layout.names.shownCurrent(codec).bytes
  }

  /// Opens a file for reading. An object's handle is bound to the version the inode stands for.
  package func open(inode: UInt64) async throws(FilesystemError) -> OpenedFile {
    let node = try node(inode)
    switch node.kind {
    case .object(let table, let object):
      let reader = ObjectReader(object: object, fileIO: table.fileIO, cache: cache)
      return OpenedFile(handle: handles.insert(.object(reader)), isDirect: false)
    case .versionHint(_, let text):
      return OpenedFile(handle: handles.insert(.content(ContentBuffer(Array(text.utf8)))), isDirect: false)
    case .control(let file):
      if file == .refresh { refresh() }
      return OpenedFile(handle: handles.insert(.content(ContentBuffer(control.read(file)))), isDirect: true)
    case .root, .namespace, .table, .tableDirectory, .objectDirectory, .controlDirectory: throw FilesystemError(.isDirectory)
    case .currentLink: throw FilesystemError(.invalid)
    }
  }

  /// At most `size` bytes from `offset`; fewer only at the end. What is cached comes back without suspending.
  package func read(handle: UInt64, offset: Int64, size: Int) async throws(FilesystemError) -> FileBytes {
    switch handles[handle] {
    case .object(let reader):
      do throws(FileIOError) {
        let bytes = try await reader.read(offset: offset, size: size)
        return FileBytes(segments: bytes.segments, owner: bytes.owner)
      } catch {
        // A version that is gone is as stale as one that was replaced: the handle's bytes cannot be had any more.
        throw error.code == .notFound ? FilesystemError(.stale, error.message, requestID: error.requestID) : FilesystemError(error)
      }
    case .content(let buffer): return buffer.slice(offset: offset, size: size)
    case .directory: throw FilesystemError(.isDirectory)
    case nil: throw FilesystemError(.badHandle)
    }
  }

  /// Closes a file or directory handle.
  package func release(handle: UInt64) {
    let isLargeListing: Bool
    switch handles.remove(handle) {
    case .object(let reader):
      reader.close()
      return
    case .directory(let directory): isLargeListing = directory.rowCount > Self.largeListing
    case .content, nil: return
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
