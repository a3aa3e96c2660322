// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import ObjectCache

@Suite("The memory budget")
struct MemoryBudgetTests {
  private static let limit = MemoryBudget.minimumLimit

  @Test("What does not fit is refused, what is released fits again")
  func refusal() {
    let budget = MemoryBudget(limit: Self.limit)
    #expect(budget.tryReserve(Self.limit))
    #expect(!budget.tryReserve(1))
    budget.release(1)
    #expect(budget.tryReserve(1))
    #expect(budget.highWater == Self.limit)
  }

  @Test("A limit below the least useful one is raised to it")
  func minimum() {
    #expect(MemoryBudget(limit: 1).limit == MemoryBudget.minimumLimit)
  }

  @Test("More than the limit is never granted")
  func tooMuch() async {
    #expect(await MemoryBudget(limit: Self.limit).reserve(Self.limit + 1) == false)
  }

  @Test("Who waits is served in turn, and growth is refused meanwhile")
  func firstComeFirstServed() async {
    let budget = MemoryBudget(limit: Self.limit)
    #expect(budget.tryReserve(Self.limit))
    let order = Order()
    let large = Task.immediate {
      _ = await budget.reserve(Self.limit)
      order.add(1)
    }
    let small = Task.immediate {
      _ = await budget.reserve(1)
      order.add(2)
    }
    budget.release(Self.limit / 2)
    #expect(!budget.tryReserve(1), "a later request does not pass those who wait")
    budget.release(Self.limit / 2)
    await large.value
    #expect(order.all == [1])
    budget.release(Self.limit)
    await small.value
    #expect(order.all == [1, 2])
    #expect(budget.used == 1)
  }

  @Test("A cancelled waiter leaves, reserves nothing and lets the next one in")
  func cancellation() async {
    let budget = MemoryBudget(limit: Self.limit)
    #expect(budget.tryReserve(Self.limit))
    let first = Task.immediate { await budget.reserve(Self.limit) }
    let second = Task.immediate { await budget.reserve(2) }
    first.cancel()
    #expect(await first.value == false)
    budget.release(2)
    #expect(await second.value)
    #expect(budget.used == Self.limit)
  }

  @Test("The reclaimer is asked for what is missing")
  func reclaimer() async {
    final class Hoard: MemoryReclaiming {
      let budget: MemoryBudget
      let asked = Mutex<[Int]>([])
      init(_ budget: MemoryBudget) { self.budget = budget }
      func reclaim(bytes: Int) {
        asked.withLock { $0.append(bytes) }
        budget.release(bytes)
      }
    }
    let budget = MemoryBudget(limit: Self.limit)
    let hoard = Hoard(budget)
    budget.setReclaimer(hoard)
    #expect(budget.tryReserve(Self.limit - 10))
    #expect(await budget.reserve(50))
    #expect(hoard.asked.withLock { $0 } == [40])
    #expect(budget.used == Self.limit)
  }

  private final class Order: Sendable {
    private let numbers = Mutex<[Int]>([])
    var all: [Int] { numbers.withLock { $0 } }
    func add(_ number: Int) { numbers.withLock { $0.append(number) } }
  }
}
