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
  /// A temporary of rsync: uploaded to `to` while it is written, completed by the rename onto it. `to` is an object.
  case renamed(to: EntryName)
  /// EINVAL, with this sentence.
  case refused(String)
}

/// Tells what a new file is to become. Virtual names and what the catalog's tree reserves are for the caller.
///
/// Source: docs/semantics.md "Writing"; spec/kernel.md (tools), spec/table-metadata.md §5.
package enum NameRules {
  /// Where a name stands.
  package enum Directory: Sendable, Hashable {
    case metadata, data, belowData
  }

  /// - Parameters:
  ///   - name: as the kernel has it; the name of an object must be UTF-8, as keys are.
  ///   - isExclusive: created with O_EXCL, as tools do with the temporaries whose names say little. For a name that a file is renamed
  ///     to: false.
  ///   - mode: permission bits it is created with, nil if not known. sed and rsync make theirs for nobody else (mkstemp), by which they
  ///     are told from a copy: cp creates exclusively, too, and `sediment1` is a name that sed could have made up.
  package static func role(of name: EntryName, in directory: Directory, isExclusive: Bool, mode: UInt16? = nil) -> FileRole {
    let bytes = name.bytes
    if isExclusive, bytes.elementsEqual("4913".utf8) { return .scratch }
    if isExclusive, (mode ?? 0) & 0o077 == 0 {
      // What rsync's file will be is what its temporary is: but scratch needs no upload before the rename either.
      if let target = rsyncTarget(bytes) {
        switch role(of: EntryName(target), in: directory, isExclusive: false) {
        case .object: return .renamed(to: EntryName(target))
        case .refused(let sentence): return .refused(sentence)
        case .scratch, .fullForm, .renamed: return .scratch
        }
      }
      if isSedName(bytes) { return .scratch }
    }
    if isTemporary(bytes) { return .scratch }
    if directory == .metadata {
      if holds(metadataSuffix, bytes) { return metadataFile(bytes) }
      if !icebergSuffixes.contains(where: { hasSuffix($0, bytes) }) { return .scratch }
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      return .refused("'\(name)' is no UTF-8, as the keys of objects have to be: rename the file")
    }
    return .object
  }

  private static let metadataSuffix = Array(".metadata.json".utf8)
  /// What Iceberg keeps beside metadata files: manifests and manifest lists, statistics and deletion vectors, and the statistics of
  /// partitions, which have the format of the table's files.
  private static let icebergSuffixes = [".avro", ".stats", ".puffin", ".parquet", ".orc"].map { Array($0.utf8) }
  /// What editors, browsers and copying tools give to files that are not there yet or no longer. vim's second and third swap files are
  /// `.swo` and `.swx`.
  private static let temporarySuffixes = ["~", ".swp", ".swo", ".swx", ".tmp", ".part"].map { Array($0.utf8) }
  /// Bytes: rsync cuts a name, at a character, so that its temporary fits in 255; then the name behind it is not known.
  private static let shortestCutTemporary = 252

  private static func isTemporary(_ name: [UInt8]) -> Bool {
    name.first == UInt8(ascii: ".") || temporarySuffixes.contains { hasSuffix($0, name) }
  }

  /// `sed` and the six characters of mkostemp, as `sed -i` has it.
  private static func isSedName(_ name: [UInt8]) -> Bool {
    name.count == 9 && name.starts(with: "sed".utf8) && name[3...].allSatisfy(isAlphanumeric)
  }

  /// The name behind `.name.XXXXXX`, as rsync makes it by mkstemp.
  private static func rsyncTarget(_ name: [UInt8]) -> [UInt8]? {
    guard name.count > 8, name.count < shortestCutTemporary, name[0] == UInt8(ascii: "."), name[name.count - 7] == UInt8(ascii: "."),
      name.suffix(6).allSatisfy(isAlphanumeric)
    else { return nil }
    return Array(name[1..<(name.count - 7)])
  }

  /// A name with `.metadata.json` in it: `NNNNN-<uuid>.metadata.json` or `….gz.metadata.json`, which every reader takes, or nothing.
  private static func metadataFile(_ name: [UInt8]) -> FileRole {
    let text = String(decoding: name, as: UTF8.self)
    guard isFullForm(name), let file = MetadataFileName(text) else {
      return .refused(
        "'\(text)' is no name of a metadata file: call it NNNNN-<uuid>.metadata.json (five digits, a UUID), or NNNNN-<uuid>.gz.metadata.json"
          + " if it is compressed; a draft needs another ending, as .json or .tmp")
    }
    return .fullForm(file)
  }

  private static func isFullForm(_ name: [UInt8]) -> Bool {
    let digits = name.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    let rest = name.dropFirst(digits.count)
    guard digits.count == 5 || digits.count > 5 && digits.first != UInt8(ascii: "0"),
      Int32(String(decoding: digits, as: UTF8.self)) != nil, rest.first == UInt8(ascii: "-")
    else { return false }
    let uuid = rest.dropFirst().prefix(36)
    let suffix = Array(rest.dropFirst(37))
    return isUUID(uuid) && (suffix == metadataSuffix || suffix == Array(".gz".utf8) + metadataSuffix)
  }

  private static func isUUID(_ text: ArraySlice<UInt8>) -> Bool {
    let groups = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.allSatisfy { $0.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit } }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: false
    }
  }

  private static func hasSuffix(_ suffix: [UInt8], _ name: [UInt8]) -> Bool {
    name.suffix(suffix.count).elementsEqual(suffix)
  }

  private static func holds(_ part: [UInt8], _ name: [UInt8]) -> Bool {
    name.indices.contains { name[$0...].starts(with: part) }
  }
}
