// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// A copy of a metadata file with changes, to be made the table's next one. Source: design filesystem.md §4.3.
///
/// The base is told by what the copy still carries, never by who had opened what.
package struct EditedForm: Sendable {
  /// What is to be done.
  package enum Outcome: Sendable {
    /// The copy says what its base says: nothing is committed.
    case unchanged
    case commit(Successor)
  }

  /// A document ready to be checked and sent.
  package struct Successor: Sendable {
    /// Full URI of the new file.
    package var location: String
    /// As they go to the object: compressed if the name says so.
    package var bytes: [UInt8]
    package var metadata: TableMetadata
    /// Numbers the tool had rounded; for the log.
    package var restored: [NumberRestoration.Restored]
  }

  private let edited: JSONDocument
  private let current: SuccessorCheck.Base

  /// - Parameters:
  ///   - text: JSON, or JSON under gzip, as a copy of a compressed file is.
  ///   - current: the table's current file.
  /// - Throws: a refusal of row 1 if the text is no JSON object.
  package init(_ text: [UInt8], current: SuccessorCheck.Base) throws(SuccessorRefusal) {
    edited = try Self.parse(try Self.decompressed(text))
    guard edited.root.kind == .object else {
      throw SuccessorRefusal(row: .document, path: "", expected: "an object", found: "a value of kind \(edited.root.kind.rawValue)")
    }
    self.current = current
  }

  /// Makes the next document: base appended to the log, time set, file named; every other byte is the user's.
  ///
  /// The result has passed row 1; ``SuccessorCheck/check()`` and ``SuccessorCheck/checkFiles(_:)`` remain to be asked.
  /// - Parameters:
  ///   - nowMs: milliseconds since 1970.
  ///   - uuid: of the new file's name, in lower case with hyphens.
  /// - Throws: a refusal: conflict if the copy was made of another file than the current one, else invalid.
  package func successor(nowMs: Int64, uuid: String) throws(SuccessorRefusal) -> Outcome {
    try checkBase()
    let base = current.metadata
    let numbers = try NumberRestoration.restore(edited, from: base.document)
    let document = numbers.restored.isEmpty ? edited : try Self.parse(numbers.bytes)
    if document.root.isSameValue(as: base.document.root) { return .unchanged }
    let draft = try Self.read(document, current.location, current)
    let text = try splice(document, draft, nowMs: nowMs)
    let location = try nextLocation(draft, uuid: uuid)
    let bytes = try MetadataProperties.isGzip(draft) ? Self.compressed(text) : text
    let metadata = try SuccessorCheck.read(bytes, location: location, base: current)
    return .commit(Successor(location: location, bytes: bytes, metadata: metadata, restored: numbers.restored))
  }

  // MARK: Base

  private func checkBase() throws(SuccessorRefusal) {
    let updated = edited.root["last-updated-ms"]?.int64
    let log = Self.log(edited.root)
    let known = current.metadata.head.metadataLog
    if updated == current.metadata.head.lastUpdatedMs, let log, SuccessorRun.isSameLog(log, known) { return }
    let last = log?.last?.file
    if let log, let place = Self.earlierBase(updated: updated, log: log, in: known) {
      throw conflict("a copy of the current file \(current.location)", "a copy of the earlier file \(known[place].file)")
    }
    let files = known.map(\.file) + [current.location]
    if let last, files.contains(where: { $0.hasSameBytes(as: last) }) {
      throw conflict(
        "`last-updated-ms` and `metadata-log` as the current file \(current.location) has them",
        "others, the log ending in \(last.prefix(400))")
    }
    throw SuccessorRefusal(
      row: .baseBinding, path: "metadata-log",
      expected: "`last-updated-ms` and `metadata-log` as the current file \(current.location) has them",
      found: "those of no file of the table")
  }

  private func conflict(_ expected: String, _ found: String) -> SuccessorRefusal {
    SuccessorRefusal(row: .baseBinding, kind: .conflict, path: "metadata-log", expected: expected, found: found)
  }

  /// The place in the log of the file that the copy was made of: its time, and the log before it as far as the current file still has it.
  private static func earlierBase(
    updated: Int64?, log: [TableMetadataHead.LogEntry], in known: [TableMetadataHead.LogEntry]
  ) -> Int? {
    known.indices.reversed().first { place in
      guard known[place].timestampMs == updated else { return false }
      let before = Array(known[..<place])
      return log.count <= before.count
        ? SuccessorRun.isSameLog(Array(before.suffix(log.count)), log) : SuccessorRun.isSameLog(Array(log.suffix(before.count)), before)
    }
  }

  /// Nil if it is no log.
  private static func log(_ root: JSONNode) -> [TableMetadataHead.LogEntry]? {
    guard let node = root["metadata-log"] else { return [] }
    guard node.kind == .array else { return nil }
    var log: [TableMetadataHead.LogEntry] = []
    for element in node.elements {
      guard let time = element["timestamp-ms"]?.int64, let file = element["metadata-file"]?.string else { return nil }
      log.append(.init(timestampMs: time, file: file))
    }
    return log
  }

  // MARK: Next document

  private static func parse(_ bytes: [UInt8]) throws(SuccessorRefusal) -> JSONDocument {
    do {
      return try JSONDocument(parsing: bytes)
    } catch {
      throw SuccessorRefusal(row: .document, path: "", expected: "JSON", found: "\(error)")
    }
  }

  /// The copy by itself, for what its properties say of the next file.
  private static func read(
    _ document: JSONDocument, _ file: String, _ base: SuccessorCheck.Base
  ) throws(SuccessorRefusal) -> TableMetadata {
    do {
      return try TableMetadata(document, file: file)
    } catch {
      throw SuccessorCheck.refusal(error, base)
    }
  }

  private func splice(_ document: JSONDocument, _ draft: TableMetadata, nowMs: Int64) throws(SuccessorRefusal) -> [UInt8] {
    let base = current.metadata.head
    guard let limit = MetadataProperties.previousVersionsMax(draft), let time = document.root["last-updated-ms"] else {
      throw SuccessorRefusal(
        row: .document, path: "properties.\(MetadataProperties.previousVersionsMaxKey)", expected: "a 32-bit integer",
        found: "another value")
    }
    let (following, overflows) = base.lastUpdatedMs.addingReportingOverflow(1)
    var edits = JSONEdits()
    edits.replace(time, with: .integer(max(nowMs, overflows ? base.lastUpdatedMs : following)))
    let entry = JSONValue.object(["timestamp-ms": .integer(base.lastUpdatedMs), "metadata-file": .string(current.location)])
    if let log = document.root["metadata-log"] {
      let count = base.metadataLog.count
      edits.rotate(log, droppingFirst: count >= limit ? count - (limit - 1) : 0, appending: entry.serialized())
    } else {
      edits.append(member: "metadata-log", JSONValue.array([entry]).serialized(), to: document.root)
    }
    return edits.applied(to: document.bytes)
  }

  private func nextLocation(_ draft: TableMetadata, uuid: String) throws(SuccessorRefusal) -> String {
    let number = Int64(MetadataFileName(current.location)?.number ?? -1) + 1
    let digits = String(number)
    let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    return "\(draft.head.metadataLocation)/\(padded)-\(uuid)\(MetadataProperties.isGzip(draft) ? ".gz" : "").metadata.json"
  }

  private static func decompressed(_ text: [UInt8]) throws(SuccessorRefusal) -> [UInt8] {
    guard Gzip.isGzip(text) else { return text }
    do {
      return try Gzip.decompress(text, limit: TableMetadataHead.maximumSize)
    } catch {
      throw SuccessorRefusal(row: .document, path: "", expected: "JSON", found: error.message)
    }
  }

  private static func compressed(_ text: [UInt8]) throws(SuccessorRefusal) -> [UInt8] {
    do {
      return try Gzip.compress(text)
    } catch {
      throw SuccessorRefusal(
        row: .document, kind: .unavailable(.failed), path: "", expected: "to compress the document", found: error.message)
    }
  }
}
