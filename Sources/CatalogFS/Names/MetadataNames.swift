// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The names in `metadata/` that no object stands behind: the link to the current file, the version hint, and the `v<N>` aliases.
struct MetadataNames: Sendable {
  static let currentLink = EntryName("current.metadata.json")
  static let versionHint = EntryName("version-hint.text")

  /// What `version-hint.text` holds.
  let hint: String
  /// The current file, when it does not lie in the metadata directory: then it is shown there all the same.
  let pointerOutside: ObjectLocation?
  /// Alias name → location, for every numbered file of the chain.
  private let aliases: [String: String]

  init(layout: TableLayout, entry: TableEntry?) {
    let current = layout.pointer.fileName
    hint = MetadataFileName(current)?.versionHint ?? current
    pointerOutside = layout.pointer.parent.isSamePlace(as: layout.metadataDirectory) ? nil : layout.pointer
    var aliases: [String: String] = [:]
    if MetadataFileName(current)?.alias != nil {
      let chain = (layout.metadata?.metadataLog.map(\.file) ?? []) + [entry?.metadataLocation ?? layout.pointer.description]
      for location in chain {
        if let alias = MetadataFileName(location)?.alias { aliases[alias] = location }
      }
    }
    self.aliases = aliases
  }

  /// The location that a `v<N>` name stands for.
  func alias(_ name: EntryName) -> String? {
    aliases[name.description]
  }

  /// Whether an object of this name has to show with a trailing `%`.
  func reserves(_ name: String, codec: NameCodec) -> Bool {
    let shown = codec.encode(name)
    return shown == Self.currentLink || shown == Self.versionHint || aliases[name] != nil
  }
}
