// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogFilesystem {
  /// Attributes of an inode and how long they stay true. Sends no request.
  package func attributes(inode: UInt64) throws(FilesystemError) -> (NodeAttributes, Duration) {
    let node = try node(inode)
    let entry = entry(of: node)
    return (entry.attributes, entry.attributeLifetime)
  }

  func attributes(of node: Node) -> NodeAttributes {
    if let (size, modified) = node.objectFacts { return file(node.inode, size: size, modified: modified) }
    return switch node.kind {
    case .root: directory(node.inode, modified: nil)
    case .controlDirectory: directory(node.inode, modified: nil, isWritable: false)
    case .viewsDirectory(let table): directory(node.inode, modified: table.knownEntry?.modified, isWritable: false)
    case .namespace(let namespace): directory(node.inode, modified: knownNamespace(namespace)?.modified)
    case .table(let table), .tableDirectory(let table, _), .objectDirectory(let table, _, _):
      directory(node.inode, modified: table.knownEntry?.modified)
    case .object(_, let object), .snapshotFile(_, let object):
      file(node.inode, size: object.size, modified: object.modified ?? 0)
    case .view(_, let entry): view(node.inode, entry)
    case .currentLink(let table):
      NodeAttributes(
        inode: node.inode, kind: .symbolicLink, mode: 0o777, size: Int64(table.knownLayout?.names?.shownCurrent(codec).bytes.count ?? 0),
        modified: table.knownEntry?.modified ?? options.mountTime)
    case .versionHint(let table, let text):
      file(node.inode, size: Int64(text.utf8.count), modified: table.knownEntry?.modified ?? options.mountTime)
    case .control: file(node.inode, size: 0, modified: options.mountTime)
    case .locationText(let table, let text):
      file(node.inode, size: Int64(text.utf8.count), modified: table.knownEntry?.modified ?? options.mountTime)
    case .staged(let staged): self.staged(node.inode, staged)
    }
  }

  private func view(_ inode: UInt64, _ entry: ViewEntry) -> NodeAttributes {
    switch entry {
    case .fixed: directory(inode, modified: nil, isWritable: false)
    case .snapshot(let place), .files(let place, _, _, _): directory(inode, modified: place.modified, isWritable: false)
    case .link(let target, let modified):
      NodeAttributes(inode: inode, kind: .symbolicLink, mode: 0o777, size: Int64(target.utf8.count), modified: modified)
    case .summary(let place): file(inode, size: Int64(place.summary.count), modified: place.modified)
    case .document(_, _, let size, let modified): file(inode, size: size, modified: modified)
    // Whoever has it open sees how long it is as soon as that is known.
    case .rows(let rows, let pointer, let size, let modified):
      file(inode, size: size ?? knownSize(rows, pointer: pointer) ?? 0, modified: modified)
    }
  }

  private func staged(_ inode: UInt64, _ staged: StagedFile) -> NodeAttributes {
    let (modified, mode) = staged.withState { ($0.modified, $0.mode) }
    return NodeAttributes(inode: inode, kind: .file, mode: mode, size: staged.size, modified: modified)
  }

  func entry(of node: Node) -> NodeEntry {
    if node.objectFacts != nil {
      return NodeEntry(attributes: attributes(of: node), entryLifetime: options.metadataTTL, attributeLifetime: Self.forever)
    }
    return NodeEntry(
      attributes: attributes(of: node), entryLifetime: entryLifetime(of: node.kind), attributeLifetime: attributeLifetime(of: node.kind))
  }

  /// An object never changes under its inode, so its attributes hold for ever; only its name is asked for again.
  private static let forever = Duration.seconds(365 * 86_400)

  func entryLifetime(of kind: Node.Kind) -> Duration {
    switch kind {
    // After a rename the kernel shows the old entry under the new name, so what stands there must be asked for.
    case .currentLink, .versionHint, .staged, .locationText: .zero
    case .root, .controlDirectory, .control: Self.forever
    case .namespace, .table, .tableDirectory, .objectDirectory, .object, .viewsDirectory, .snapshotFile: options.metadataTTL
    case .view(_, .link), .view(_, .document), .view(_, .rows): .zero
    case .view(_, .fixed), .view(_, .snapshot), .view(_, .files), .view(_, .summary): options.metadataTTL
    }
  }

  func attributeLifetime(of kind: Node.Kind) -> Duration {
    switch kind {
    case .currentLink, .control, .staged: .zero
    case .object, .versionHint, .locationText, .snapshotFile: Self.forever
    case .view(_, .rows(_, _, let size, _)): size == nil ? .zero : Self.forever
    case .view(_, .fixed): options.metadataTTL
    case .view: Self.forever
    case .root, .controlDirectory, .namespace, .table, .tableDirectory, .objectDirectory, .viewsDirectory: options.metadataTTL
    }
  }

  private func directory(_ inode: UInt64, modified: Int64?, isWritable: Bool = true) -> NodeAttributes {
    NodeAttributes(
      inode: inode, kind: .directory, mode: isWritable ? options.directoryMode : options.directoryMode & 0o555, size: 0,
      modified: modified ?? options.mountTime)
  }

  private func file(_ inode: UInt64, size: Int64, modified: Int64) -> NodeAttributes {
    NodeAttributes(inode: inode, kind: .file, mode: options.fileMode, size: size, modified: modified)
  }
}
