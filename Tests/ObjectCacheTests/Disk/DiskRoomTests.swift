// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Telemetry
import TestSupport
import Testing

@testable import ObjectCache

@Suite("The room of the disk cache")
struct DiskRoomTests {
  /// Bytes of a file of a whole block.
  private static let file: Int64 = mebi + 4096

  @Test("Above the limit those blocks go that were not used for longest, also in a later life")
  func oldestFirst() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    _ = try await fixture.readThrough()
    #expect(fixture.files.count == 24)
    for index in 0..<24 { fixture.setAge(of: try fixture.file(Int64(index)), seconds: 10_000 - 100 * (index % 12) - index / 12) }
    // Reading is use.
    try await fixture.mounted { mount in
      #expect(await mount.touches(0, 4096))
      #expect(mount.cached.requests == [])
    }
    try await fixture.mounted(limit: 16 * Self.file) { mount in
      #expect(await becomesTrue { mount.disk.status.limit != nil })
      #expect(mount.disk.status.bytes == fixture.bytes && mount.metrics.value(.diskCacheBytes) == fixture.bytes)
    }
    // A tenth less than the limit holds 14 files; the first read of a file takes two blocks.
    let kept = try (0..<24).filter { access(try fixture.file(Int64($0)), F_OK) == 0 }
    #expect(kept == [0, 1] + [6, 7, 8, 9, 10, 11] + [18, 19, 20, 21, 22, 23])
  }

  @Test("What is read is written as far as the limit allows, and older blocks make room")
  func limit() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi)
    let limit = 16 * Self.file
    for _ in 0..<3 {
      let read = try await fixture.readThrough(limit: limit)
      #expect(read.isExact)
      #expect(fixture.bytes <= limit, "\(fixture.bytes)")
      #expect(fixture.bytes >= limit / 2, "\(fixture.bytes)")
    }
  }

  @Test("Without a limit it is 10 GiB, at most half of what is free or the cache's own")
  func defaultLimit() async throws {
    let fixture = try DiskCacheFixture(size: 2 * mebi)
    try await fixture.mounted(limit: nil) { mount in
      #expect(await becomesTrue { mount.disk.status.limit != nil })
      var status = statvfs()
      #expect(statvfs(fixture.path, &status) == 0)
      let limit = try #require(mount.disk.status.limit)
      #expect(limit <= 10 << 30 && limit >= min(10 << 30, Int64(status.f_bavail) * Int64(status.f_frsize) / 4))
    }
    try await Tmpfs.with(mebibytes: 6) { path in
      let parts = DiskBlockStore.Parts(
        store: "s", digest: DiskCacheFixture.digest,
        startThread: { _, body in
          Thread { body() }.start()
          return true
        })
      let disk = try DiskBlockStore(path: path, limit: nil, parts: parts, metrics: Metrics(), logger: LogRecord().logger)
      #expect(await becomesTrue { disk.status.limit != nil })
      #expect(disk.status.limit == 3 * mebi)
      await disk.close(within: .seconds(1))
    }
  }

  @Test("Two mounts of one directory read and write it at once, each removing what it likes: exact bytes, and the limit for both")
  func shared() async throws {
    let fixture = try DiskCacheFixture(size: 24 * mebi - 777)
    let limit = 16 * Self.file
    try await fixture.mounted(limit: limit, memory: 8 << 20) { one in
      try await fixture.mounted(limit: limit, memory: 8 << 20) { two in
        await withTaskGroup(of: Bool.self) { group in
          for number in 0..<16 {
            let mount = number % 2 == 0 ? one : two
            group.addTask { await DiskCacheTests.work(mount, number) }
          }
          for await isExact in group { #expect(isExact) }
        }
        await one.settle()
        await two.settle()
        for mount in [one, two] {
          #expect(mount.metrics.value(.diskCacheDamaged) == 0 && mount.metrics.value(.diskCacheErrors) == 0)
        }
      }
    }
    // Each sees what the other wrote at its next look, a tenth of the limit later.
    #expect(fixture.bytes <= limit + limit / 5, "\(fixture.bytes)")
    #expect(fixture.names == fixture.files)
    let last = try await fixture.readThrough(limit: limit)
    #expect(last.isExact && last.metrics.value(.diskCacheHits) > 0)
  }

  @Test("What one mount has written the other finds")
  func foundByOthers() async throws {
    let fixture = try DiskCacheFixture(size: 4 * mebi)
    try await fixture.mounted { one in
      try await fixture.mounted { two in
        #expect(await one.reads(0..<4 * mebi))
        #expect(await one.reaches(.diskCacheWrittenBytes, 4 * mebi))
        await one.settle()
        fixture.fileIO.faults.forgetCalls()
        #expect(await becomesTrue { fixture.files.count == 4 })
        #expect(await two.reads(0..<4 * mebi))
        #expect(two.metrics.value(.diskCacheHits) > 0)
      }
    }
  }
}
