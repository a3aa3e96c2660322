// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import IcebergAWS
import Testing

/// The journal and the cleaning after it, with the emulator's uploads.
@Suite("Uploads of dead daemons", .timeLimit(.minutes(5)))
struct AbandonedUploadTests {
  private let location = ObjectLocation(bucket: EmulatedWriting.bucket, key: "abandoned-\(RandomUUID.text())/a b?ü")
  private let directory = "/tmp/bergfs-abandoned-\(RandomUUID.text())"

  @Test(
    "An upload that a killed daemon had begun is given up at the next start, by its id or as the only one there", arguments: [true, false])
  func givesUp(_ isRecorded: Bool) async throws {
    defer { rmdir(directory) }
    let files = try await EmulatedWriting.files()
    let dead = try FileWriteJournal(directory: directory, label: "lake")
    let journal: any WriteJournal = isRecorded ? dead : Forgetful(journal: dead)
    let mark = WriteMark()
    let writer = try files.writer(location, expectedSize: nil, options: WriteOptions(mark: mark, journal: journal))
    try await writer.append([UInt8](repeating: 1, count: 12_000_000))
    #expect(try await files.pendingUploads(at: location).count == 1)
    await dead.close()
    let left = try FileWriteJournal.leftBehind(in: directory, label: "lake")
    #expect(left.map(\.mark) == [mark] && (left.first?.upload != nil) == isRecorded)
    let cleaned = await WriteCleaning(directory: directory).cleanUp(left, using: files)
    guard case .abandoned = try #require(cleaned.first).outcome else {
      Issue.record("\(cleaned[0].sentence)")
      return
    }
    #expect(try await files.pendingUploads(at: location).isEmpty)
    #expect(try FileWriteJournal.leftBehind(in: directory, label: "lake").isEmpty)
    await writer.abort()
  }

  @Test("An object that was finished without its writer learning of it stays")
  func keeps() async throws {
    defer { rmdir(directory) }
    let files = try await EmulatedWriting.files()
    let dead = try FileWriteJournal(directory: directory, label: "lake")
    let mark = WriteMark()
    _ = try await files.create(location, from: BytesContent([1, 2, 3]), options: WriteOptions(mark: mark))
    try await dead.willWrite(location, mark: mark)
    await dead.close()
    let left = try FileWriteJournal.leftBehind(in: directory, label: "lake")
    let cleaned = await WriteCleaning(directory: directory).cleanUp(left, using: files)
    guard case .kept(let object) = try #require(cleaned.first).outcome else {
      Issue.record("\(cleaned[0].sentence)")
      return
    }
    #expect(object.size == 3)
    _ = try await files.head(location)
  }
}

/// A daemon that was killed before it had the answer to the begin of its upload.
private struct Forgetful: WriteJournal {
  let journal: FileWriteJournal

  func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    try await journal.willWrite(location, mark: mark)
  }
  func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {}
  func didEnd(_ location: ObjectLocation, mark: WriteMark) async {}
}
