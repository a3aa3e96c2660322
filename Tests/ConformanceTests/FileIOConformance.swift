// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import Testing

/// What every ``FileIO`` has to do, whatever is behind it.
struct FileIOConformance {
  let fixture: any FileIOFixture

  private var files: any FileIO { fixture.files }

  // MARK: keys

  func headsAndReadsOddKeys() async throws {
    for key in ConformanceObjects.oddKeys {
      let content = ConformanceObjects.bytes(of: key)
      let attributes = try await files.head(place(key))
      #expect(attributes.location == place(key))
      #expect(attributes.size == Int64(content.count), "\(key.debugDescription)")
      #expect(!attributes.etag.isEmpty)
      #expect((attributes.modified ?? 0) > 0)
      #expect(try await bytes(of: key, etag: attributes.etag, 0..<1000) == content, "\(key.debugDescription)")
    }
  }

  func listsOddKeysAsTheyAre() async throws {
    let listed = try await everything(prefix: "odd/", isDirectory: false)
    #expect(listed.prefixes.isEmpty)
    #expect(Set(listed.objects.map { Array($0.location.key.utf8) }) == Set(ConformanceObjects.oddKeys.map { Array($0.utf8) }))
    #expect(listed.objects.count == ConformanceObjects.oddKeys.count)
    for object in listed.objects {
      #expect(try await files.head(object.location).etag == object.etag)
      #expect(object.size == Int64(object.location.key.utf8.count))
      #expect((object.modified ?? 0) > 0)
    }
  }

  // MARK: listings

  func listsInTheOrderOfBytes() async throws {
    let listed = try await everything(prefix: "tree/", isDirectory: false)
    #expect(listed.objects.map(\.location.key) == ["tree/a", "tree/a-b", "tree/a.b", "tree/a/1", "tree/a/2", "tree/b/c/d", "tree/z"])
  }

  func groupsAtSlashes() async throws {
    let tree = try await everything(prefix: "tree/", isDirectory: true)
    #expect(tree.objects.map(\.location.key) == ["tree/a", "tree/a-b", "tree/a.b", "tree/z"])
    #expect(tree.prefixes == ["tree/a/", "tree/b/"])
    let odd = try await everything(prefix: "odd/", isDirectory: true)
    #expect(Set(odd.prefixes) == ["odd/../", "odd/a/", "odd//", "odd/trailing/"])
    let top = try await everything(prefix: "", isDirectory: true)
    // Another test keeps its own objects below `versions/` for a while.
    #expect(top.prefixes.filter { $0 != "versions/" } == ["many/", "odd/", "ranges/", "tree/"])
    #expect(top.objects.isEmpty)
  }

  func listsPageByPage() async throws {
    var token: String?
    var keys: [String] = []
    var pages = 0
    repeat {
      let page = try await files.list(
        bucket: fixture.bucket, prefix: "many/", isDirectory: pages % 2 == 0, from: token.map { .token($0) } ?? .start)
      #expect(page.objects.count <= 1000)
      keys += page.objects.map(\.location.key)
      token = page.next
      pages += 1
    } while token != nil && pages < 10
    #expect(keys == ConformanceObjects.manyKeys)
    #expect(pages == 3)
  }

  func listsFromBehindAKey() async throws {
    let keys = ConformanceObjects.manyKeys
    let page = try await files.list(bucket: fixture.bucket, prefix: "many/", isDirectory: true, from: .key(keys[1_500]))
    #expect(page.objects.first?.location.key == keys[1_501])
    #expect(page.objects.count == min(1_000, keys.count - 1_501))
    let absent = try await files.list(bucket: fixture.bucket, prefix: "many/", isDirectory: false, from: .key(keys[10] + "!"))
    #expect(absent.objects.first?.location.key == keys[11])
  }

  func listsNothingUnderAnAbsentPrefix() async throws {
    let page = try await files.list(bucket: fixture.bucket, prefix: "absent/", isDirectory: true, from: .start)
    #expect(page.objects.isEmpty && page.prefixes.isEmpty && page.next == nil)
  }

  // MARK: reading

  func readsRangesAtTheEdges() async throws {
    let content = ConformanceObjects.rangeBytes
    let size = Int64(content.count)
    let etag = try await files.head(place(ConformanceObjects.rangeKey)).etag
    for range: Range<Int64> in [
      0..<1, 0..<size, 0..<(size + 1), 1..<2, (size - 1)..<size, (size - 1)..<(size + 100), 65_535..<65_537, 12_345..<99_999,
      size..<(size + 1), (size + 5)..<(size + 9), 0..<Int64.max, 7..<7, size..<size,
    ] {
      let expected = content[Int(min(range.lowerBound, size))..<Int(min(range.upperBound, size))]
      #expect(try await bytes(of: ConformanceObjects.rangeKey, etag: etag, range) == Array(expected), "\(range)")
    }
  }

  func readsEmptyObjects() async throws {
    let attributes = try await files.head(place(ConformanceObjects.emptyKey))
    #expect(attributes.size == 0)
    for range: Range<Int64> in [0..<0, 0..<1, 0..<100, 5..<10] {
      #expect(try await bytes(of: ConformanceObjects.emptyKey, etag: attributes.etag, range) == [])
    }
  }

  func stopsWhenTheSinkWantsNoMore() async throws {
    let sink = RecordingSink(limit: 0)
    let delivered = try await files.read(place(ConformanceObjects.rangeKey), etag: nil, range: 0..<100_000, into: sink)
    #expect(delivered == 0)
    #expect(sink.bytes.isEmpty)
  }

  func refusesNegativePositions() async {
    await expect(.invalid) { _ = try await bytes(of: ConformanceObjects.rangeKey, etag: nil, -1..<5) }
  }

  // MARK: versions

  func keepsVersionsApart() async throws {
    let key = "versions/replaced"
    try await fixture.put([(key, Array("first".utf8)), ("versions/deleted", Array("gone".utf8))])
    let first = try await files.head(place(key))
    let deleted = try await files.head(place("versions/deleted"))
    try await fixture.put([(key, Array("second".utf8))])
    try await fixture.delete(["versions/deleted"])

    let second = try await files.head(place(key))
    #expect(second.etag != first.etag)
    await expect(.changed) { _ = try await bytes(of: key, etag: first.etag, 0..<3) }
    #expect(try await bytes(of: key, etag: second.etag, 0..<3) == Array("sec".utf8))
    #expect(try await bytes(of: key, etag: nil, 0..<100) == Array("second".utf8))

    await expect(.changed) { _ = try await bytes(of: "versions/deleted", etag: deleted.etag, 0..<3) }
    await expect(.notFound) { _ = try await bytes(of: "versions/deleted", etag: nil, 0..<3) }
    await expect(.notFound) { _ = try await files.head(place("versions/deleted")) }
    try await fixture.delete([key])
  }

  // MARK: errors

  func missingObjectsAreNotFound() async {
    await expect(.notFound) { _ = try await files.head(place("absent")) }
    await expect(.notFound) { _ = try await bytes(of: "absent", etag: nil, 0..<3) }
    await expect(.changed) { _ = try await bytes(of: "absent", etag: "\"0123456789abcdef0123456789abcdef\"", 0..<3) }
  }

  func missingBucketsFail() async {
    let bucket = "no-such-bucket-anywhere"
    await expect(.notFound) { _ = try await files.head(ObjectLocation(bucket: bucket, key: "k")) }
    let reading = await expect(.failed) {
      _ = try await files.read(ObjectLocation(bucket: bucket, key: "k"), etag: nil, range: 0..<1, into: RecordingSink())
    }
    let listing = await expect(.failed) { _ = try await files.list(bucket: bucket, prefix: "", isDirectory: true, from: .start) }
    for error in [reading, listing] {
      #expect(error?.message.contains("the bucket '\(bucket)' does not exist") == true, "\(String(describing: error))")
    }
  }

  func wrongSecretsAreDenied() async {
    let denied = fixture.deniedFiles
    await expect(.denied) { _ = try await denied.head(place("tree/a")) }
    await expect(.denied) { _ = try await denied.read(place("tree/a"), etag: nil, range: 0..<1, into: RecordingSink()) }
    await expect(.denied) { _ = try await denied.list(bucket: fixture.bucket, prefix: "", isDirectory: true, from: .start) }
  }

  func cancelledCallsEnd() async {
    let (files, place) = (files, place(ConformanceObjects.rangeKey))
    let task = Task {
      // A task of its own is cancelled from the start: nothing it asks for may be given.
      await withTaskCancellationHandler {
        while !Task.isCancelled { await Task.yield() }
      } onCancel: {
      }
      _ = try await files.read(place, etag: nil, range: 0..<100_000, into: RecordingSink())
    }
    task.cancel()
    let error = await #expect(throws: FileIOError.self) { try await task.value }
    #expect(error?.code == .cancelled)
  }

  // MARK: locations

  func readsLocations() throws {
    #expect(try files.location("s3a://b/x//%20/../y?v#f") == ObjectLocation(scheme: "s3a", bucket: "b", key: "x//%20/../y"))
    #expect(try files.location("s3://b") == ObjectLocation(bucket: "b", key: ""))
    let error = #expect(throws: FileIOError.self) { _ = try files.location("no/scheme") }
    #expect(error?.code == .invalid)
    #expect(error?.message == "Invalid S3 URI, cannot determine scheme: no/scheme")
  }

  // MARK: private

  private func place(_ key: String) -> ObjectLocation {
    ObjectLocation(bucket: fixture.bucket, key: key)
  }

  private func bytes(of key: String, etag: String?, _ range: Range<Int64>) async throws -> [UInt8] {
    let sink = RecordingSink()
    let delivered = try await files.read(place(key), etag: etag, range: range, into: sink)
    #expect(delivered == Int64(sink.bytes.count))
    return sink.bytes
  }

  private func everything(prefix: String, isDirectory: Bool) async throws -> ObjectListing {
    var all = ObjectListing(objects: [], prefixes: [], next: nil)
    var token: String?
    repeat {
      let page = try await files.list(
        bucket: fixture.bucket, prefix: prefix, isDirectory: isDirectory, from: token.map { .token($0) } ?? .start)
      all.objects += page.objects
      all.prefixes += page.prefixes
      token = page.next
    } while token != nil
    return all
  }

  @discardableResult
  private func expect(
    _ code: FileIOError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
  ) async -> FileIOError? {
    let error = await #expect(throws: FileIOError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
    return error
  }
}

/// Keeps what it gets, up to a limit.
final class RecordingSink: RangeSink {
  private let state = Mutex([UInt8]())
  private let limit: Int

  init(limit: Int = .max) {
    self.limit = limit
  }

  var bytes: [UInt8] { state.withLock { $0 } }

  func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
    state.withLock { bytes in
      guard bytes.count + piece.count <= limit else { return false }
      bytes.append(contentsOf: piece)
      return true
    }
  }
}
