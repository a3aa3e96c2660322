// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file of a snapshot, by its path below some location.
struct SnapshotFile: Sendable, Equatable {
  /// Bytes, from the manifest.
  var size: Int64
  /// Of the snapshot that added it: an index into the times that the snapshot's place has, plus one; 0 if it is not known.
  var addedBy: Int
}

/// Paths in the order of their bytes, each with what is known of its file, in one block of memory: some 60 bytes a file.
///
/// A path is written as the length of what it shares with the one before and what follows; every sixteenth is whole, so that a path is found
/// by halving. Directories are not written: one is where paths begin with its name and a `/`.
struct FileTree: Sendable {
  /// Paths a group; the first is whole.
  private static let groupSize = 16

  private var bytes: [UInt8] = []
  /// Where groups begin.
  private var groups: [Int] = []
  private(set) var count = 0
  /// Files whose path is that of a directory too.
  private var clashes: Set<[UInt8]> = []
  private var last: [UInt8] = []

  /// Bytes in memory.
  var cost: Int { bytes.capacity + groups.capacity * MemoryLayout<Int>.stride + clashes.reduce(0) { $0 + $1.count + 64 } }
  var isEmpty: Bool { count == 0 }

  // MARK: Building

  /// Adds a path that sorts behind all there are; one that is there already is left out.
  mutating func append(_ path: some RandomAccessCollection<UInt8>, _ file: SnapshotFile) {
    if count > 0, last.elementsEqual(path) { return }
    var shared = 0
    if count % Self.groupSize == 0 {
      groups.append(bytes.count)
    } else {
      for byte in path {
        guard shared < last.count, last[shared] == byte else { break }
        shared += 1
      }
    }
    append(number: UInt64(shared))
    append(number: UInt64(path.count - shared))
    bytes.append(contentsOf: path.dropFirst(shared))
    append(number: UInt64(bitPattern: file.size))
    append(number: UInt64(file.addedBy))
    last.removeLast(last.count - shared)
    last.append(contentsOf: path.dropFirst(shared))
    count += 1
  }

  /// To be called once all paths are there.
  mutating func finish() {
    last = []
    var seen: ArraySlice<UInt8> = []
    var cursor = Cursor(self, at: 0)
    while cursor.next(self) {
      // Each directory once: where the path leaves the one before.
      guard let end = cursor.path.lastIndex(of: UInt8(ascii: "/")), !seen.elementsEqual(cursor.path[...end]) else { continue }
      seen = cursor.path[...end]
      for (index, byte) in seen.enumerated() where byte == UInt8(ascii: "/") {
        let directory = Array(seen[..<index])
        if find(directory) != nil { clashes.insert(directory) }
      }
    }
  }

  private mutating func append(number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// The trees as one. They are let go of as they are used up.
  ///
  /// - Parameter limit: bytes; nil comes back if the whole would take more.
  static func merged(_ trees: consuming [FileTree], limit: Int) -> FileTree? {
    var sources = trees
    trees = []
    var cursors = sources.map { Cursor($0, at: 0) }
    var heap: [Int] = []
    for index in sources.indices where cursors[index].next(sources[index]) { heap.append(index) }
    func isBefore(_ left: Int, _ right: Int) -> Bool {
      let order = compare(cursors[left].path, cursors[right].path)
      return order < 0 || order == 0 && left < right
    }
    func sift(_ start: Int) {
      var root = start
      while true {
        var child = 2 * root + 1
        guard child < heap.count else { return }
        if child + 1 < heap.count, isBefore(heap[child + 1], heap[child]) { child += 1 }
        guard isBefore(heap[child], heap[root]) else { return }
        heap.swapAt(root, child)
        root = child
      }
    }
    for root in (0..<heap.count / 2).reversed() { sift(root) }
    var result = FileTree()
    // Joined they take a little less than apart.
    result.bytes.reserveCapacity(min(limit, sources.reduce(0) { $0 + $1.bytes.count }))
    while let top = heap.first {
      result.append(cursors[top].path, cursors[top].file)
      if result.bytes.count > limit { return nil }
      if !cursors[top].next(sources[top]) {
        sources[top] = FileTree()
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
      }
      sift(0)
    }
    result.finish()
    return result
  }

  // MARK: Looking

  /// The file at a path.
  func find(_ path: [UInt8]) -> SnapshotFile? {
    let cursor = cursor(notBefore: path)
    guard let cursor, cursor.path == path else { return nil }
    return cursor.file
  }

  /// Whether paths begin with this one, which ends in `/` or is empty.
  func holdsDirectory(_ prefix: [UInt8]) -> Bool {
    cursor(notBefore: prefix)?.path.starts(with: prefix) ?? false
  }

  /// Whether a file's path is that of a directory too.
  func isClash(_ path: [UInt8]) -> Bool { !clashes.isEmpty && clashes.contains(path) }

  /// What lies directly in a directory.
  enum Child {
    case file(ArraySlice<UInt8>, SnapshotFile)
    case directory(ArraySlice<UInt8>)
  }

  /// Calls the body with the names in a directory in the order of their paths, until it returns false.
  ///
  /// - Parameters:
  ///   - prefix: ends in `/`, or is empty.
  ///   - start: how many paths of the tree to pass over: 0, or what the body was given.
  ///   - body: gets the name, and where to go on after it.
  func forEachChild(of prefix: [UInt8], from start: Int, _ body: (Child, Int) -> Bool) {
    var cursor: Cursor
    if start == 0 {
      guard let first = self.cursor(notBefore: prefix) else { return }
      cursor = first
    } else {
      cursor = Cursor(self, at: start)
      guard cursor.next(self) else { return }
    }
    while cursor.path.starts(with: prefix) {
      let rest = cursor.path[prefix.count...]
      guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
        guard body(.file(rest, cursor.file), cursor.ordinal), cursor.next(self) else { return }
        continue
      }
      let name = rest[..<slash]
      // The first path behind those that begin with the name and `/`: `0` comes after `/`.
      let behind = self.cursor(notBefore: Array(cursor.path[..<slash]) + [UInt8(ascii: "/") + 1])
      guard body(.directory(name), behind.map { $0.ordinal - 1 } ?? count), let behind else { return }
      cursor = behind
    }
  }

  /// The first path that is not before this one; nil if all are.
  private func cursor(notBefore path: [UInt8]) -> Cursor? {
    var low = 0
    var high = groups.count
    while low < high {
      let middle = (low + high) / 2
      var first = Cursor(self, at: middle * Self.groupSize)
      if first.next(self), Self.compare(first.path, path) < 0 { low = middle + 1 } else { high = middle }
    }
    var cursor = Cursor(self, at: max(0, low - 1) * Self.groupSize)
    while cursor.next(self) {
      if Self.compare(cursor.path, path) >= 0 { return cursor }
    }
    return nil
  }

  /// Below zero, zero or above, as memcmp(3).
  static func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
    left.withUnsafeBytes { left in
      right.withUnsafeBytes { right in
        let count = min(left.count, right.count)
        guard count > 0, let one = left.baseAddress, let other = right.baseAddress else { return left.count - right.count }
        // SAFETY: both have `count` bytes, during the call only.
        let order = memcmp(one, other, count)
        return order != 0 ? Int(order) : left.count - right.count
      }
    }
  }

  /// Goes over the paths from some place on.
  struct Cursor: Sendable {
    /// Where the path stands in the order, from 1; paths passed over included.
    private(set) var ordinal: Int
    private(set) var path: [UInt8] = []
    private(set) var file = SnapshotFile(size: 0, addedBy: 0)
    private var position: Int

    /// Before the path with so many before it.
    init(_ tree: FileTree, at start: Int) {
      let group = start / FileTree.groupSize
      ordinal = group * FileTree.groupSize
      position = group < tree.groups.count ? tree.groups[group] : tree.bytes.count
      while ordinal < start, next(tree) {}
    }

    /// False at the end.
    mutating func next(_ tree: borrowing FileTree) -> Bool {
      guard position < tree.bytes.count else { return false }
      let shared = Int(number(tree))
      let rest = Int(number(tree))
      path.removeLast(path.count - shared)
      path.append(contentsOf: tree.bytes[position..<position + rest])
      position += rest
      file.size = Int64(bitPattern: number(tree))
      file.addedBy = Int(number(tree))
      ordinal += 1
      return true
    }

    private mutating func number(_ tree: borrowing FileTree) -> UInt64 {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while true {
        let byte = tree.bytes[position]
        position += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
    }
  }
}

/// Paths in any order, until they are a ``FileTree``.
struct UnsortedPaths {
  private var bytes: [UInt8] = []
  private var ends: [Int] = [0]
  private var files: [SnapshotFile] = []

  var isEmpty: Bool { files.isEmpty }

  mutating func append(_ path: some Sequence<UInt8>, _ file: SnapshotFile) {
    bytes.append(contentsOf: path)
    ends.append(bytes.count)
    files.append(file)
  }

  consuming func sorted() -> FileTree {
    var order = Array(0..<files.count)
    bytes.withUnsafeBytes { text in
      order.sort { left, right in
        let (one, other) = (text[ends[left]..<ends[left + 1]], text[ends[right]..<ends[right + 1]])
        let count = min(one.count, other.count)
        guard count > 0, let base = text.baseAddress else { return one.count < other.count }
        // SAFETY: both slices lie within the text and have `count` bytes.
        let result = memcmp(base + one.startIndex, base + other.startIndex, count)
        return result != 0 ? result < 0 : one.count < other.count
      }
    }
    var tree = FileTree()
    for index in order { tree.append(bytes[ends[index]..<ends[index + 1]], files[index]) }
    return tree
  }
}
