// SPDX-License-Identifier: Apache-2.0

/// The identity of one write, kept in the object as `x-amz-meta-bergfs-upload`.
package struct WriteMark: Sendable, Hashable, CustomStringConvertible {
  /// Name of the user metadata.
  package static let metadataName = "bergfs-upload"

  package let text: String

  /// A new random mark, a UUID.
  package init() {
    var generator = SystemRandomNumberGenerator()
    self.init(using: &generator)
  }

  package init(using generator: inout some RandomNumberGenerator) {
    text = RandomUUID.text(using: &generator)
  }

  /// A mark read back from a journal.
  package init(_ text: String) {
    self.text = text
  }

  package var description: String { text }
}

/// Random UUIDs (version 4) as lower-case text.
package enum RandomUUID {
  package static func text(using generator: inout some RandomNumberGenerator) -> String {
    let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    func hex(_ number: UInt64, _ shift: UInt64, _ digits: Int) -> String {
      let text = String(number >> shift & (1 << UInt64(digits * 4) - 1), radix: 16)
      return String(repeating: "0", count: digits - text.count) + text
    }
    return "\(hex(high, 32, 8))-\(hex(high, 16, 4))-\(hex(high, 0, 4))-\(hex(low, 48, 4))-\(hex(low, 0, 12))"
  }

  package static func text() -> String {
    var generator = SystemRandomNumberGenerator()
    return text(using: &generator)
  }
}

/// What goes with a write.
package struct WriteOptions: Sendable {
  package var mark: WriteMark
  /// The table that the object belongs to, for tags; nil for none.
  package var table: TableIdentifier?
  /// Is told of the write before its first request and when its fate is known; nil for nobody.
  package var journal: (any WriteJournal)?
  /// Counts what has arrived; nil for nobody.
  package var progress: TransferProgress?

  package init(mark: WriteMark = WriteMark(), table: TableIdentifier? = nil, journal: (any WriteJournal)? = nil) {
    self.mark = mark
    self.table = table
    self.journal = journal
  }
}

/// Keeps what a killed process would leave in the object store, so that the next one can clean it up.
///
/// Each call returns only when what it was told would survive a kill.
package protocol WriteJournal: Sendable {
  /// A write is about to send its first request. An error ends the write before anything was sent.
  func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError)
  /// A multipart upload was begun for the write; no part has been sent yet. An error ends the write, and the upload is given up.
  func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError)
  /// The write has ended and left nothing unknown: the object is whole, or there is neither object nor upload.
  func didEnd(_ location: ObjectLocation, mark: WriteMark) async
}

/// The memory that uploads may use. `ObjectCache`'s budget is one.
package protocol UploadMemory: Sendable {
  /// Bytes.
  var limit: Int { get }
  /// Reserves without waiting; false if it does not fit now.
  func tryReserve(_ bytes: Int) -> Bool
  /// Reserves, waiting in turn. False if the task was cancelled or `bytes` exceeds the limit.
  func reserve(_ bytes: Int) async -> Bool
  /// Gives back what was reserved.
  func release(_ bytes: Int)
}

/// Memory without a limit but the one on the size of parts, for programs that write little and for tests.
package struct UnlimitedUploadMemory: UploadMemory {
  package let limit: Int

  /// - Parameter limit: bytes; parts are a quarter of it at the most.
  package init(limit: Int = 256 << 20) {
    self.limit = limit
  }

  package func tryReserve(_ bytes: Int) -> Bool { true }
  package func reserve(_ bytes: Int) async -> Bool { true }
  package func release(_ bytes: Int) {}
}
