// SPDX-License-Identifier: Apache-2.0

/// The place of an object or of a directory of objects: scheme, bucket, key, all raw bytes of the text, nothing decoded or normalised.
///
/// Keys hold any character: `//`, `.`, `..`, `%20` stay literal. Source: spec/s3fileio.md §1 (S3URI).
package struct ObjectLocation: Sendable, Hashable, CustomStringConvertible {
  /// As written: `s3`, `s3a`, `s3n`, …; kept for output, never compared.
  package var scheme: String
  package var bucket: String
  /// Without a leading `/`; empty for the bucket itself.
  package var key: String

  package init(scheme: String = "s3", bucket: String, key: String) {
    self.scheme = scheme
    self.bucket = bucket
    self.key = key
  }

  /// The location as text, as Iceberg writes it.
  package var description: String { "\(scheme)://\(bucket)/\(key)" }

  /// The directory of this name below this one. A trailing `/` of the key is kept as the separator; none is doubled.
  package func appending(_ name: String) -> ObjectLocation {
    var copy = self
    copy.key = key.isEmpty || key.utf8.last == UInt8(ascii: "/") ? key + name : key + "/" + name
    return copy
  }
}

/// Equality is that of the bytes: `String`'s own takes two Unicode forms of one character for equal, S3 does not.
extension ObjectLocation {
  package static func == (left: ObjectLocation, right: ObjectLocation) -> Bool {
    left.key.utf8.elementsEqual(right.key.utf8) && left.bucket.utf8.elementsEqual(right.bucket.utf8)
      && left.scheme.utf8.elementsEqual(right.scheme.utf8)
  }
}

/// What is known of one version of an object without reading it.
package struct ObjectAttributes: Sendable, Hashable {
  package var location: ObjectLocation
  /// Bytes.
  package var size: Int64
  /// As the server writes it, with quotes.
  package var etag: String
  /// Nanoseconds since 1970; nil where the server does not say, or says something that is no time.
  package var modified: Int64?

  package init(location: ObjectLocation, size: Int64, etag: String, modified: Int64?) {
    self.location = location
    self.size = size
    self.etag = etag
    self.modified = modified
  }
}

/// One page of a listing: objects, and prefixes that stand for directories.
package struct ObjectListing: Sendable {
  /// In the server's order.
  package var objects: [ObjectAttributes]
  /// Full key prefixes ending in the delimiter.
  package var prefixes: [String]
  /// Goes into the next call; nil after the last page.
  package var next: String?

  package init(objects: [ObjectAttributes], prefixes: [String], next: String?) {
    self.objects = objects
    self.prefixes = prefixes
    self.next = next
  }
}

/// Where a page of a listing begins.
package enum ListPosition: Sendable, Hashable {
  case start
  /// After the page that gave this token.
  case token(String)
  /// After this key, in the order of bytes; the key need not exist. On directory buckets, which have no order, the same as the start.
  case key(String)
}

/// Takes object bytes in order, from the first of the asked range on. Called on the transport's thread: must not block.
package protocol RangeSink: AnyObject, Sendable {
  /// The next bytes, valid during the call only. False stops the read.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool

  /// Which version the bytes are of, told before the first of them, and again where a read goes on after a fault; as the server writes it,
  /// with quotes. Nil if the server does not say.
  func begin(etag: String?)
}

extension RangeSink {
  package func begin(etag: String?) {}
}

/// Reads objects. Implementations: S3, and in-memory for tests; both run the same conformance suite.
package protocol FileIO: Sendable {
  /// Attributes of an object. Throws `notFound`.
  func head(_ location: ObjectLocation) async throws(FileIOError) -> ObjectAttributes

  /// Reads a byte range of exactly the version `etag` names (any version if nil) into the sink, retrying only the missing bytes.
  ///
  /// Returns when the sink has every byte of the range; a range past the end is cut there.
  /// - Returns: bytes delivered.
  func read(_ location: ObjectLocation, etag: String?, range: Range<Int64>, into sink: any RangeSink) async throws(FileIOError) -> Int64

  /// One page (at most 1,000 entries) of what lies under a key prefix, grouped at `/` when `isDirectory`.
  ///
  /// - Parameter position: a group whose prefix begins before ``ListPosition/key(_:)`` is shown if it goes on behind it.
  func list(bucket: String, prefix: String, isDirectory: Bool, from position: ListPosition) async throws(FileIOError) -> ObjectListing

  /// A location from its text. Throws `invalid` with the sentence of Iceberg's S3URI. Source: spec/s3fileio.md §1.
  func location(_ text: String) throws(FileIOError) -> ObjectLocation
}

/// Why a file operation failed.
package struct FileIOError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    /// ENOENT
    case notFound
    /// The version named by the etag is gone or replaced: ESTALE
    case changed
    /// Another object has the name already: EEXIST
    case exists
    /// 403, wrong or expired keys: EACCES
    case denied
    /// ETIMEDOUT
    case timedOut
    /// More than an upload's parts can hold: EFBIG
    case tooLarge
    /// Whether the write was done cannot be found out: EIO, nothing of it is to be deleted
    case unknown
    /// 5xx and throttling after retries, corrupt body: EIO
    case failed
    /// A location or request that cannot be: EINVAL
    case invalid
    /// Something that the object store, or whoever signs its requests, does not do: EOPNOTSUPP
    case unsupported
    /// EINTR
    case cancelled
  }
  package var code: Code
  /// One sentence for a person, naming the object.
  package var message: String
  package var requestID: String?

  package init(code: Code, message: String, requestID: String? = nil) {
    self.code = code
    self.message = message
    self.requestID = requestID
  }

  package var description: String { message }
}
