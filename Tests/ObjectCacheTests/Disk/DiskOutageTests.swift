// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

/// A filesystem in memory, gone after the test.
enum Tmpfs {
  static func with<Result>(mebibytes: Int, _ body: (String) async throws -> Result) async throws -> Result {
    let path = "/tmp/bergfs-disk-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try await run("mount", ["-t", "tmpfs", "-o", "size=\(mebibytes)m,mode=0700", "none", path])
    do {
      let result = try await body(path)
      try await end(path)
      return result
    } catch {
      try await end(path)
      throw error
    }
  }

  static func run(_ program: String, _ arguments: [String]) async throws {
    let status = await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: waitStatus(of: "/usr/bin/\(program)", arguments)) }
    }
    try #require(status == 0, "\(program) \(arguments): wait status \(status)")
  }

  /// Spawned and waited for by its number: no descriptor of ours tells of its end, which programs started meanwhile by other tests could hold open.
  private static func waitStatus(of program: String, _ arguments: [String]) -> Int32 {
    let words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child = pid_t()
    guard posix_spawn(&child, program, nil, nil, words, environ) == 0 else { return -1 }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return -1 }
    }
    return status
  }

  private static func end(_ path: String) async throws {
    try await run("umount", ["-l", path])
    rmdir(path)
  }
}

@Suite("A disk that fails under the disk cache")
struct DiskOutageTests {
  private static let sentence = "the disk cache cannot be written: the mount goes on without it"

  @Test("A full disk: exact bytes, one warning an hour, and blocks are kept again once there is room")
  func full() async throws {
    try await Tmpfs.with(mebibytes: 3) { path in
      let fixture = try DiskCacheFixture(size: 8 * mebi, at: path)
      try Data(Array(repeating: 1, count: 2 << 20)).write(to: URL(fileURLWithPath: "\(path)/other"))
      try await fixture.mounted { mount in
        #expect(await mount.reads(0..<8 * mebi))
        #expect(await mount.reaches(.diskCacheErrors, 1))
        #expect(await becomesTrue { mount.log.warnings.count == 1 })
        #expect(mount.log.warnings == ["\(Self.sentence) directory=\(path) reason=write: No space left on device"])
        #expect(!mount.disk.status.isWritten)
        #expect(fixture.names.allSatisfy { !$0.hasSuffix(".tmp") })
        fixture.elapsed.withLock { $0 += .seconds(61) }
        mount.cached.cache.removeAll()
        #expect(await mount.reads(0..<8 * mebi))
        await mount.settle()
        #expect(mount.log.warnings.count == 1)
        unlink("\(path)/other")
        fixture.elapsed.withLock { $0 += .seconds(61) }
        let written = mount.metrics.value(.diskCacheWrittenBytes)
        #expect(await mount.touches(4 * mebi + 700 * kibi, 4096))
        mount.cached.cache.removeAll()
        #expect(await mount.touches(6 * mebi, 1 << 20))
        #expect(await becomesTrue { mount.metrics.value(.diskCacheWrittenBytes) > written })
        #expect(mount.disk.status.isWritten)
        // Full again: told of once the hour is over.
        for (elapsed, warnings) in [(Duration.seconds(61), 1), (.seconds(3600), 2)] {
          let errors = mount.metrics.value(.diskCacheErrors)
          fixture.elapsed.withLock { $0 += elapsed }
          mount.cached.cache.removeAll()
          #expect(await mount.reads(0..<8 * mebi))
          #expect(await mount.reaches(.diskCacheErrors, errors + 1))
          await mount.settle()
          #expect(await becomesTrue { !mount.disk.status.isWritten && mount.log.warnings.count == warnings })
        }
      }
    }
  }

  @Test("A disk that becomes read-only: what is there is served, damage is not, one warning")
  func readOnly() async throws {
    try await Tmpfs.with(mebibytes: 32) { path in
      let fixture = try DiskCacheFixture(size: 8 * mebi, at: path)
      // Without read-ahead: what comes behind is not there, and would have to be written.
      try await fixture.mounted { mount in
        for block in 0..<4 { #expect(await mount.touches(Int64(block) * mebi, 1 << 20)) }
      }
      #expect(fixture.files.count == 4)
      var bytes = try DamagedFileTests.bytes(of: fixture.file(1))
      bytes[600_000] ^= 4
      try Data(bytes).write(to: URL(fileURLWithPath: fixture.file(1)))
      for file in fixture.files { fixture.setAge(of: "\(path)/\(file)", seconds: 1000) }
      try await fixture.mounted { mount in
        #expect(await becomesTrue { mount.disk.status.limit != nil })
        try await Tmpfs.run("mount", ["-o", "remount,ro", path])
        #expect(await mount.reads(0..<8 * mebi))
        #expect(await becomesTrue { mount.log.warnings.count == 1 })
        #expect(mount.log.warnings.first?.hasPrefix(Self.sentence) == true)
        #expect(mount.log.warnings.first?.hasSuffix("Read-only file system") == true)
        #expect(mount.metrics.value(.diskCacheHits) >= 3 && mount.metrics.value(.diskCacheDamaged) >= 1)
        #expect(mount.metrics.value(.diskCacheErrors) >= 2)
        mount.cached.cache.removeAll()
        #expect(await mount.reads(0..<8 * mebi))
        #expect(mount.log.warnings.count == 1)
      }
    }
  }

  @Test("A directory that is taken away: exact bytes, one warning")
  func gone() async throws {
    let fixture = try DiskCacheFixture(size: 8 * mebi)
    try await fixture.mounted { #expect(await $0.reads(0..<2 * mebi)) }
    try await fixture.mounted { mount in
      #expect(await becomesTrue { mount.disk.status.limit != nil })
      try FileManager.default.removeItem(atPath: fixture.path)
      #expect(await mount.reads(0..<8 * mebi))
      #expect(await becomesTrue { mount.log.warnings.count == 1 })
      #expect(mount.metrics.value(.diskCacheHits) == 0 && mount.metrics.value(.diskCacheErrors) >= 1)
    }
  }

  @Test("A directory that is not there, a file, and a system without threads are errors at the start")
  func unusable() throws {
    let fixture = try DiskCacheFixture(size: 1)
    func start(_ path: String, threads: Int = 2) throws {
      let started = LockedCount()
      let parts = DiskBlockStore.Parts(
        store: "s", digest: DiskCacheFixture.digest,
        startThread: { _, body in
          guard started.next() < threads else { return false }
          Thread { body() }.start()
          return true
        })
      _ = try DiskBlockStore(path: path, limit: nil, parts: parts, metrics: Metrics(), logger: LogRecord().logger)
    }
    let absent = #expect(throws: DiskFailure.self) { try start("\(fixture.path)/absent") }
    #expect(absent.map { "\($0)" } == "open: No such file or directory")
    try Data().write(to: URL(fileURLWithPath: "\(fixture.path)/file"))
    #expect(throws: DiskFailure.self) { try start("\(fixture.path)/file") }
    for threads in [0, 1] {
      let error = #expect(throws: DiskFailure.self) { try start(fixture.path, threads: threads) }
      #expect(error?.call == .thread)
    }
  }
}
