// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import CatalogFS

@Suite("Uploading files")
final class UploadingFileTests {
  private let scratch = ScratchDirectory()
  private let files = WatchedFiles()
  private let target = ObjectLocation(bucket: "lake", key: "t/data/new.parquet")
  private let source = ObjectLocation(bucket: "lake", key: "t/data/old.parquet")

  @Test("A small file is one request at its end; an empty one is an object, too", arguments: [0, 1, 1000])
  func small(size: Int) async throws {
    let file = try file()
    #expect(file.isEmpty)
    try await file.write([UInt8](repeating: 7, count: size), at: 0)
    #expect(file.size == Int64(size) && file.isEmpty == (size == 0))
    let object = try await file.finish()
    #expect(object.location == target && object.size == Int64(size))
    #expect(files.uploads == 0 && files.created == 1)
    #expect(try await files.content(target) == [UInt8](repeating: 7, count: size))
    #expect(file.size == Int64(size))
    #expect(await code { try await file.write([1], at: 0) } == .notPermitted)
    #expect(await code { try await file.truncate(to: 0) } == .notPermitted)
    #expect(await code { _ = try await file.read(0..<1) } == .busy)
  }

  @Test("The upload begins with the byte after the head, which is freed here")
  func begins() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
    let file = file(area, streamsAfter: 10_000)
    try await file.write(bytes(10_000), at: 0)
    #expect(files.uploads == 0 && area.used == 12_288)
    #expect(try await file.read(0..<20_000) == bytes(10_000))
    try await file.write([1], at: 10_000)
    #expect(files.uploads == 1 && files.taken == 10_001 && area.used == 0)
    #expect(await code { _ = try await file.read(0..<1) } == .busy)
    _ = try await file.finish()
    #expect(try await files.content(target) == bytes(10_000) + [1])
  }

  @Test("A file in order needs no local room at all")
  func noRoom() async throws {
    let full = try StagingArea(directory: scratch.path, capacity: 8192)
    let other = try full.makeFile()
    try other.write([1], at: 8191)
    for area in [full, try StagingArea(directory: scratch.path, capacity: 0)] {
      let file = file(area, location: target.appending("\(area.capacity)"))
      try await file.write(bytes(100), at: 0)
      try await file.write(bytes(100), at: 100)
      #expect(files.taken == 200)
      _ = try await file.finish()
    }
    #expect(try await files.content(target.appending("0")) == bytes(100) + bytes(100))
    #expect(try await files.content(target.appending("8192")) == bytes(100) + bytes(100))
  }

  @Test("What does not come in order is EFBIG beyond the cap, ENOSPC where others fill the directory, and leaves the content as it was")
  func caps() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 16_384)
    let file = file(area)
    try await file.write(bytes(100), at: 0)
    try await file.write([9], at: 0)
    #expect(await code { try await file.write([1], at: 16_384) } == .tooLarge)
    #expect(await code { try await file.truncate(to: 16_385) } == .tooLarge)
    let other = try area.makeFile()
    try other.write([1], at: 8191)
    #expect(await code { try await file.write([1], at: 10_000) } == .noSpace)
    #expect(await code { try await file.truncate(to: 10_000) } == .noSpace)
    #expect(await code { try await file.write([1], at: .max) } == .tooLarge)
    #expect(await code { try await file.write([1], at: -1) } == .invalid)
    _ = try await file.finish()
    #expect(try await files.content(target) == [9] + bytes(100)[1...])
  }

  @Test("Bytes ahead of the upload wait for the gap to close, with the latest of them; gaps left at the end are zeros")
  func ahead() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
    let file = file(area, streamsAfter: 0)
    try await file.write([1, 1], at: 0)
    try await file.write([4, 4, 4, 4], at: 4)
    try await file.write([10], at: 10)
    #expect(files.taken == 2 && file.size == 11 && area.used == 4096)
    // Over the gap and into what was ahead: the later bytes count.
    try await file.write([2, 2, 3], at: 2)
    #expect(files.taken == 8)
    try await file.truncate(to: 12)
    #expect(files.taken == 8 && file.size == 12)
    _ = try await file.finish()
    #expect(try await files.content(target) == [1, 1, 2, 2, 3, 4, 4, 4, 0, 0, 10, 0])
    #expect(area.used == 0)
  }

  @Test("Bytes ahead that are cut off do not come back as the file grows again")
  func cutAhead() async throws {
    let file = try file(streamsAfter: 0)
    try await file.write([1], at: 0)
    try await file.write([7, 7, 7], at: 3)
    try await file.truncate(to: 4)
    try await file.truncate(to: 6)
    try await file.write([2, 2], at: 1)
    #expect(files.taken == 4)
    _ = try await file.finish()
    #expect(try await files.content(target) == [1, 2, 2, 7, 0, 0])
  }

  @Test("A write or cut behind what is uploaded is EFBIG, says from where on, and the upload goes on")
  func behind() async throws {
    let file = try file(streamsAfter: 0)
    try await file.write(bytes(100), at: 0)
    for attempt in [{ try await file.write([1], at: 99) }, { try await file.truncate(to: 50) }] as [@Sendable () async throws -> Void] {
      do {
        try await attempt()
        Issue.record("a change behind the upload passed")
      } catch let error as FilesystemError {
        #expect(error.code == .tooLarge && error.message.contains("bytes before 100 are uploaded already"))
      }
    }
    try await file.truncate(to: 100)
    _ = try await file.finish()
    #expect(try await files.content(target) == bytes(100))
  }

  @Test("Cut to nothing, a file whose upload has begun begins anew")
  func restarts() async throws {
    let file = try file(streamsAfter: 10)
    try await file.write(bytes(100), at: 0)
    try await file.truncate(to: 0)
    #expect(files.openUploads == 0 && file.isEmpty)
    try await file.write([1, 2], at: 0)
    try await file.write([3], at: 0)
    _ = try await file.finish()
    #expect(try await files.content(target) == [3, 2])
  }

  @Test("More pieces ahead than can be kept in mind are EFBIG, those that join others are not")
  func pieces() async throws {
    let file = try file(streamsAfter: 0)
    try await file.write([1], at: 0)
    for piece in 0..<UploadStream.mostPieces {
      try await file.write([2], at: Int64(2 + 2 * piece))
      if piece % 4096 == 0 { await Task.yield() }
    }
    #expect(await code { try await file.write([2], at: Int64(2 + 2 * UploadStream.mostPieces)) } == .tooLarge)
    try await file.write([3], at: 3)
    await file.abort()
  }

  @Test("A name that is taken is EEXIST; the staged file stays and can be finished later, as can one after any definite failure")
  func exists() async throws {
    let file = try file()
    try await file.write([1, 2, 3], at: 0)
    files.objects.put(target, [0])
    #expect(await code { _ = try await file.finish() } == .exists)
    #expect(try await file.read(0..<9) == [1, 2, 3])
    files.objects.delete(target)
    for (failure, expected) in [(FileIOError.Code.denied, FilesystemError.Code.denied), (.failed, .failed), (.timedOut, .timedOut)] {
      files.objects.faults.fail(with: FileIOError(code: failure, message: "no")) { $0.isWrite }
      #expect(await code { _ = try await file.finish() } == expected)
    }
    try await file.write([4], at: 3)
    let object = try await file.finish()
    #expect(try await files.content(target) == [1, 2, 3, 4])
    #expect(try await file.finish() == object)
  }

  @Test("After an outcome that stays unknown nothing more is sent, and the staged bytes are freed")
  func unknown() async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
    let file = file(area)
    try await file.write([1], at: 0)
    files.objects.faults.fail(with: FileIOError(code: .unknown, message: "lost")) { $0.isWrite }
    #expect(await code { _ = try await file.finish() } == .failed)
    #expect(await code { _ = try await file.finish() } == .failed)
    #expect(await code { try await file.write([1], at: 0) } == .failed)
    #expect(files.objects.faults.count { $0.isWrite } == 1 && area.used == 0)
    #expect(await file.abort() == nil)
  }

  @Test("A failed append is final: writes and finish give the same error, and no upload is left", arguments: [0, 2])
  func appendFails(appends: Int64) async throws {
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 20)
    let file = file(area, streamsAfter: 1)
    let error = FileIOError(code: appends == 0 ? .denied : .tooLarge, message: "part refused", requestID: "R")
    files.appends.fail(with: error) { $0.offset == appends }
    try await file.write([1], at: 0)
    var first: FilesystemError?
    do {
      for offset in 1..<10 as Range<Int64> { try await file.write([1], at: offset) }
    } catch {
      first = error
    }
    let failure = try #require(first)
    #expect(failure.message == "part refused" && failure.requestID == "R" && failure.code == (appends == 0 ? .denied : .tooLarge))
    #expect(files.openUploads == 0 && area.used == 0)
    for operation in [
      { _ = try await file.finish() }, { try await file.write([1], at: 9) }, { try await file.truncate(to: 1) },
      { try await file.truncate(to: 0) },
    ] as [@Sendable () async throws -> Void] {
      #expect(await code(operation) == failure.code)
    }
    #expect(await file.abort() == nil)
  }

  @Test("A stream whose publishing fails is gone, with its error")
  func finishFails() async throws {
    let file = try file(streamsAfter: 0)
    try await file.write([1], at: 0)
    files.objects.put(target, [0])
    #expect(await code { _ = try await file.finish() } == .exists)
    files.objects.delete(target)
    #expect(await code { _ = try await file.finish() } == .exists)
    #expect(files.openUploads == 0)
  }

  @Test("A whole object is copied without its bytes coming here; repeated ranges are taken, too")
  func copies() async throws {
    let old = files.objects.put(source, bytes(1000))
    let file = try file()
    #expect(try await file.copy(of: old, sourceFiles: files, range: 0..<600, at: 0))
    #expect(try await file.copy(of: old, sourceFiles: files, range: 500..<600, at: 500))
    #expect(try await file.read(590..<700) == Array(bytes(1000)[590..<600]))
    files.objects.faults.forgetCalls()
    #expect(try await file.copy(of: old, sourceFiles: files, range: 600..<1000, at: 600))
    #expect(file.size == 1000)
    _ = try await file.finish()
    #expect(files.copied == 1 && files.created == 0)
    #expect(files.objects.faults.count { $0.isRead } == 0)
    #expect(try await files.content(target) == bytes(1000))
  }

  @Test("A part of an object, and one of another kind of store, are read and written")
  func copiesPart() async throws {
    let elsewhere = InMemoryFileIO()
    let old = elsewhere.put(source, bytes(1000))
    for end in [600, 1000] as [Int64] {
      let file = try file(location: target.appending("\(end)"))
      #expect(try await file.copy(of: old, sourceFiles: elsewhere, range: 0..<end, at: 0))
      _ = try await file.finish()
      #expect(try await files.content(target.appending("\(end)")) == Array(bytes(1000)[..<Int(end)]))
    }
    let here = files.objects.put(source, bytes(1000))
    let file = try file()
    #expect(try await file.copy(of: here, sourceFiles: files, range: 0..<999, at: 0))
    _ = try await file.finish()
    #expect(files.copied == 0)
    #expect(try await files.content(target) == Array(bytes(1000)[..<999]))
  }

  @Test("What is no beginning of one object is left to the kernel")
  func refusesCopies() async throws {
    let old = files.objects.put(source, bytes(1000))
    let file = try file()
    #expect(try await !file.copy(of: old, sourceFiles: files, range: 1..<600, at: 0))
    #expect(try await !file.copy(of: old, sourceFiles: files, range: 0..<600, at: 1))
    #expect(try await !file.copy(of: old, sourceFiles: files, range: 1..<600, at: 1))
    #expect(try await !file.copy(of: old, sourceFiles: files, range: 0..<1001, at: 0))
    #expect(try await file.copy(of: old, sourceFiles: files, range: 0..<600, at: 0))
    #expect(try await !file.copy(of: old, sourceFiles: files, range: 601..<700, at: 601))
    let newer = files.objects.put(source, bytes(1000))
    #expect(try await !file.copy(of: newer, sourceFiles: files, range: 600..<700, at: 600))
    let written = try self.file(location: target.appending("written"))
    try await written.write([1], at: 0)
    #expect(try await !written.copy(of: newer, sourceFiles: files, range: 1..<600, at: 1))
    #expect(try await !written.copy(of: newer, sourceFiles: files, range: 0..<600, at: 0))
    #expect(written.size == 1 && file.size == 600)
  }

  @Test("A source that was replaced is ESTALE, when it is copied and when it is read")
  func staleSource() async throws {
    let old = files.objects.put(source, bytes(1000))
    let file = try file()
    #expect(try await file.copy(of: old, sourceFiles: files, range: 0..<1000, at: 0))
    files.objects.put(source, bytes(1000))
    #expect(await code { _ = try await file.finish() } == .stale)
    #expect(await code { try await file.write([1], at: 0) } == .stale)
    #expect(await code { try await file.truncate(to: 2000) } == .stale)
    #expect(file.size == 1000)
    try await file.truncate(to: 0)
    _ = try await file.finish()
    #expect(try await files.content(target).isEmpty)
  }

  @Test("A write after a copy finds the copied bytes: in order they stream, out of order they stay here")
  func writesAfterCopy() async throws {
    let old = files.objects.put(source, bytes(1000))
    let appended = try file(streamsAfter: 500)
    #expect(try await appended.copy(of: old, sourceFiles: files, range: 0..<1000, at: 0))
    try await appended.write([1], at: 1000)
    #expect(files.taken == 1001)
    _ = try await appended.finish()
    #expect(try await files.content(target) == bytes(1000) + [1])

    let changed = try file(location: target.appending("changed"), streamsAfter: 500)
    #expect(try await changed.copy(of: old, sourceFiles: files, range: 0..<1000, at: 0))
    try await changed.truncate(to: 800)
    try await changed.write([1], at: 0)
    #expect(files.uploads == 1)
    _ = try await changed.finish()
    #expect(try await files.content(target.appending("changed")) == [1] + bytes(1000)[1..<800])

    let large = file(try StagingArea(directory: scratch.path, capacity: 500), location: target.appending("large"), streamsAfter: 500)
    #expect(try await large.copy(of: old, sourceFiles: files, range: 0..<1000, at: 0))
    #expect(await code { try await large.write([1], at: 0) } == .tooLarge)
    _ = try await large.finish()
    #expect(files.copied == 1)
  }

  @Test("A file of 300 MiB in order takes the head on the disk and nothing more, and stays with the writer's pace")
  func memory() async throws {
    let counting = WatchedFiles(keepsBytes: false)
    let area = try StagingArea(directory: scratch.path, capacity: 1 << 30)
    let file = UploadingFile(location: target, files: counting, staging: area, options: WriteOptions())
    let chunk = [UInt8](repeating: 3, count: 1 << 20)
    var most: Int64 = 0
    for number in 0..<300 as Range<Int64> {
      try await file.write(chunk, at: number << 20)
      most = max(most, area.used)
      // Nothing is kept between the writes: the writer has every byte, or the staging directory.
      #expect(counting.taken + area.used == (number + 1) << 20)
      if number % 16 == 0 { await Task.yield() }
    }
    #expect(most == 64 << 20)
    #expect(counting.appends.calls.allSatisfy { $0.size <= 1 << 20 })
    #expect(counting.appends.count() == 300)
    await file.abort()
    #expect(counting.openUploads == 0 && area.used == 0)
  }

  private func file(location: ObjectLocation? = nil, streamsAfter: Int64 = 1 << 20) throws -> UploadingFile {
    file(try StagingArea(directory: scratch.path, capacity: 1 << 20), location: location, streamsAfter: streamsAfter)
  }

  private func file(_ area: StagingArea, location: ObjectLocation? = nil, streamsAfter: Int64 = 1 << 20) -> UploadingFile {
    UploadingFile(location: location ?? target, files: files, staging: area, options: WriteOptions(), streamsAfter: streamsAfter)
  }

  private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ 5) } }

  private func code(_ body: () async throws -> Void) async -> FilesystemError.Code? {
    do {
      try await body()
      return nil
    } catch {
      return (error as? FilesystemError)?.code
    }
  }
}
