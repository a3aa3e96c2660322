// SPDX-License-Identifier: Apache-2.0

/// The flags of renameat2(2); the raw values are the kernel's. Unknown ones (RENAME_WHITEOUT) are refused by the bridge with EINVAL.
package struct FuseRenameFlags: OptionSet, Sendable, Hashable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// RENAME_NOREPLACE: EEXIST if the new name exists.
  package static let noReplace = FuseRenameFlags(rawValue: 1)
  /// RENAME_EXCHANGE: both names exist and change places.
  package static let exchange = FuseRenameFlags(rawValue: 2)
}
