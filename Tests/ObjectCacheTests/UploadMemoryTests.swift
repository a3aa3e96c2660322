// SPDX-License-Identifier: Apache-2.0

import Iceberg
import ObjectCache
import Testing

@Suite("Memory of uploads")
struct UploadMemoryTests {
  @Test("Uploads take their memory from the budget that reads share")
  func budget() async {
    let budget = MemoryBudget(limit: 8 << 20)
    let memory: any UploadMemory = budget
    #expect(memory.tryReserve(8 << 20) && !memory.tryReserve(1))
    memory.release(8 << 20)
    #expect(await memory.reserve(1) && budget.used == 1 && memory.limit == 8 << 20)
  }
}
