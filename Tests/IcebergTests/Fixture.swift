// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file of `Fixtures`, beside this source.
enum Fixture {
  struct Unreadable: Error {
    var path: String
  }

  static func bytes(_ name: String, source: String = #filePath) throws -> [UInt8] {
    let path = "\(source.prefix(upTo: source.lastIndex(of: "/") ?? source.startIndex))/Fixtures/\(name)"
    guard let file = fopen(path, "rb") else { throw Unreadable(path: path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}
