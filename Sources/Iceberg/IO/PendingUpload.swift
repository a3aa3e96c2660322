// SPDX-License-Identifier: Apache-2.0

/// A multipart upload that has neither become an object nor been given up.
package struct PendingUpload: Sendable, Hashable {
  package var id: String
  /// When it began by the service's clock, nanoseconds since 1970; 0 if the service does not say. S3 cuts it to seconds.
  package var initiated: Int64

  package init(id: String, initiated: Int64) {
    self.id = id
    self.initiated = initiated
  }
}

/// What a server makes of the condition that an object must not exist yet.
package enum ConditionalWrites: Sendable, Hashable {
  /// It is kept: of two writers of one name one wins.
  case kept
  /// The server takes the header and writes all the same.
  case ignored
  /// The server answers that it does not know the header.
  case refused
  /// It could not be found out, and why.
  case unknown(FileIOError)
}
