// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// An object directory in the tree: where it is, below which directory of which table, and what virtual names it holds.
struct ObjectPlace: Sendable {
  let table: TableState
  let root: TableDirectory
  /// Key ends in `/`, or is empty.
  let directory: ObjectLocation
  /// Only of `metadata/` itself.
  let names: MetadataNames?

  func kind(of item: ObjectPage.Item, in page: ObjectPage) -> Node.Kind {
    switch item {
    case .object(let index, _): .object(table, page.attributes(ofObject: index, in: directory))
    case .directory: directoryKind(String(decoding: page.name(of: item), as: UTF8.self))
    }
  }

  func directoryKind(_ name: String) -> Node.Kind {
    .objectDirectory(table, root, directory.appending(name).asDirectoryAlways)
  }
}
