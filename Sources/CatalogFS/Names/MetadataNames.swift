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
  private let currentName: String
  /// Alias name → location, for every numbered file of the chain.
  private let aliases: [String: String]

  /// - Parameters:
  ///   - pointer: the current file.
  ///   - log: the files before it, as its own content names them, so that no name here mixes two states of a table.
  init(pointer: ObjectLocation, metadataDirectory: ObjectLocation, log: [TableMetadataHead.LogEntry]) {
    currentName = pointer.fileName
    hint = MetadataFileName(currentName)?.versionHint ?? currentName
    pointerOutside = pointer.parent.isSamePlace(as: metadataDirectory) ? nil : pointer
    var aliases: [String: String] = [:]
    if MetadataFileName(currentName)?.alias != nil {
      for location in log.map(\.file) + [pointer.description] {
        if let alias = MetadataFileName(location)?.alias { aliases[alias] = location }
      }
    }
    self.aliases = aliases
  }

  /// The name under which the current file shows.
  func shownCurrent(_ codec: NameCodec) -> EntryName {
    codec.encode(currentName, isSecond: isVirtual(currentName))
  }

  /// The location that a `v<N>` name stands for.
  func alias(_ name: EntryName) -> String? {
    aliases[name.description]
  }

  /// Whether an object or a prefix of this name has to show with a trailing `%`.
  func reserves(_ name: String) -> Bool {
    isVirtual(name) || pointerOutside != nil && name.utf8.elementsEqual(currentName.utf8)
  }

  /// Whether an entry name is one that the mount itself shows, or would show for another version.
  func isVirtual(_ name: EntryName, _ codec: NameCodec) -> Bool {
    isVirtual(name.description) || pointerOutside != nil && shownCurrent(codec) == name
  }

  private func isVirtual(_ name: String) -> Bool {
    EntryName(name) == Self.currentLink || EntryName(name) == Self.versionHint || aliases[name] != nil
  }
}
