// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ObjectCache

@Suite("The block table")
struct BlockTableTests {
  private static let blockSize = BlockGeometry.blockSize
  private let budget = MemoryBudget(limit: 64 << 20)
  private let pool = BlockPool(limit: 64 << 20)

  private func block(_ index: Int64, object: UInt64 = 1) throws -> Block {
    #expect(budget.tryReserve(Self.blockSize))
    let region = try #require(pool.take(Self.blockSize))
    return Block(id: BlockID(object: object, index: index), size: Self.blockSize, region: region, pool: pool, budget: budget)
  }

  private func evict(_ table: inout BlockTable, blocks: Int, sparingWindow: Bool = false) -> [Int64] {
    var evicted: [Block] = []
    table.evict(bytes: blocks * Self.blockSize, sparingWindow: sparingWindow, into: &evicted)
    return evicted.map(\.id.index)
  }

  @Test("The oldest block goes first")
  func oldestFirst() throws {
    var table = BlockTable(limit: 8 * Self.blockSize)
    for index in 0..<Int64(4) { _ = table.insert(try block(index), .recent) }
    #expect(evict(&table, blocks: 2) == [0, 1])
    #expect(table.bytes == 2 * Self.blockSize)
  }

  @Test("A pass over many blocks leaves those that were read twice")
  func scanResistance() throws {
    var table = BlockTable(limit: 8 * Self.blockSize)
    for index in 0..<Int64(4) {
      _ = table.insert(try block(index), .recent)
      table.touch(BlockID(object: 1, index: index), 0b11)
      table.touch(BlockID(object: 1, index: index), 0b01)
    }
    for index in 100..<Int64(140) {
      _ = table.insert(try block(index), .recent)
      for chunk in 0..<8 { table.touch(BlockID(object: 1, index: index), 1 << UInt64(chunk)) }
      while table.bytes > 8 * Self.blockSize { #expect(evict(&table, blocks: 1).allSatisfy { $0 >= 100 }) }
    }
    for index in 0..<Int64(4) { #expect(table.peek(BlockID(object: 1, index: index)) != nil) }
  }

  @Test("Blocks fetched ahead are spared until touched")
  func window() throws {
    var table = BlockTable(limit: 8 * Self.blockSize)
    _ = table.insert(try block(0), .window)
    _ = table.insert(try block(1), .recent)
    #expect(table.windowBytes == Self.blockSize)
    #expect(evict(&table, blocks: 2, sparingWindow: true) == [1])
    table.touch(BlockID(object: 1, index: 0), 1)
    #expect(table.windowBytes == 0)
    #expect(evict(&table, blocks: 1, sparingWindow: true) == [0])
  }

  @Test("Blocks fetched ahead and given up, or long untouched, are evicted like others")
  func abandoned() throws {
    var table = BlockTable(limit: 8 * Self.blockSize)
    for index in 0..<Int64(4) { _ = table.insert(try block(index), .window) }
    table.abandon(BlockID(object: 1, index: 2))
    #expect(evict(&table, blocks: 4, sparingWindow: true) == [2])
    table.abandonStale(age: 2)
    #expect(evict(&table, blocks: 4, sparingWindow: true) == [0])
  }

  @Test("A block that is being fetched stays")
  func fetching() throws {
    var table = BlockTable(limit: 8 * Self.blockSize)
    let fetched = try block(0)
    _ = fetched.claim(1, need: 0)
    _ = table.insert(fetched, .recent)
    _ = table.insert(try block(1), .recent)
    #expect(evict(&table, blocks: 2) == [1])
    fetched.publish(1)
    #expect(evict(&table, blocks: 2) == [0])
  }

  @Test("Too many blocks push out the oldest")
  func maximumCount() throws {
    var table = BlockTable(limit: 8 * Self.blockSize, maximumCount: 2)
    for index in 0..<Int64(2) { #expect(table.insert(try block(index), .recent) == nil) }
    #expect(table.insert(try block(2), .recent)?.id.index == 0)
    #expect(table.count == 2)
  }

  @Test(
    "Masks and runs of chunks agree at the edges", arguments: [0..<1, 0..<16_384, 16_383..<16_385, 0..<1_048_576, 1_000_000..<1_048_576])
  func masks(range: Range<Int>) throws {
    let mask = BlockGeometry.mask(range)
    let run = try #require(BlockGeometry.runs(mask, size: Self.blockSize).first)
    #expect(BlockGeometry.runs(mask, size: Self.blockSize).count == 1)
    #expect(run.lowerBound == range.lowerBound / 16_384 * 16_384)
    #expect(run.upperBound == (range.upperBound + 16_383) / 16_384 * 16_384)
  }
}
