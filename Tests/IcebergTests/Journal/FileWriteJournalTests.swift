// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import Synchronization
import TestSupport
import Testing

@Suite("Write journal on disk")
struct FileWriteJournalTests {
  private let directory: JournalDirectory
  private let place = ObjectLocation(bucket: "b", key: "data/f")

  init() throws {
    directory = try JournalDirectory()
  }

  @Test("A beginning is in the file, for this user alone, before it is acknowledged")
  func recordsBeforeItAnswers() async throws {
    let journal = try journal()
    let mark = WriteMark()
    try await journal.willWrite(place, mark: mark)
    let line = try #require(try directory.text().split(separator: "\n").last)
    #expect(line == #"{"event":"write","location":"s3://b/data/f","mark":"\#(mark)","time":1000,"label":"lake"}"#)
    try await journal.didBegin(upload: "u\"1", at: place, mark: mark)
    let next = try #require(try directory.text().split(separator: "\n").last)
    #expect(next == #"{"event":"upload","location":"s3://b/data/f","mark":"\#(mark)","upload":"u\"1","time":1000,"label":"lake"}"#)
    #expect(directory.mode(directory.path) == 0o700)
    #expect(directory.mode("\(directory.path)/\(directory.names[0])") == 0o600)
  }

  @Test("A killed daemon's writes without an end are found, oldest first, with the id of their upload")
  func afterAKill() async throws {
    let (single, parts, done) = (WriteMark(), WriteMark(), WriteMark())
    let time = Mutex<Int64>(5000)
    var journal: FileWriteJournal? = try journal(now: {
      time.withLock { time in
        time += 1
        return time
      }
    })
    try await journal?.willWrite(place, mark: parts)
    try await journal?.willWrite(place, mark: done)
    try await journal?.didBegin(upload: "u1", at: place, mark: parts)
    await journal?.didEnd(place, mark: done)
    try await journal?.willWrite(place, mark: single)
    #expect(try directory.leftBehind().isEmpty)
    journal = nil
    let left = try await leftBehind()
    #expect(left.map(\.mark) == [parts, single])
    #expect(left.map(\.upload) == ["u1", nil])
    #expect(left.map(\.time) == [5002, 5006])
    #expect(left.allSatisfy { $0.location == place && $0.label == "lake" })
  }

  @Test(
    "Every key comes back as it was",
    arguments: ["a?b#c", "a//b", "ü", "u\u{308}", "a\nb\"\\", " ", "://", "a/../.", "\u{7F}\u{1}", "%2F%"])
  func oddKeys(_ key: String) async throws {
    let location = ObjectLocation(scheme: "s3a", bucket: "b", key: key)
    var journal: FileWriteJournal? = try journal()
    try await journal?.willWrite(location, mark: WriteMark())
    journal = nil
    #expect(try await leftBehind().map(\.location) == [location])
  }

  @Test("Of two daemons the dead one's writes are found and the living one's are not")
  func twoDaemons() async throws {
    let (first, second) = (WriteMark(), WriteMark())
    var dead: FileWriteJournal? = try journal()
    let living = try journal()
    try await dead?.willWrite(place, mark: first)
    try await living.willWrite(place, mark: second)
    dead = nil
    let left = try await leftBehind()
    #expect(left.map(\.mark) == [first])
    FileWriteJournal.forget(left)
    #expect(try directory.leftBehind().isEmpty)
    #expect(directory.names.count == 1)
    try await living.willWrite(place, mark: WriteMark())
  }

  @Test("Other catalogs' journals are left to them")
  func labels() async throws {
    var journal: FileWriteJournal? = try journal(label: "other")
    try await journal?.willWrite(place, mark: WriteMark())
    journal = nil
    #expect(try await leftBehind("other").count == 1)
    #expect(try directory.leftBehind("lake").isEmpty)
    #expect(try directory.leftBehind("other").count == 1)
  }

  @Test("A line that was cut off does not hide the others, and what is noted behind it counts")
  func tornLine() async throws {
    let (first, second) = (WriteMark(), WriteMark())
    var journal: FileWriteJournal? = try journal()
    try await journal?.willWrite(place, mark: first)
    try await journal?.willWrite(place, mark: second)
    journal = nil
    _ = try await leftBehind()
    try directory.append(#"{"event":"end","location":"s3://b/data/f","mark":"\#(first)","time":1,"label":"lake"}"#, to: directory.names[0])
    let left = try directory.leftBehind()
    #expect(Set(left.map(\.mark)) == [first, second])
    FileWriteJournal.forget(left.filter { $0.mark == first })
    #expect(try directory.leftBehind().map(\.mark) == [second])
    FileWriteJournal.forget(left)
    #expect(directory.names.isEmpty)
  }

  @Test("Lines that nobody can read are passed over")
  func unreadableLines() async throws {
    let mark = WriteMark()
    var journal: FileWriteJournal? = try journal()
    try await journal?.willWrite(place, mark: mark)
    journal = nil
    _ = try await leftBehind()
    try directory.append("{\n\u{0}\n\n{\"event\":\"later\",\"time\":1,\"label\":\"lake\"}\n[1]\n", to: directory.names[0])
    #expect(try directory.leftBehind().map(\.mark) == [mark])
  }

  @Test("A journal without open writes goes at its end, one with some stays, and nothing is taken after that")
  func close() async throws {
    let idle = try journal()
    let mark = WriteMark()
    try await idle.willWrite(place, mark: mark)
    await idle.didEnd(place, mark: mark)
    await idle.close()
    #expect(directory.names.isEmpty)
    let busy = try journal()
    try await busy.willWrite(place, mark: mark)
    await busy.close()
    #expect(try directory.leftBehind().map(\.mark) == [mark])
    let error = await #expect(throws: FileIOError.self) { try await busy.willWrite(place, mark: WriteMark()) }
    #expect(error?.code == .cancelled)
    await busy.didEnd(place, mark: mark)
    await busy.close()
    #expect(try directory.leftBehind().count == 1)
  }

  @Test("A dead daemon's journal without open writes, or without a line, is removed")
  func emptyJournals() async throws {
    var journal: FileWriteJournal? = try journal()
    let mark = WriteMark()
    try await journal?.willWrite(place, mark: mark)
    await journal?.didEnd(place, mark: mark)
    #expect(await becomesTrue { (try? directory.text().contains("\"end\"")) ?? false })
    journal = nil
    try directory.append("", to: "x.journal")
    try directory.append("{\"ev", to: "y.journal")
    try directory.append("not a journal", to: "z.txt")
    #expect(await becomesTrue { (try? directory.leftBehind())?.isEmpty == true && directory.names == ["z.txt"] })
  }

  @Test("Many writers at once are all kept")
  func manyAtOnce() async throws {
    var journal: FileWriteJournal? = try journal()
    let marks = (0..<300).map { _ in WriteMark() }
    try await withThrowingTaskGroup(of: Void.self) { [journal] group in
      for (number, mark) in marks.enumerated() {
        group.addTask { [place] in
          try await journal?.willWrite(place, mark: mark)
          if number % 3 == 0 { await journal?.didEnd(place, mark: mark) }
        }
      }
      try await group.waitForAll()
    }
    await journal?.close()
    journal = nil
    #expect(Set(try directory.leftBehind().map(\.mark)) == Set(marks.enumerated().filter { $0.offset % 3 != 0 }.map(\.element)))
  }

  @Test("A long life does not make a long file, and what is open survives the new ones")
  func rotation() async throws {
    let journal = try FileWriteJournal(directory: directory.path, label: "lake", largestFile: 4000, now: { 1000 })
    let open = WriteMark()
    try await journal.willWrite(place, mark: open)
    try await journal.didBegin(upload: "u", at: place, mark: open)
    for _ in 0..<200 {
      let mark = WriteMark()
      try await journal.willWrite(place, mark: mark)
      await journal.didEnd(place, mark: mark)
    }
    await journal.close()
    #expect(directory.names.count == 1)
    #expect(try directory.bytes(directory.names[0]).count < 5000)
    let left = try directory.leftBehind()
    #expect(left.map(\.mark) == [open] && left.map(\.upload) == ["u"])
  }

  @Test("A write that two journals name, as after a kill between two files, is one")
  func namedTwice() async throws {
    let mark = WriteMark()
    for upload in [nil, "u"] {
      var journal: FileWriteJournal? = try journal()
      try await journal?.willWrite(place, mark: mark)
      if let upload { try await journal?.didBegin(upload: upload, at: place, mark: mark) }
      await journal?.close()
      journal = nil
    }
    let left = try directory.leftBehind()
    #expect(left.count == 1 && left.first?.upload == "u" && left.first?.journals.count == 2)
    FileWriteJournal.forget(left)
    #expect(directory.names.isEmpty)
  }

  @Test("A directory that cannot keep a journal is refused with what is wrong and how to mend it")
  func badDirectories() async throws {
    func message(_ path: String) -> String {
      let error = #expect(throws: FileIOError.self) { _ = try FileWriteJournal(directory: path, label: "lake") }
      #expect(error?.code == .failed)
      return error?.message ?? ""
    }
    #expect(message("\(directory.path)/deep").contains("its parent directory must exist"))
    #expect(message("/proc/bergfs").contains("cannot be created"))
    Glibc.close(open(directory.path, O_CREAT | O_WRONLY, 0o600))
    #expect(message(directory.path).contains("Not a directory"))
    unlink(directory.path)
    mkdir(directory.path, 0o700)
    chmod(directory.path, 0o777)
    #expect(message(directory.path).contains("others may write to it"))
    #expect(try FileWriteJournal.leftBehind(in: "/nonexistent/x", label: "lake").isEmpty)
  }

  private func journal(label: String = "lake", now: @escaping @Sendable () -> Int64 = { 1000 }) throws -> FileWriteJournal {
    try FileWriteJournal(directory: directory.path, label: label, now: now)
  }

  /// The lock goes with the last reference, which the journal's thread may hold for a moment.
  private func leftBehind(_ label: String = "lake") async throws -> [AbandonedWrite] {
    _ = await becomesTrue { (try? directory.leftBehind(label))?.isEmpty == false }
    return try directory.leftBehind(label)
  }
}
