// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Iceberg
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

@Suite("The disk cache")
struct DiskCacheTests {
  @Test("What was read is there after a restart, byte for byte, without a request", arguments: [1, 4096, 1 << 20, 3 << 20 | 12_345])
  func restart(size: Int64) async throws {
    let fixture = try DiskCacheFixture(size: size)
    let first = try await fixture.readThrough()
    #expect(first.isExact && first.requests > 0)
    let blocks = Int((size + mebi - 1) / mebi)
    #expect(fixture.names == fixture.files && fixture.files.count == blocks)
    #expect(first.metrics.value(.diskCacheWrittenBytes) >= size && first.metrics.value(.diskCacheHits) == 0)
    for file in fixture.files {
      var status = stat()
      #expect(stat("\(fixture.path)/\(file)", &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
    let second = try await fixture.readThrough()
    #expect(second.isExact && second.requests == 0)
    #expect(second.metrics.value(.diskCacheHits) >= Int64(blocks) && second.metrics.value(.diskCacheMisses) == 0)
    #expect(second.metrics.value(.diskCacheWrittenBytes) == 0 && second.metrics.value(.bytesFetched) == 0)
    #expect(second.metrics.value(.bytesRead) == size)
  }

  @Test("A cold read takes the same requests with a disk cache as without")
  func coldRequests() async throws {
    let plain = ReadPathFixture(size: 24 * mebi)
    let reader = plain.reader()
    for offset in stride(from: 0, to: 24 * mebi, by: 128 << 10) { _ = try await reader.read(offset: offset, size: 128 << 10) }
    await plain.settle()
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    try await fixture.mounted { mount in
      #expect(await mount.reads(0..<24 * mebi))
      await mount.settle()
      #expect(Set(mount.cached.requests) == Set(plain.requests))
    }
  }

  @Test("Of a range that is there in part, only what is missing is asked for")
  func partlyThere() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    try await fixture.mounted { #expect(await $0.touches(5 * mebi + 256 * kibi, 256 << 10)) }
    try await fixture.mounted { mount in
      #expect(await mount.touches(5 * mebi, 768 << 10))
      #expect(Set(mount.cached.requests) == [5 * mebi..<5 * mebi + 256 * kibi, 5 * mebi + 512 * kibi..<5 * mebi + 768 * kibi])
      #expect(mount.metrics.value(.diskCacheMisses) == 1)
    }
  }

  @Test("Parts of one block that were read in different lives are kept in one file")
  func merged() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    for part in 0..<4 {
      try await fixture.mounted { #expect(await $0.touches(5 * mebi + Int64(part) * 256 * kibi, 256 << 10)) }
      #expect(fixture.files.count == 1)
    }
    try await fixture.mounted { mount in
      #expect(await mount.touches(5 * mebi, 1 << 20))
      #expect(mount.cached.requests == [])
    }
  }

  @Test("A version without an ETag is read, and not kept")
  func withoutVersion() async throws {
    let fixture = try DiskCacheFixture(size: 2 * mebi)
    try await fixture.mounted { mount in
      var object = fixture.object
      object.etag = ""
      let source = SteppedFileIO()
      let reader = ObjectReader(object: object, fileIO: source, cache: mount.cached.cache)
      let read = Task.immediate { try await reader.read(offset: 0, size: 100).count }
      await source.deliver(1152 << 10)
      let count = try await read.value
      #expect(count == 100)
      await source.end()
      reader.close()
    }
    #expect(fixture.names == [])
  }

  @Test("Another version of an object is another block, and so is the same name in another object store")
  func otherVersion() async throws {
    let fixture = try DiskCacheFixture(size: mebi)
    _ = try await fixture.readThrough()
    let changed = fixture.fileIO.put(ReadPathFixture.location, Array(repeating: 7, count: 1 << 20))
    try await fixture.mounted { mount in
      let reader = ObjectReader(object: changed, fileIO: fixture.fileIO, cache: mount.cached.cache)
      let bytes = try await reader.read(offset: 0, size: 1000).array()
      #expect(bytes == Array(repeating: 7, count: 1000))
      reader.close()
      #expect(mount.metrics.value(.diskCacheHits) == 0)
    }
    #expect(fixture.files.count == 2)
    try await fixture.mounted(store: "http://other") { mount in
      let reader = ObjectReader(object: changed, fileIO: fixture.fileIO, cache: mount.cached.cache)
      let bytes = try await reader.read(offset: 0, size: 1000).array()
      #expect(bytes == Array(repeating: 7, count: 1000))
      reader.close()
      #expect(mount.metrics.value(.diskCacheHits) == 0 && mount.metrics.value(.diskCacheDamaged) == 0)
    }
    #expect(fixture.files.count == 3)
  }

  @Test("Keys that share a digest replace each other's files, and no reader gets the other's bytes")
  func collision() async throws {
    let fixture = try DiskCacheFixture(size: 4 * mebi)
    for _ in 0..<3 {
      try await fixture.mounted(digest: { _ in Array(repeating: 1, count: 16) }) { mount in
        #expect(await mount.reads(0..<4 * mebi))
      }
      #expect(fixture.files.count == 1)
    }
  }

  @Test("Reads go on while the thread that writes does not get a turn, and what waits for it takes no memory from readers")
  func stuckWriter() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    let metrics = Metrics()
    let parts = DiskBlockStore.Parts(
      store: "s", digest: DiskCacheFixture.digest,
      startThread: { name, body in
        if name == "bergfs-disk-in" { Thread { body() }.start() }
        return true
      })
    let disk = try DiskBlockStore(path: fixture.path, limit: 1 << 30, parts: parts, metrics: metrics, logger: LogRecord().logger)
    let cached = ReadPathFixture(fileIO: fixture.fileIO, object: fixture.object, memory: 8 << 20, metrics: metrics, disk: disk)
    let mount = DiskMount(disk: disk, metrics: metrics, log: LogRecord(), cached: cached)
    for _ in 0..<3 { #expect(await mount.reads(0..<24 * mebi)) }
    await mount.settle()
    cached.cache.removeAll()
    #expect(cached.budget.used == 0)
    #expect(fixture.names == [])
  }

  @Test("A request for the rest of what the disk had in part fails its reader, and the next read tries anew")
  func failedRest() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    try await fixture.mounted { mount in
      let isExact = await mount.touches(5 * mebi, 256 << 10)
      #expect(isExact)
    }
    try await fixture.mounted { mount in
      fixture.fileIO.faults.fail(with: FileIOError(code: .failed, message: "reset")) { $0.isRead }
      let reader = mount.cached.reader()
      await #expect(throws: FileIOError.self) { try await reader.read(offset: 5 * mebi, size: 512 << 10) }
      reader.close()
      let isExact = await mount.touches(5 * mebi, 512 << 10)
      #expect(isExact)
      #expect(mount.cached.requests.count == 2)
      #expect(Set(mount.cached.requests) == [5 * mebi + 256 * kibi..<5 * mebi + 512 * kibi])
    }
  }

  @Test("Readers that leave while the disk is asked for what is ahead of them leave nothing behind", arguments: [0, 8, 24])
  func earlyLeavers(mebibytesOnDisk: Int64) async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    if mebibytesOnDisk > 0 { try await fixture.mounted { mount in _ = await mount.reads(0..<mebibytesOnDisk * mebi) } }
    try await fixture.mounted(memory: 12 << 20) { mount in
      await withTaskGroup(of: Bool.self) { group in
        for number in 0..<24 {
          group.addTask { await mount.reads(Int64(number % 3) * 4 * mebi..<Int64(number % 3) * 4 * mebi + Int64(number) * 96 * kibi) }
        }
        for await isExact in group { #expect(isExact) }
      }
      await mount.settle()
      mount.cached.cache.removeAll()
      #expect(await becomesTrue { mount.cached.budget.used == 0 })
    }
  }

  @Test("32 readers at random and in sequence, with little memory and a small disk cache that others empty: exact bytes, nothing left")
  func stress() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi - 777)
    for _ in 0..<2 {
      try await fixture.mounted(limit: 16 << 20, memory: 12 << 20) { mount in
        await withTaskGroup(of: Bool.self) { group in
          for number in 0..<32 { group.addTask { await Self.work(mount, number) } }
          group.addTask {
            for file in fixture.files where file.hash % 3 == 0 { unlink("\(fixture.path)/\(file)") }
            return true
          }
          for await isExact in group { #expect(isExact) }
        }
        await mount.settle()
        #expect(mount.cached.budget.highWater <= mount.cached.budget.limit)
        #expect(mount.metrics.value(.diskCacheDamaged) == 0 && mount.metrics.value(.diskCacheErrors) == 0)
      }
    }
  }

  static func work(_ mount: DiskMount, _ number: Int) async -> Bool {
    var generator = SeededGenerator(seed: UInt64(number))
    if number % 4 == 0 { return await mount.reads(0..<mount.cached.object.size) }
    var isExact = true
    for _ in 0..<20 {
      let offset = Int64.random(in: 0..<mount.cached.object.size, using: &generator)
      isExact = await mount.touches(offset, Int.random(in: 1...(1 << 20), using: &generator)) && isExact
    }
    return isExact
  }
}
