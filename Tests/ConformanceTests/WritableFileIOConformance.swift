// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import Testing

/// What every ``WritableFileIO`` has to do, whatever is behind it.
struct WritableFileIOConformance {
  let files: any WritableFileIO
  let bucket: String
  /// Keys of one run do not meet those of another.
  let prefix = "run-\(RandomUUID.text())/"

  func writesWhatWasGiven() async throws {
    for (number, size) in [0, 1, 100_003, 5_242_880, 11_000_000].enumerated() {
      let content = Self.content(size, seed: number)
      let created = place("created-\(size)")
      let attributes = try await files.create(created, from: BytesContent(content), options: WriteOptions())
      try await expect(created, holds: content, attributes)
      let streamed = place("streamed-\(size)")
      let writer = try files.writer(streamed, expectedSize: nil, options: WriteOptions())
      var offset = 0
      while offset < size {
        let end = min(offset + 1_300_007, size)
        try await writer.append(Array(content[offset..<end]))
        offset = end
      }
      #expect(writer.count == Int64(size))
      try await expect(streamed, holds: content, try await writer.finish())
      let copied = place("copied-\(size)")
      try await expect(copied, holds: content, try await files.copy(attributes, to: copied, options: WriteOptions()))
    }
  }

  func takesOddKeys() async throws {
    for key in ConformanceObjects.oddKeys {
      let location = place(key)
      let attributes = try await files.create(location, from: BytesContent(Array(key.utf8)), options: WriteOptions())
      try await expect(location, holds: Array(key.utf8), attributes)
    }
  }

  func replacesNothing() async throws {
    for size in [10, 6_000_000] {
      let location = place("taken-\(size)")
      let first = Self.content(size, seed: 1)
      let attributes = try await files.create(location, from: BytesContent(first), options: WriteOptions())
      let second = BytesContent(Self.content(size, seed: 2))
      await expect(.exists) { _ = try await files.create(location, from: second, options: WriteOptions()) }
      await expect(.exists) {
        let writer = try files.writer(location, expectedSize: Int64(size), options: WriteOptions())
        try await writer.append(try await second.bytes(0..<second.size))
        _ = try await writer.finish()
      }
      let other = try await files.create(place("other-\(size)"), from: second, options: WriteOptions())
      await expect(.exists) { _ = try await files.copy(other, to: location, options: WriteOptions()) }
      try await expect(location, holds: first, attributes)
    }
  }

  func givesANameToOneOfMany() async throws {
    for size in [10, 6_000_000] {
      let location = place("contested-\(size)")
      let files = files
      let winners = await withTaskGroup(of: (Int, Bool).self) { group in
        for number in 0..<8 {
          group.addTask {
            let content = BytesContent(Self.content(size, seed: number))
            return (number, (try? await files.create(location, from: content, options: WriteOptions())) != nil)
          }
        }
        return await group.reduce(into: [Int]()) { if $1.1 { $0.append($1.0) } }
      }
      #expect(winners.count == 1)
      let content = try await bytes(location)
      #expect(content == Self.content(size, seed: winners.first ?? -1))
    }
  }

  func copiesOnlyTheVersionNamed() async throws {
    let location = place("source")
    var source = try await files.create(location, from: BytesContent([1, 2, 3]), options: WriteOptions())
    try await files.delete(location, etag: nil)
    _ = try await files.create(location, from: BytesContent([4, 5, 6]), options: WriteOptions())
    await expect(.changed) { _ = try await files.copy(source, to: place("copy"), options: WriteOptions()) }
    source.location = place("never")
    await expect(.changed) { _ = try await files.copy(source, to: place("copy"), options: WriteOptions()) }
    await expect(.notFound) { _ = try await files.head(place("copy")) }
  }

  func deletesOnlyTheVersionNamed() async throws {
    let location = place("doomed")
    let mark = WriteMark()
    let attributes = try await files.create(location, from: BytesContent([1]), options: WriteOptions(mark: mark))
    await expect(.changed) { try await files.delete(location, etag: "\"not-it\"") }
    #expect(try await !files.deleteOwn(location, mark: WriteMark()))
    _ = try await files.head(location)
    try await files.delete(location, etag: attributes.etag)
    await expect(.notFound) { _ = try await files.head(location) }
    try await files.delete(location, etag: nil)
    #expect(try await !files.deleteOwn(location, mark: mark))
    _ = try await files.create(location, from: BytesContent([1]), options: WriteOptions(mark: mark))
    #expect(try await files.deleteOwn(location, mark: mark))
    await expect(.notFound) { _ = try await files.head(location) }
  }

  func deletesMany() async throws {
    let keys = ConformanceObjects.oddKeys + (0..<40).map { "many-\($0)" }
    let kept = place("kept")
    _ = try await files.create(kept, from: BytesContent([1]), options: WriteOptions())
    for key in keys { _ = try await files.create(place("all/" + key), from: BytesContent([1]), options: WriteOptions()) }
    let missing = [place("all/never"), place("all/never"), place("all/many-1")]
    let nowhere = ObjectLocation(bucket: bucket, key: "")
    let errors = await files.deleteAll(keys.map { place("all/" + $0) } + missing + [nowhere])
    #expect(errors.dropLast().allSatisfy { $0 == nil } && errors.last??.code == .invalid, "\(errors.compactMap { $0 })")
    #expect(errors.count == keys.count + 4)
    let left = try await files.list(bucket: bucket, prefix: prefix + "all/", isDirectory: false, from: .start)
    #expect(left.objects.isEmpty)
    _ = try await files.head(kept)
    #expect(await files.deleteAll([]).isEmpty)
  }

  func knowsItsOwnObjects() async throws {
    let (location, mark) = (place("own"), WriteMark())
    #expect(try await files.ownObject(at: location, mark: mark) == nil)
    let attributes = try await files.create(location, from: BytesContent([1, 2]), options: WriteOptions(mark: mark))
    let own = try await files.ownObject(at: location, mark: mark)
    #expect(own?.etag == attributes.etag && own?.size == 2 && own?.location == location)
    #expect(try await files.ownObject(at: location, mark: WriteMark()) == nil)
    #expect(try await files.pendingUploads(at: location).isEmpty)
  }

  func probesWithoutATrace() async throws {
    let directory = place("probed")
    #expect(await files.probeConditionalWrites(in: directory) == .kept)
    #expect(try await files.list(bucket: bucket, prefix: directory.key, isDirectory: false, from: .start).objects.isEmpty)
  }

  func leavesNothingOfAnAbortedWrite() async throws {
    for size in [10, 7_000_000] {
      let location = place("aborted-\(size)")
      let journal = OpenWrites()
      let writer = try files.writer(location, expectedSize: nil, options: WriteOptions(journal: journal))
      try await writer.append(Self.content(size, seed: 3))
      await writer.abort()
      await expect(.cancelled) { try await writer.append([1]) }
      await expect(.cancelled) { _ = try await writer.finish() }
      await expect(.notFound) { _ = try await files.head(location) }
      #expect(journal.open.isEmpty)
    }
    try await files.abandon(upload: "no-such-upload", at: place("aborted"))
  }

  func tellsTheJournalOfEveryEnd() async throws {
    let journal = OpenWrites()
    for size in [10, 6_000_000] {
      let options = WriteOptions(journal: journal)
      _ = try await files.create(place("told-\(size)"), from: BytesContent(Self.content(size, seed: 4)), options: options)
      #expect(journal.open.isEmpty)
      await expect(.exists) {
        _ = try await files.create(place("told-\(size)"), from: BytesContent(Self.content(size, seed: 4)), options: options)
      }
      #expect(journal.open.isEmpty)
    }
    #expect(journal.total == 4)
  }

  func refusesPlacesWithoutAKey() async throws {
    await expect(.invalid) {
      _ = try await files.create(ObjectLocation(bucket: bucket, key: ""), from: BytesContent([1]), options: WriteOptions())
    }
  }

  // MARK: parts

  private func place(_ key: String) -> ObjectLocation { ObjectLocation(bucket: bucket, key: prefix + key) }

  static func content(_ size: Int, seed: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ seed &* 97) >> 7) }
  }

  private func bytes(_ location: ObjectLocation) async throws -> [UInt8] {
    let sink = CollectedBytes()
    _ = try await files.read(location, etag: nil, range: 0..<(64 << 20), into: sink)
    return sink.bytes
  }

  private func expect(_ location: ObjectLocation, holds content: [UInt8], _ attributes: ObjectAttributes) async throws {
    let head = try await files.head(location)
    #expect(head.size == Int64(content.count) && attributes.size == head.size, "\(location)")
    #expect(attributes.etag == head.etag, "\(location)")
    #expect(attributes.location == location)
    #expect((attributes.modified ?? 0) > 0)
    // Comparing in the expectation itself would print megabytes.
    let isSame = try await bytes(location) == content
    #expect(isSame, "\(location)")
  }

  private func expect(
    _ code: FileIOError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
  ) async {
    let error = await #expect(throws: FileIOError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
  }
}

/// Knows which writes have not ended.
final class OpenWrites: WriteJournal {
  private let state = Mutex((open: Set<WriteMark>(), total: 0))

  var open: Set<WriteMark> { state.withLock { $0.open } }
  var total: Int { state.withLock { $0.total } }

  func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    state.withLock { state in
      state.open.insert(mark)
      state.total += 1
    }
  }

  func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {}

  func didEnd(_ location: ObjectLocation, mark: WriteMark) async {
    state.withLock { _ = $0.open.remove(mark) }
  }
}

final class CollectedBytes: RangeSink {
  private let content = Mutex([UInt8]())

  var bytes: [UInt8] { content.withLock { $0 } }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    content.withLock { $0.append(contentsOf: bytes) }
    return true
  }
}
