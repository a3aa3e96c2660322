// SPDX-License-Identifier: Apache-2.0

/// Names that desktops and shells look for in every directory: answered without a request unless a known listing holds them.
enum ProbeNames {
  static func contains(_ name: EntryName) -> Bool {
    let bytes = name.bytes
    guard let first = bytes.first, first == UInt8(ascii: ".") || first == UInt8(ascii: "a") else { return false }
    return exact.contains(name) || prefixes.contains { bytes.starts(with: $0) }
  }

  private static let exact: Set<EntryName> = [EntryName(".git"), EntryName(".hidden"), EntryName(".DS_Store"), EntryName("autorun.inf")]
  private static let prefixes: [[UInt8]] = [Array(".Trash".utf8), Array("._".utf8)]
}
