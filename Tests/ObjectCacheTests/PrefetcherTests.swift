// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import ObjectCache

@Suite("The prefetcher")
struct PrefetcherTests {
  private static let size = 1024 * mebi
  private static let room = 1024 * mebi

  private func forward(
    _ prefetcher: inout Prefetcher, from start: Int64, step: Int64, count: Int, room: Int64 = room
  ) -> [Prefetcher.Plan] {
    (0..<Int64(count)).map { prefetcher.read(start + $0 * step..<start + ($0 + 1) * step, room: room) }
  }

  @Test("The first read at the start of a file fetches 1 MiB + 128 KiB in one request and nothing ahead")
  func firstRead() {
    var prefetcher = Prefetcher(size: Self.size)
    #expect(prefetcher.read(0..<128 * kibi, room: Self.room) == Prefetcher.Plan(fetch: 0..<1152 * kibi))
  }

  @Test("A window doubles while reads go forward, and stays at its maximum")
  func windowGrowth() {
    var prefetcher = Prefetcher(size: Self.size)
    var frontier: Int64 = 0
    var largest: Int64 = 0
    var growth: [Int64] = []
    for index in 0..<Int64(4096) {
      let plan = prefetcher.read(index * 128 * kibi..<(index + 1) * 128 * kibi, room: Self.room)
      frontier = max(frontier, plan.fetch.upperBound)
      for range in plan.ahead {
        #expect(range.lowerBound == frontier, "requests follow each other without gap or overlap")
        #expect(range.upperBound - range.lowerBound <= 8 * mebi)
        frontier = range.upperBound
      }
      let window = frontier - (index + 1) * 128 * kibi
      if window > largest, !plan.ahead.isEmpty { growth.append(window) }
      largest = max(largest, window)
    }
    #expect(largest <= 65 * mebi)
    #expect(largest > 56 * mebi)
    #expect((growth.first ?? 0) <= 3 * mebi)
    for (before, after) in zip(growth, growth.dropFirst()) { #expect(after <= 2 * before + 2 * mebi) }
  }

  @Test("The end of the file is asked for once and nothing past it")
  func endOfFile() {
    var prefetcher = Prefetcher(size: 5 * mebi + 100)
    let plans = forward(&prefetcher, from: 0, step: 128 * kibi, count: 40)
    let ranges = plans.flatMap(\.ahead)
    #expect(ranges.last?.upperBound == 5 * mebi + 100)
    #expect(ranges.reduce(0) { $0 + $1.upperBound - $1.lowerBound } == 5 * mebi + 100 - 1152 * kibi)
  }

  @Test("After a seek nothing is fetched ahead before 3 MiB were read in a row: columns of a row group are shorter")
  func afterSeek() {
    var prefetcher = Prefetcher(size: Self.size)
    _ = prefetcher.read(0..<128 * kibi, room: Self.room)
    let plans = forward(&prefetcher, from: 300 * mebi, step: 128 * kibi, count: 24)
    for (index, plan) in plans.prefix(23).enumerated() {
      let start = 300 * mebi + Int64(index) * 128 * kibi
      #expect(plan == Prefetcher.Plan(fetch: start..<start + 128 * kibi))
    }
    #expect(!plans[23].ahead.isEmpty)
  }

  @Test("Reads of the kernel's readahead in mixed order keep the window")
  func mixedOrder() {
    var prefetcher = Prefetcher(size: Self.size)
    var ahead = 0
    for group in 0..<Int64(64) {
      for position in [Int64(0), 2, 1, 3, 5, 4, 7, 6] {
        let start = (group * 8 + position) * 128 * kibi
        let plan = prefetcher.read(start..<start + 128 * kibi, room: Self.room)
        ahead += plan.ahead.count
        #expect(plan.abandoned.isEmpty)
        if group > 0 { #expect(plan.fetch.upperBound - plan.fetch.lowerBound <= 128 * kibi) }
      }
    }
    #expect(ahead > 8)
  }

  @Test("Random 256 KiB reads, whole or in the kernel's halves, are fetched as asked")
  func randomReads() {
    var generator = SeededGenerator(seed: 7)
    for pieces in [Int64(1), 2] {
      var prefetcher = Prefetcher(size: Self.size)
      var fetched: Int64 = 0
      for _ in 0..<500 {
        let start = Int64.random(in: 256..<(Self.size - 2 * mebi) / 4096, using: &generator) * 4096
        for piece in 0..<pieces {
          let step = 256 * kibi / pieces
          let plan = prefetcher.read(start + piece * step..<start + (piece + 1) * step, room: Self.room)
          fetched += plan.fetch.upperBound - plan.fetch.lowerBound + plan.ahead.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
        }
      }
      #expect(Double(fetched) <= 1.25 * Double(500 * 256 * kibi))
    }
  }

  @Test("A small read after a seek fetches its whole block")
  func smallRead() {
    var prefetcher = Prefetcher(size: Self.size)
    let plan = prefetcher.read(100 * mebi + 496 * kibi..<100 * mebi + 512 * kibi, room: Self.room)
    #expect(plan == Prefetcher.Plan(fetch: 100 * mebi..<101 * mebi))
  }

  @Test("The first touch of the tail fetches the last MiB, the second what it asks")
  func tail() {
    var prefetcher = Prefetcher(size: Self.size)
    #expect(prefetcher.read(Self.size - 8..<Self.size, room: Self.room).fetch == Self.size - mebi..<Self.size)
    let second = prefetcher.read(Self.size - 300 * kibi..<Self.size - 44 * kibi, room: Self.room)
    #expect(second.fetch == Self.size - 304 * kibi..<Self.size - 32 * kibi)
  }

  @Test("A file within the first window is fetched whole at any touch")
  func smallFile() {
    var prefetcher = Prefetcher(size: 700_000)
    #expect(prefetcher.read(600_000..<600_100, room: Self.room).fetch == 0..<700_000)
  }

  @Test("Two reads backwards fetch a little before the third")
  func backward() {
    var prefetcher = Prefetcher(size: Self.size)
    let plans = (0..<4).map { index -> Prefetcher.Plan in
      let start = 500 * mebi - Int64(index) * 128 * kibi
      return prefetcher.read(start..<start + 128 * kibi, room: Self.room)
    }
    #expect(plans[1].fetch.lowerBound == 500 * mebi - 128 * kibi)
    #expect(plans[2].fetch.lowerBound == 500 * mebi - 256 * kibi - 512 * kibi)
    #expect(plans.flatMap(\.ahead) == [])
  }

  @Test("Two streams of one handle that take turns both get a window")
  func interleavedStreams() {
    var prefetcher = Prefetcher(size: Self.size)
    var ahead = [0, 0]
    for index in 0..<Int64(64) {
      for (stream, start) in [Int64(0), 600 * mebi].enumerated() {
        let lower = start + index * 128 * kibi
        ahead[stream] += prefetcher.read(lower..<lower + 128 * kibi, room: Self.room).ahead.count
      }
    }
    #expect(ahead[0] > 4)
    #expect(ahead[1] > 4)
  }

  @Test("A stream pushed out by newer ones gives its window back")
  func abandonedWindow() {
    var prefetcher = Prefetcher(size: Self.size)
    _ = forward(&prefetcher, from: 0, step: 128 * kibi, count: 16)
    let plans = (1...8).map { prefetcher.read(Int64($0) * 100 * mebi..<Int64($0) * 100 * mebi + 256 * kibi, room: Self.room) }
    #expect(plans.last?.abandoned.first?.lowerBound == 2 * mebi)
  }

  @Test("Without room for windows nothing is asked ahead")
  func noRoom() {
    var prefetcher = Prefetcher(size: Self.size)
    let plans = forward(&prefetcher, from: 0, step: 128 * kibi, count: 64, room: 0)
    #expect(plans.flatMap(\.ahead) == [])
  }

  @Test("After a refusal the same place is asked for again")
  func refusal() {
    var prefetcher = Prefetcher(size: Self.size)
    let plans = forward(&prefetcher, from: 0, step: 128 * kibi, count: 8)
    guard let last = plans.flatMap(\.ahead).last else {
      Issue.record("nothing was fetched ahead")
      return
    }
    prefetcher.refused(from: last.lowerBound)
    let later = forward(&prefetcher, from: mebi, step: 128 * kibi, count: 8).flatMap(\.ahead)
    #expect(later.first?.lowerBound == last.lowerBound)
  }

  @Test("Reads at the ends of the largest object do not trap")
  func extremes() {
    let size = ObjectReader.maximumObjectSize
    var prefetcher = Prefetcher(size: size)
    _ = prefetcher.read(size - 10..<size, room: .max)
    _ = prefetcher.read(0..<1, room: .max)
    _ = prefetcher.read(size - mebi * 3..<size - mebi, room: .max)
    #expect(prefetcher.read(size - mebi..<size, room: .max).fetch.upperBound == size)
  }
}
