// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// An implementation of ``FileIO`` with a way to change what it reads.
protocol FileIOFixture: Sendable {
  var files: any FileIO { get }
  /// A bucket that holds the objects of ``ConformanceObjects`` and nothing else.
  var bucket: String { get }
  /// The same objects, reached with a wrong secret.
  var deniedFiles: any FileIO { get }
  /// Writes or replaces objects, all with different contents.
  func put(_ objects: [(key: String, bytes: [UInt8])]) async throws
  func delete(_ keys: [String]) async throws
}

/// What a conforming bucket holds.
enum ConformanceObjects {
  /// Keys with everything that S3 allows and paths, URLs or XML give a meaning to. Below one prefix, so that they can be listed alone.
  static let oddKeys: [String] = [
    "plain.txt", "with space", " leading and trailing ", "percent%20literal", "percent%", "%zz", "%2F", "plus+plus", "ünïcode-日本語-🧊",
    "nfc-\u{e9}", "nfd-e\u{301}", "../up", "a/../b", "a/./b", "a//b", "//double", "trailing/", "new\nline", "carriage\rreturn", "tab\t",
    "control-\u{1}", "quest?ion", "ha#sh", "quo\"te'<&>", "semi;colon:comma,", "back\\slash", "tilde~star*(paren)", "at@dollar$equals=",
    String(repeating: "n", count: 255),
  ].map { "odd/" + $0 }

  /// A small tree, for listings by directory.
  static let treeKeys = ["tree/a", "tree/a-b", "tree/a.b", "tree/a/1", "tree/a/2", "tree/b/c/d", "tree/z"]

  /// More keys than one page holds.
  static let manyCount = 2005
  static var manyKeys: [String] {
    (0..<manyCount).map { number in
      let digits = String(number)
      return "many/" + String(repeating: "0", count: 5 - digits.count) + digits
    }
  }

  static let emptyKey = "ranges/empty"
  static let rangeKey = "ranges/object"
  /// Content of ``rangeKey``: no two of its windows are alike.
  static let rangeBytes: [UInt8] = (0..<100_003).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }

  /// Content of an odd or tree key: its own bytes.
  static func bytes(of key: String) -> [UInt8] { Array(key.utf8) }

  static var all: [(key: String, bytes: [UInt8])] {
    (oddKeys + treeKeys).map { ($0, bytes(of: $0)) } + manyKeys.map { ($0, []) } + [(emptyKey, []), (rangeKey, rangeBytes)]
  }
}
