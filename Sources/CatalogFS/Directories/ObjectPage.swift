// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// One page of an object directory in compact form: names, sizes, times and etags side by side in a few buffers (about 40 bytes an object
/// besides its name).
struct ObjectPage: ListedPage {
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
    /// Length of the etag behind the name, or ``PackedETag``, with ``isSecond``.
    var etag: UInt16
    var size: Int64
    /// The least number stands for none: an optional takes eight bytes more in every row.
    var modified: Int64

    static let isSecond: UInt16 = 1 << 15
  }

  private var bytes: [UInt8] = []
  private var objects: [Row] = []
  private var directories: [Range<UInt32>] = []
  private(set) var rowCount = 0
  /// Whether names came in byte order, as S3 has it (directory buckets do not), so that a name is found by halving.
  private(set) var isSorted: Bool
  /// The greatest name the server gave with this page, a directory with its `/`; nil on the last page.
  var end: [UInt8]?

  /// - Parameters:
  ///   - isOrdered: false for a bucket that lists in no order.
  ///   - bytes: of names and etags that will be added, as far as is known: what is kept for long should hold no slack.
  init(isOrdered: Bool, objects: Int = 0, directories: Int = 0, bytes: Int = 0) {
    isSorted = isOrdered
    self.bytes.reserveCapacity(bytes)
    self.objects.reserveCapacity(objects)
    self.directories.reserveCapacity(directories)
  }

  /// Directories first, then objects.
  var items: LazyMapCollection<Range<Int>, Item> { (0..<rowsHere).lazy.map(item) }

  private var rowsHere: Int { directories.count + objects.count }

  private func item(_ row: Int) -> Item {
    if row < directories.count { return .directory(row) }
    let index = row - directories.count
    return .object(index, isSecond: objects[index].etag & Row.isSecond != 0)
  }

  var emptied: ObjectPage? {
    guard isSorted, let end else { return nil }
    var page = ObjectPage(isOrdered: true)
    page.end = end
    page.rowCount = rowCount
    return page
  }

  /// Whether everything of a name, a directory included, would stand on this page or before it.
  ///
  /// - Parameter directoryName: the name with a trailing `/`.
  func reaches(beyond directoryName: [UInt8]) -> Bool {
    guard isSorted, let end else { return false }
    return !end.lexicographicallyPrecedes(directoryName)
  }

  /// Adds an object: its name below the directory. Directories are to be added before.
  mutating func append(object: ObjectAttributes, name: Substring.UTF8View, isSecond: Bool) {
    let start = bytes.count
    bytes.append(contentsOf: name)
    let nameLength = bytes.count - start
    if let previous = objects.indices.last, !objectName(previous).lexicographicallyPrecedes(bytes[start...]) {
      isSorted = false
    }
    let etag = PackedETag.append(object.etag, to: &bytes)
    objects.append(
      Row(
        nameStart: UInt32(clamping: start), nameLength: UInt16(clamping: nameLength), etag: isSecond ? etag | Row.isSecond : etag,
        size: object.size, modified: object.modified ?? .min))
    rowCount += 1
  }

  /// Adds a directory: its name without the trailing `/`.
  mutating func append(directory name: Substring.UTF8View) {
    let start = UInt32(clamping: bytes.count)
    bytes.append(contentsOf: name)
    if let previous = directories.indices.last, !directoryName(previous).lexicographicallyPrecedes(bytes[Int(start)...]) {
      isSorted = false
    }
    directories.append(start..<UInt32(clamping: bytes.count))
    rowCount += 1
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

  /// The directories that follow a name, of a sorted page.
  func directories(after name: [UInt8], atMost count: Int) -> [String] {
    var low = 0
    var high = directories.count
    while low < high {
      let middle = low + (high - low) / 2
      if name.lexicographicallyPrecedes(directoryName(middle)) { high = middle } else { low = middle + 1 }
    }
    return (low..<min(directories.count, low + count)).map { String(decoding: directoryName($0), as: UTF8.self) }
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
    let etag = PackedETag.text(row.etag & ~Row.isSecond, in: bytes, at: nameEnd)
    var location = directory
    location.key = directory.key + name
    return ObjectAttributes(location: location, size: row.size, etag: etag, modified: row.modified == .min ? nil : row.modified)
  }
}
