// SPDX-License-Identifier: Apache-2.0

import Iceberg
import ObjectCache
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import CatalogFS

@Suite struct ViewInodeTests {
  @Test("Files of snapshots have one inode whatever snapshot shows them, and are let go of beyond the bound like objects")
  func bounded() async throws {
    let lake = ViewLake(ttl: .seconds(3600))
    let data = "\(ViewLake.place)/data"
    let first = lake.put("m1", TestManifest(version: 2, (0..<300).map { TestManifest.Entry("\(data)/day=\($0 % 3)/\($0).parquet") }))
    lake.put(list: 1, [first])
    lake.put(list: 2, [first, lake.put("m2", TestManifest(version: 2, [TestManifest.Entry("\(data)/day=0/new.parquet")]), addedBy: 2)])
    lake.commit([.init(id: 1, timestamp: 1_000), .init(id: 2, timestamp: 2_000)])
    let asked = Mutex<[DroppableInode]>([])
    let metrics = Metrics()
    let filesystem = CatalogFilesystem(
      catalog: lake.tree.catalog, cache: BlockCache(budget: MemoryBudget(limit: 1 << 20), metrics: metrics),
      options: CatalogFilesystemOptions(metadataTTL: .seconds(3600), mountTime: 1), control: ControlContent { _ in [] }, metrics: metrics,
      digest: testDigest, now: { ContinuousClock.now }, inodeLimits: InodeTable.Limits(most: 200, youngest: 50),
      dropInodes: { inodes in asked.withLock { $0 += inodes } })
    func find(_ path: String) async throws -> UInt64 {
      var inode: UInt64 = 1
      for name in path.split(separator: "/") {
        inode = try await filesystem.lookup(parent: inode, name: Array(name.utf8)).attributes.inode
      }
      return inode
    }
    let views = "sales/orders/.iceberg/snapshots"
    #expect(try await find("\(views)/1/data/day=0/3.parquet") == find("\(views)/2/data/day=0/3.parquet"))
    for number in 0..<300 { _ = try await find("\(views)/1/data/day=\(number % 3)/\(number).parquet") }
    #expect(await becomesTrue { asked.withLock { $0.count } > 100 })
    for inode in asked.withLock({ $0 }) { filesystem.forget(inode: inode.inode, count: .max) }
    #expect(filesystem.inodeCount < 200)
    // What was let go of is found again without a request.
    lake.files.faults.forgetCalls()
    _ = try await find("\(views)/1/data/day=0/0.parquet")
    #expect(lake.files.faults.calls.isEmpty)
  }
}
