// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Iceberg
import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

/// A cache directory and an object, read by one mount after the other.
final class DiskCacheFixture: Sendable {
  let path: String
  let fileIO: InMemoryFileIO
  let object: ObjectAttributes
  /// What stores believe to be the time that has passed.
  let elapsed = Mutex(Duration.zero)
  private let start = ContinuousClock.now

  private let isOwn: Bool

  /// - Parameters:
  ///   - size: bytes of the object, at most 24 MiB.
  ///   - place: a directory that is there; nil makes one.
  init(size: Int64, at place: String? = nil) throws {
    isOwn = place == nil
    path = place ?? "/tmp/bergfs-disk-test-\(UUID().uuidString)"
    if isOwn { #expect(mkdir(path, 0o700) == 0) }
    fileIO = InMemoryFileIO(buckets: ["lake"])
    object = fileIO.put(ReadPathFixture.location, Array(ReadPathFixture.content.prefix(Int(size))))
  }

  deinit {
    if isOwn { try? FileManager.default.removeItem(atPath: path) }
  }

  /// 16 bytes of two FNV-1a sums.
  static let digest: @Sendable ([UInt8]) -> [UInt8] = { bytes in
    [0xCBF2_9CE4_8422_2325, 0x8422_2325_CBF2_9CE4].flatMap { (start: UInt64) in
      let sum = bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      return (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt64($0))) }
    }
  }

  /// One life of a daemon: an empty memory before the directory.
  func mounted<Result>(
    limit: Int64? = 1 << 30, memory: Int64 = 64 << 20, store: String = "http://store",
    digest: @escaping @Sendable ([UInt8]) -> [UInt8] = DiskCacheFixture.digest,
    _ body: (DiskMount) async throws -> Result
  ) async throws -> Result {
    let metrics = Metrics()
    let log = LogRecord()
    let parts = DiskBlockStore.Parts(
      store: store, digest: digest,
      startThread: { name, body in
        let thread = Thread { body() }
        thread.name = name
        thread.start()
        return true
      }, now: { [start, self] in start + self.elapsed.withLock { $0 } })
    let disk = try DiskBlockStore(path: path, limit: limit, parts: parts, metrics: metrics, logger: log.logger)
    let cached = ReadPathFixture(fileIO: fileIO, object: object, memory: memory, metrics: metrics, disk: disk)
    fileIO.faults.forgetCalls()
    do {
      let mount = DiskMount(disk: disk, metrics: metrics, log: log, cached: cached)
      let result = try await body(mount)
      await mount.settle()
      await disk.close(within: .seconds(60))
      return result
    } catch {
      await disk.close(within: .seconds(60))
      throw error
    }
  }

  /// Reads the whole object in a life of its own, and says whether it was right and how many requests it took.
  func readThrough(limit: Int64? = 1 << 30) async throws -> (isExact: Bool, requests: Int, metrics: Metrics) {
    try await mounted(limit: limit) { mount in
      let isExact = await mount.reads(0..<object.size)
      await mount.settle()
      return (isExact, mount.cached.requests.count, mount.metrics)
    }
  }

  /// Names of the blocks' files, sorted.
  var files: [String] { names.filter { DiskBlockName(fileName: $0) != nil } }
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
  /// Bytes of the disk in all files.
  var bytes: Int64 {
    files.reduce(0) { sum, name in
      var status = stat()
      return stat("\(path)/\(name)", &status) == 0 ? sum + max(Int64(status.st_blocks) * 512, 4096) : sum
    }
  }

  /// The file of a block of the object.
  func file(_ index: Int64, store: String = "http://store") throws -> String {
    let object = try #require(DiskObject(object, store: store, digest: Self.digest))
    return "\(path)/\(object.block(index).name.fileName)"
  }

  /// Says when a file was last used.
  func setAge(of file: String, seconds: Int) {
    let time = timespec(tv_sec: Glibc.time(nil) - seconds, tv_nsec: 0)
    #expect(utimensat(AT_FDCWD, file, [time, time], 0) == 0)
  }
}

/// What a test has of one life of a daemon.
struct DiskMount: Sendable {
  let disk: DiskBlockStore
  let metrics: Metrics
  let log: LogRecord
  let cached: ReadPathFixture

  /// Reads a range, 128 KiB at a time as the kernel does, by a handle of its own; false unless every byte is the object's.
  func reads(_ range: Range<Int64>) async -> Bool {
    let reader = cached.reader()
    defer { reader.close() }
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: 128 << 10) {
      guard await read(offset, Int(min(range.upperBound - offset, 128 << 10)), by: reader) else { return false }
    }
    return true
  }

  /// One read by a handle of its own: no read-ahead.
  func touches(_ offset: Int64, _ size: Int) async -> Bool {
    let reader = cached.reader()
    defer { reader.close() }
    return await read(offset, size, by: reader)
  }

  private func read(_ offset: Int64, _ size: Int, by reader: ObjectReader) async -> Bool {
    do {
      return cached.matches(try await reader.read(offset: offset, size: size), at: offset, size: size)
    } catch {
      Issue.record(error)
      return false
    }
  }

  /// Waits until nothing is fetched any more, from the disk or from the server.
  func settle() async {
    let isSettled = await becomesTrue { cached.cache.fetchesInFlight == 0 }
    #expect(isSettled)
  }

  /// Waits until a metric has reached a value.
  func reaches(_ metric: Metric, _ value: Int64) async -> Bool {
    await becomesTrue { metrics.value(metric) >= value }
  }
}

/// What was logged.
final class LogRecord: Sendable {
  private let lines = Mutex<[(level: Logger.Level, text: String)]>([])

  var warnings: [String] { lines.withLock { $0.filter { $0.level >= .warning }.map(\.text) } }
  var logger: Logger { Logger(label: "test") { _ in Handler(record: self) } }

  private struct Handler: LogHandler {
    let record: LogRecord
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      record.lines.withLock { $0.append((event.level, "\(event.message)\(facts)")) }
    }
  }
}

/// Counts calls from any thread.
final class LockedCount: Sendable {
  private let value = Mutex(0)

  /// How many there were before.
  func next() -> Int {
    value.withLock { count in
      defer { count += 1 }
      return count
    }
  }
}
