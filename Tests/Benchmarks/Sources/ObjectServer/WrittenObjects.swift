// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The objects of a bucket that clients have written, in memory for as long as the server runs.
package final class WrittenObjects: ObjectSource {
  /// Bodies in the order of the object's bytes: one, or a part each of a multipart upload. They are never joined, which would cost a copy.
  package struct Body: Sendable {
    package let parts: [[UInt8]]
    package let size: Int

    package init(_ parts: [[UInt8]]) {
      self.parts = parts
      size = parts.reduce(0) { $0 + $1.count }
    }
  }

  package typealias Metadata = [(name: String, value: String)]

  private struct Entry {
    var facts: ObjectFacts
    var body: Body
    var metadata: Metadata
  }

  private struct Upload {
    var key: [UInt8]
    var metadata: Metadata
    var parts: [Int: [UInt8]] = [:]
  }

  private struct State {
    var entries: [[UInt8]: Entry] = [:]
    /// In byte order.
    var keys: [[UInt8]] = []
    var uploads: [String: Upload] = [:]
    /// Names uploads, and tells the tags of two bodies of one size apart.
    var count: UInt64 = 0
  }

  private let state = Mutex(State())

  package init() {}

  package func open(_ key: [UInt8]) -> OpenObject? {
    state.withLock { state in
      state.entries[key].map { OpenObject(facts: $0.facts, content: .written($0.body), metadata: $0.metadata) }
    }
  }

  package func first(atOrAfter key: [UInt8]) -> ListedObject? {
    state.withLock { state in
      let index = Self.lowerBound(key, state.keys)
      guard index < state.keys.count, let entry = state.entries[state.keys[index]] else { return nil }
      return ListedObject(key: state.keys[index], facts: entry.facts)
    }
  }

  /// Puts an object in place of what has its key.
  ///
  /// - Parameter isNew: only if nothing has it.
  /// - Returns: the tag; nil if something has it.
  package func put(_ key: [UInt8], _ body: Body, metadata: Metadata, isNew: Bool) -> String? {
    state.withLock { Self.put(key, body, metadata: metadata, isNew: isNew, &$0) }
  }

  /// - Returns: whether there was one.
  package func remove(_ key: [UInt8]) {
    state.withLock { state in
      guard state.entries.removeValue(forKey: key) != nil else { return }
      state.keys.remove(at: Self.lowerBound(key, state.keys))
    }
  }

  // MARK: Multipart uploads

  /// The id of a new upload.
  package func begin(_ key: [UInt8], metadata: Metadata) -> String {
    state.withLock { state in
      state.count += 1
      let id = "upload-\(state.count)"
      state.uploads[id] = Upload(key: key, metadata: metadata)
      return id
    }
  }

  /// The tag of a part; nil if there is no such upload.
  package func addPart(_ number: Int, of id: String, _ bytes: [UInt8]) -> String? {
    state.withLock { state in
      guard state.uploads[id] != nil else { return nil }
      state.uploads[id]?.parts[number] = bytes
      return "\"part-\(number)-\(bytes.count)-1\""
    }
  }

  package enum Completion: Sendable {
    case made(String)
    case exists, noUpload
  }

  /// Makes an object of all parts, by their numbers.
  package func complete(_ id: String, isNew: Bool) -> Completion {
    state.withLock { state in
      guard let upload = state.uploads[id] else { return .noUpload }
      let body = Body(upload.parts.sorted { $0.key < $1.key }.map(\.value))
      guard let etag = Self.put(upload.key, body, metadata: upload.metadata, isNew: isNew, &state) else { return .exists }
      state.uploads[id] = nil
      return .made(etag)
    }
  }

  /// Forgets an upload and its parts.
  package func abort(_ id: String) {
    state.withLock { $0.uploads[id] = nil }
  }

  private static func put(_ key: [UInt8], _ body: Body, metadata: Metadata, isNew: Bool, _ state: inout State) -> String? {
    if state.entries[key] == nil {
      state.keys.insert(key, at: lowerBound(key, state.keys))
    } else if isNew {
      return nil
    }
    state.count += 1
    let facts = ObjectFacts(size: body.size, modified: (time(nil), 0), identity: state.count)
    state.entries[key] = Entry(facts: facts, body: body, metadata: metadata)
    return facts.etag
  }

  private static func lowerBound(_ key: [UInt8], _ keys: [[UInt8]]) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
