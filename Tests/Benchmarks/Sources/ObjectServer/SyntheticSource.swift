// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Objects that exist only in this process: large ones in anonymous memory, small ones as bytes.
package struct SyntheticSource: ObjectSource {
  private struct Entry {
    var key: [UInt8]
    var content: ObjectContent
    var facts: ObjectFacts
  }

  /// Sorted by key once `seal` was called.
  private var entries: [Entry] = []
  private let born: (seconds: Int, nanoseconds: Int)

  /// An empty source; every object added carries `born` as its time of change, whole seconds since 1970.
  package init(born: Int = time(nil)) {
    self.born = (born, 0)
  }

  /// Adds an object of generated content, `size` bytes.
  package mutating func addGenerated(key: String, size: Int) throws(SystemFailure) {
    add(key: key, content: .file(try SyntheticContent.memory(size: size)), size: size)
  }

  /// Adds an object of given bytes.
  package mutating func add(key: String, bytes: [UInt8]) {
    add(key: key, content: .memory(bytes), size: bytes.count)
  }

  /// Adds `count` objects spread evenly over `directories` under a prefix; each holds its own key and a newline.
  package mutating func addMany(prefix: String, count: Int, directories: Int) {
    let perDirectory = max(1, (count + directories - 1) / directories)
    for index in 0..<count {
      let directory = SyntheticSource.padded(index / perDirectory, width: 3)
      let key = "\(prefix)/d\(directory)/f\(SyntheticSource.padded(index % perDirectory, width: 6)).parquet"
      add(key: key, bytes: Array((key + "\n").utf8))
    }
  }

  /// Sorts the objects; to be called once, after the last was added. A key added twice keeps the first.
  package mutating func seal() {
    entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
    var unique: [Entry] = []
    for entry in entries where unique.last?.key != entry.key { unique.append(entry) }
    entries = unique
  }

  package func open(_ key: [UInt8]) -> OpenObject? {
    let index = lowerBound(key)
    guard index < entries.count, entries[index].key == key else { return nil }
    return OpenObject(facts: entries[index].facts, content: entries[index].content)
  }

  package func first(atOrAfter key: [UInt8]) -> ListedObject? {
    let index = lowerBound(key)
    guard index < entries.count else { return nil }
    return ListedObject(key: entries[index].key, facts: entries[index].facts)
  }

  /// `number` in decimal with leading zeros.
  package static func padded(_ number: Int, width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Two lower-case hexadecimal digits.
  package static func hexadecimal(_ byte: UInt8) -> String {
    byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
  }

  private mutating func add(key: String, content: ObjectContent, size: Int) {
    let bytes = Array(key.utf8)
    let identity = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    entries.append(Entry(key: bytes, content: content, facts: ObjectFacts(size: size, modified: born, identity: identity)))
  }

  private func lowerBound(_ key: [UInt8]) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
