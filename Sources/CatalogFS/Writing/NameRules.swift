// SPDX-License-Identifier: Apache-2.0

package import Iceberg

/// What a new file is, by its name alone.
package enum FileRole: Sendable, Hashable {
  /// Local, never uploaded.
  case scratch
  /// A metadata file whose publishing is a commit.
  case fullForm(MetadataFileName)
  /// An object, published when its writer closes it.
  case object
  /// A temporary of rsync: uploaded to `to` while it is written, completed by the rename onto it.
  case renamed(to: EntryName)
  /// EINVAL, with this sentence.
  case refused(String)
}

/// Tells what a new file is to become. Source: spec/kernel.md (tools).
package enum NameRules {
  package enum Directory: Sendable, Hashable {
    case metadata, data, belowData
  }

  package static func role(of name: EntryName, in directory: Directory, isExclusive: Bool) -> FileRole { .scratch }
}
