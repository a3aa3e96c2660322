// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The buckets of a server: first-level folders of its root and the generated ones, joined where both have a name.
///
/// The folders are looked at once, at the start; the files in them whenever asked.
package struct Buckets: Sendable {
  private var byName: [String: Bucket] = [:]

  package var names: [String] { byName.keys.sorted() }

  package subscript(_ name: String) -> Bucket? { byName[name] }

  /// Opens the folders of `options.root` and generates the synthetic objects, among them the metadata file of every table.
  package init(_ options: ServerOptions, born: Int) throws(SystemFailure) {
    if let root = options.root { try addFolders(of: root) }
    var generated: [String: SyntheticSource] = [:]
    for object in options.synthetic {
      try generated[object.bucket, default: SyntheticSource(born: born)].addGenerated(key: object.key, size: object.number)
    }
    for set in options.syntheticMany {
      generated[set.bucket, default: SyntheticSource(born: born)].addMany(prefix: set.key, count: set.number, directories: set.directories)
    }
    for table in options.tables {
      guard let place = CatalogTable.split(table.metadataLocation) else { continue }
      let bytes = table.metadata(updated: born).serialized
      generated[place.bucket, default: SyntheticSource(born: born)].add(key: place.key, bytes: bytes)
    }
    for (name, var source) in generated {
      source.seal()
      byName[name, default: Bucket(sources: [])].sources.append(source)
    }
    for name in options.writableBuckets {
      let written = WrittenObjects()
      byName[name, default: Bucket(sources: [])].sources.insert(written, at: 0)
      byName[name]?.written = written
    }
  }

  private mutating func addFolders(of root: String) throws(SystemFailure) {
    guard let directory = opendir(root) else { throw SystemFailure("open \(root)") }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      let name = String(decoding: bytes, as: UTF8.self)
      var status = stat()
      guard !name.hasPrefix("."), stat("\(root)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
      byName[name] = Bucket(sources: [FolderSource(root: "\(root)/\(name)")])
    }
  }
}
