// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import TestSupport

/// A table's past as PyIceberg wrote it: metadata files in order, and the objects they name.
struct CommitHistory {
  var metadata: [(location: String, bytes: [UInt8])] = []
  let files = InMemoryFileIO(buckets: ["lake"])

  init(_ name: String) throws {
    let index = String(decoding: try Fixture.bytes("\(name)/index.txt"), as: UTF8.self)
    for line in index.split(separator: "\n") {
      let parts = line.split(separator: " ")
      let location = String(parts[1])
      let file = "\(name)/\(location.split(separator: "/").last ?? "")"
      switch parts[0] {
      case "metadata": metadata.append((location, try Fixture.bytes(file)))
      case "list": files.put(try files.location(location), try Fixture.bytes(file))
      default: files.put(try files.location(location), Array(repeating: 0, count: Int(parts[2]) ?? 0))
      }
    }
  }

  func base(_ index: Int) throws -> SuccessorCheck.Base {
    let (location, bytes) = metadata[index]
    return .init(location: location, metadata: try TableMetadata(parsing: bytes, fileName: location))
  }
}
