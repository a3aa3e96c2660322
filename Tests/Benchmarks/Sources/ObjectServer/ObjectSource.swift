// SPDX-License-Identifier: Apache-2.0

/// What HEAD tells of an object.
package struct ObjectFacts: Sendable, Equatable {
  /// Size in bytes.
  package var size: Int
  /// Seconds and nanoseconds since 1970.
  package var modified: (seconds: Int, nanoseconds: Int)
  /// The entity tag with its quotes. Never 32 bare hex digits: clients take those for an MD5 of the body and check it.
  package var etag: String

  /// Derives the tag from what changes whenever the object does.
  package init(size: Int, modified: (seconds: Int, nanoseconds: Int), identity: UInt64) {
    self.size = size
    self.modified = modified
    let words = [identity, UInt64(bitPattern: Int64(size)), UInt64(bitPattern: Int64(modified.seconds)), UInt64(modified.nanoseconds)]
    let high = words.reduce(0xcbf2_9ce4_8422_2325) { SyntheticContent.mix($0 ^ $1) }
    etag = "\"" + ObjectFacts.hexadecimal(high) + ObjectFacts.hexadecimal(SyntheticContent.mix(high ^ identity)) + "-1\""
  }

  package static func == (left: ObjectFacts, right: ObjectFacts) -> Bool {
    left.size == right.size && left.etag == right.etag && left.modified == right.modified
  }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Where the bytes of an object are.
package enum ObjectContent: Sendable {
  case memory([UInt8])
  /// An open file that `sendfile` can read.
  case file(OwnedDescriptor)
  case written(WrittenObjects.Body)
}

/// An object ready to be sent.
package struct OpenObject: Sendable {
  package var facts: ObjectFacts
  package var content: ObjectContent
  /// `x-amz-meta-…` as the writer sent them.
  package var metadata: WrittenObjects.Metadata = []
}

/// A row of a listing.
package struct ListedObject: Sendable {
  package var key: [UInt8]
  package var facts: ObjectFacts
}

/// Objects of one bucket, in key order. Called from every connection's thread at once.
package protocol ObjectSource: Sendable {
  /// The object of exactly this key, or nil.
  func open(_ key: [UInt8]) -> OpenObject?

  /// The object with the smallest key that is not before `key` in byte order, or nil.
  func first(atOrAfter key: [UInt8]) -> ListedObject?
}

/// A bucket: its sources, of which the earlier wins where both have a key.
package struct Bucket: Sendable {
  package var sources: [any ObjectSource]
  /// Where objects are written to, if they may be: one of the sources.
  package var written: WrittenObjects?

  package init(sources: [any ObjectSource]) {
    self.sources = sources
  }

  package func open(_ key: [UInt8]) -> OpenObject? {
    for source in sources {
      if let object = source.open(key) { return object }
    }
    return nil
  }

  package func first(atOrAfter key: [UInt8]) -> ListedObject? {
    var smallest: ListedObject?
    for source in sources {
      guard let candidate = source.first(atOrAfter: key) else { continue }
      if let known = smallest, !candidate.key.lexicographicallyPrecedes(known.key) { continue }
      smallest = candidate
    }
    return smallest
  }
}
