// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@Suite("Cleaning up after dead daemons")
struct WriteCleaningTests {
  private let directory: JournalDirectory
  private let files = InMemoryFileIO(buckets: ["b"])
  private let place = ObjectLocation(bucket: "b", key: "data/f")
  private let mark = WriteMark()
  /// Milliseconds since 1970: not at a full second.
  private let time: Int64 = 1_700_000_000_400
  private var second: Int64 { time / 1000 * 1_000_000_000 }

  init() throws {
    directory = try JournalDirectory()
  }

  @Test("An upload known by its id is given up, and no other")
  func knownUpload() async throws {
    try await leave(upload: "u1")
    files.begin(PendingUpload(id: "u1", initiated: second), at: place)
    files.begin(PendingUpload(id: "u2", initiated: second), at: place)
    guard case .abandoned("u1") = try await clean().outcome else { throw Unexpected() }
    #expect(try await files.pendingUploads(at: place).map(\.id) == ["u2"])
    #expect(directory.names.isEmpty)
  }

  @Test("A whole object of the write is kept and told, whether its upload is known or not", arguments: ["u1", nil])
  func wholeObject(_ upload: String?) async throws {
    try await leave(upload: upload)
    files.put(place, [1, 2, 3], mark: mark)
    let cleaned = try await clean()
    guard case .kept(let object) = cleaned.outcome else { throw Unexpected() }
    #expect(object.size == 3)
    #expect(cleaned.sentence.contains("s3://b/data/f") && cleaned.sentence.contains("it stays"))
    #expect(try await files.head(place).size == 3)
    #expect(directory.names.isEmpty)
    #expect(files.faults.calls.contains { $0.isDelete } == false)
  }

  @Test("Another's object at the place is nothing of ours")
  func othersObject() async throws {
    try await leave(upload: nil)
    files.put(place, [1], mark: WriteMark())
    guard case .nothingLeft = try await clean().outcome else { throw Unexpected() }
    #expect(try await files.head(place).size == 1)
  }

  @Test("The only upload at the place that began within the time after the record is given up", arguments: [0, 1, 120])
  func unknownUpload(_ seconds: Int64) async throws {
    try await leave(upload: nil)
    files.begin(PendingUpload(id: "u1", initiated: second + seconds * 1_000_000_000), at: place)
    guard case .abandoned("u1") = try await clean().outcome else { throw Unexpected() }
    #expect(try await files.pendingUploads(at: place).isEmpty)
  }

  @Test("An upload that began earlier, much later, or at a longer key is another's", arguments: [-1, 121, 100_000])
  func foreignUpload(_ seconds: Int64) async throws {
    try await leave(upload: nil)
    files.begin(PendingUpload(id: "u1", initiated: second + seconds * 1_000_000_000), at: place)
    files.begin(PendingUpload(id: "u2", initiated: second), at: ObjectLocation(bucket: "b", key: "data/ff"))
    guard case .nothingLeft = try await clean().outcome else { throw Unexpected() }
    #expect(try await files.pendingUploads(at: place).count == 1)
    #expect(directory.names.isEmpty)
  }

  @Test("Of two uploads neither is touched, and both are named")
  func twoUploads() async throws {
    try await leave(upload: nil)
    files.begin(PendingUpload(id: "u1", initiated: second), at: place)
    files.begin(PendingUpload(id: "u2", initiated: second - 9_000_000_000), at: place)
    let cleaned = try await clean()
    guard case .left(["u1", "u2"], _) = cleaned.outcome else { throw Unexpected() }
    #expect(cleaned.sentence.contains("u1, u2"))
    #expect(try await files.pendingUploads(at: place).count == 2)
    #expect(directory.names.isEmpty)
  }

  @Test("Where a living daemon writes, of whatever catalog, no upload of unknown id is touched")
  func livingDaemon() async throws {
    try await leave(upload: nil)
    let living = try FileWriteJournal(directory: directory.path, label: "another", now: { time })
    try await living.willWrite(place, mark: WriteMark())
    files.begin(PendingUpload(id: "u1", initiated: second), at: place)
    guard case .left(["u1"], _) = try await clean().outcome else { throw Unexpected() }
    #expect(try await files.pendingUploads(at: place).count == 1)
    await living.close()
  }

  @Test("What fails is tried again at the next start; what may not be looked at is left for good")
  func failures() async throws {
    try await leave(upload: "u1")
    files.begin(PendingUpload(id: "u1", initiated: second), at: place)
    let error = FileIOError(code: .timedOut, message: "no answer")
    files.faults.fail(next: 1, with: error) { if case .abandon = $0 { true } else { false } }
    let cleaned = try await clean()
    guard case .failed = cleaned.outcome else { throw Unexpected() }
    #expect(!cleaned.isDone && cleaned.sentence.contains("no answer"))
    guard case .abandoned("u1") = try await clean().outcome else { throw Unexpected() }
    #expect(directory.names.isEmpty)
    try await leave(upload: nil)
    files.faults.fail(next: 1, with: FileIOError(code: .denied, message: "not allowed")) {
      if case .uploads = $0 { true } else { false }
    }
    guard case .left([], _) = try await clean().outcome else { throw Unexpected() }
    #expect(directory.names.isEmpty)
  }

  private struct Unexpected: Error {}

  private func leave(upload: String?) async throws {
    let journal = try FileWriteJournal(directory: directory.path, label: "lake", now: { time })
    try await journal.willWrite(place, mark: mark)
    if let upload { try await journal.didBegin(upload: upload, at: place, mark: mark) }
    await journal.close()
  }

  private func clean() async throws -> CleanedWrite {
    let left = try directory.leftBehind()
    let cleaned = await WriteCleaning(directory: directory.path).cleanUp(left, using: files)
    try #require(cleaned.count == 1)
    return cleaned[0]
  }
}
