// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// One directory of the files of a snapshot: names and what they stand for.
///
/// Where one name is wanted twice, the directory keeps it, and the file gets a trailing `%`; `external` at the top is that of files elsewhere.
struct ViewFilesDirectory: Sendable {
  let files: PlacedFiles
  let place: SnapshotPlace
  let side: SnapshotSide
  /// Ends in `/`, or is empty.
  let path: [UInt8]
  let isOutside: Bool
  let table: TableState

  private var tree: FileTree { isOutside ? files.outside : files.inside }
  private var holdsExternal: Bool { !isOutside && path.isEmpty && !files.outside.isEmpty }

  /// What a name stands for; nil if there is nothing of it.
  func find(_ name: EntryName, _ codec: NameCodec) -> Node.Kind? {
    switch codec.decode(name) {
    case .impossible: return nil
    case .digest:
      var found: Node.Kind?
      forEach(from: 0, codec) { shown, kind, _ in
        if shown == name { found = kind }
        return found == nil
      }
      return found
    case .name(let text, let isSecond):
      if text == PlacedFiles.outsideName, holdsExternal, !isSecond { return external }
      let whole = path + Array(text.utf8)
      let isReserved = text == PlacedFiles.outsideName && holdsExternal
      if isReserved == isSecond, tree.holdsDirectory(whole + [UInt8(ascii: "/")]) { return directory(whole + [UInt8(ascii: "/")]) }
      guard let file = tree.find(whole), (isReserved || tree.isClash(whole)) == isSecond else { return nil }
      return self.file(whole, file)
    }
  }

  /// Calls the body with each name until it returns false.
  ///
  /// - Parameters:
  ///   - start: 0, or what the body was given.
  ///   - body: gets the name, what it stands for, and where to go on after it.
  func forEach(from start: Int, _ codec: NameCodec, _ body: (EntryName, Node.Kind, Int) -> Bool) {
    if start == 0, holdsExternal, !body(EntryName(PlacedFiles.outsideName), external, 1) { return }
    let tree = tree
    tree.forEachChild(of: path, from: max(0, start - 1)) { child, next in
      switch child {
      case .directory(let name):
        let isSecond = holdsExternal && name.elementsEqual(PlacedFiles.outsideName.utf8)
        return body(codec.encode(Array(name), isSecond: isSecond), directory(path + name + [UInt8(ascii: "/")]), next + 1)
      case .file(let name, let file):
        let whole = path + name
        let isReserved = holdsExternal && name.elementsEqual(PlacedFiles.outsideName.utf8)
        return body(codec.encode(Array(name), isSecond: isReserved || tree.isClash(whole)), self.file(whole, file), next + 1)
      }
    }
  }

  private var external: Node.Kind { .view(table, .files(place, side, path: [], isOutside: true)) }

  private func directory(_ path: [UInt8]) -> Node.Kind { .view(table, .files(place, side, path: path, isOutside: isOutside)) }

  private func file(_ path: [UInt8], _ file: SnapshotFile) -> Node.Kind {
    let text = String(decoding: path, as: UTF8.self)
    var location = side == .manifests ? place.metadataDirectory : place.dataDirectory
    if isOutside {
      let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
      location.bucket = String(text[..<slash])
      location.key = slash == text.endIndex ? "" : String(Substring(text.utf8[text.utf8.index(after: slash)...]))
    } else {
      location.key += text
    }
    return .snapshotFile(
      table, ObjectAttributes(location: location, size: file.size, etag: "", modified: place.times.modified(file)))
  }
}
