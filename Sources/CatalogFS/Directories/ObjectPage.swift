// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// One page of an object directory in compact form: names, sizes, times and etags side by side in a few buffers (about 120 bytes an object).
struct ObjectPage: Sendable {
  /// A row of the page.
  enum Item: Sendable, Equatable {
    /// Index into the page's objects. `isSecond`: a directory of the same name keeps the plain form.
    case object(Int, isSecond: Bool)
    /// Index into the page's directories.
    case directory(Int)
  }

  private struct Row {
    var nameStart: UInt32
    var nameLength: UInt16
    var etagLength: UInt16
    var size: Int64
    /// The least number stands for none: an optional takes eight bytes more in every row.
    var modified: Int64
  }

  private var bytes: [UInt8] = []
  private var objects: [Row] = []
  private var directories: [Range<UInt32>] = []
  private(set) var items: [Item] = []
  /// Whether names came in byte order, as S3 has it (directory buckets do not), so that a name is found by halving.
  private(set) var isSorted: Bool
  /// The greatest name the server gave with this page, a directory with its `/`; nil on the last page.
  var end: [UInt8]?

  /// - Parameter isOrdered: false for a bucket that lists in no order.
  init(isOrdered: Bool) {
    isSorted = isOrdered
  }

  /// Whether everything of this name, a directory included, would stand on this page or before it.
  func reaches(beyond name: [UInt8]) -> Bool {
    guard isSorted, let end else { return false }
    return !end.lexicographicallyPrecedes(name + [UInt8(ascii: "/")])
  }

  /// Adds an object: its name below the directory.
  mutating func append(object: ObjectAttributes, name: Substring.UTF8View, isSecond: Bool) {
    let start = bytes.count
    bytes.append(contentsOf: name)
    let nameLength = bytes.count - start
    if let previous = objects.indices.last, !objectName(previous).lexicographicallyPrecedes(bytes[start...]) {
      isSorted = false
    }
    bytes.append(contentsOf: object.etag.utf8)
    items.append(.object(objects.count, isSecond: isSecond))
    objects.append(
      Row(
        nameStart: UInt32(clamping: start), nameLength: UInt16(clamping: nameLength),
        etagLength: UInt16(clamping: bytes.count - start - nameLength), size: object.size,
        modified: object.modified ?? .min))
  }

  /// Adds a directory: its name without the trailing `/`.
  mutating func append(directory name: Substring.UTF8View) {
    let start = UInt32(clamping: bytes.count)
    bytes.append(contentsOf: name)
    if let previous = directories.indices.last, !directoryName(previous).lexicographicallyPrecedes(bytes[Int(start)...]) {
      isSorted = false
    }
    items.append(.directory(directories.count))
    directories.append(start..<UInt32(clamping: bytes.count))
  }

  /// The name of a row as the key has it.
  func name(of item: Item) -> ArraySlice<UInt8> {
    switch item {
    case .object(let index, _): objectName(index)
    case .directory(let index): directoryName(index)
    }
  }

  /// The row of the object with this name.
  func object(named name: [UInt8]) -> Int? {
    index(of: name, in: objects.indices, naming: objectName)
  }

  /// Whether a directory of this name is on the page.
  func hasDirectory(named name: [UInt8]) -> Bool {
    index(of: name, in: directories.indices, naming: directoryName) != nil
  }

  private func objectName(_ index: Int) -> ArraySlice<UInt8> {
    let row = objects[index]
    return bytes[Int(row.nameStart)..<Int(row.nameStart) + Int(row.nameLength)]
  }

  private func directoryName(_ index: Int) -> ArraySlice<UInt8> {
    bytes[Int(directories[index].lowerBound)..<Int(directories[index].upperBound)]
  }

  private func index(of name: [UInt8], in indices: Range<Int>, naming: (Int) -> ArraySlice<UInt8>) -> Int? {
    guard isSorted else { return indices.first { naming($0).elementsEqual(name) } }
    var low = indices.lowerBound
    var high = indices.upperBound
    while low < high {
      let middle = low + (high - low) / 2
      if naming(middle).lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    return low < indices.upperBound && naming(low).elementsEqual(name) ? low : nil
  }

  /// The attributes of an object row of this page, in a directory of that bucket and prefix.
  func attributes(ofObject index: Int, in directory: ObjectLocation) -> ObjectAttributes {
    let row = objects[index]
    let nameEnd = Int(row.nameStart) + Int(row.nameLength)
    let name = String(decoding: bytes[Int(row.nameStart)..<nameEnd], as: UTF8.self)
    let etag = String(decoding: bytes[nameEnd..<nameEnd + Int(row.etagLength)], as: UTF8.self)
    var location = directory
    location.key = directory.key + name
    return ObjectAttributes(location: location, size: row.size, etag: etag, modified: row.modified == .min ? nil : row.modified)
  }
}
