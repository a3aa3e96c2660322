// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Testing

@Suite("Plan of an upload's parts")
struct PartPlanTests {
  private static let mebibyte: Int64 = 1 << 20

  @Test(
    "No object of any size takes over 10,000 parts, and all but the last are of one size",
    arguments: [0, 1, 5 << 20, (32 << 20) + 1, 1 << 30, 312 << 30, 313 << 30, 1 << 40, 5 << 40] as [Int64])
  func knownSizes(size: Int64) throws {
    let plan = PartPlan(partSize: 32 << 20, largestPart: 5 << 30, expectedSize: size)
    let ranges = try #require(plan.ranges(of: size))
    #expect(ranges.count <= 10_000)
    #expect(ranges.first?.lowerBound ?? 0 == 0 && ranges.last?.upperBound ?? 0 == size)
    #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    #expect(Set(ranges.dropLast().map(\.count)).count <= 1)
    #expect(ranges.dropLast().allSatisfy { $0.count >= 5 << 20 })
  }

  @Test("An unknown size is carried to 5 TiB by parts that grow, where the memory allows")
  func unknownSizes() {
    let plan = PartPlan(partSize: 32 << 20, largestPart: 5 << 30, expectedSize: nil)
    #expect(plan.size(ofPart: 1) == 32 << 20)
    #expect(plan.size(ofPart: 1000) == 32 << 20)
    #expect(plan.size(ofPart: 1001) == 48 << 20)
    #expect(plan.size(ofPart: 10_000) != nil && plan.size(ofPart: 10_001) == nil && plan.size(ofPart: 0) == nil)
    #expect(plan.capacity > 3 << 40)
    let tight = PartPlan(partSize: 32 << 20, largestPart: 8 << 20, expectedSize: nil)
    #expect(tight.size(ofPart: 1) == 8 << 20 && tight.size(ofPart: 10_000) == 8 << 20)
    #expect(tight.capacity == 80_000 * Self.mebibyte)
    #expect(tight.ranges(of: tight.capacity + 1) == nil)
  }

  @Test("Sizes out of the service's limits are brought within them")
  func limits() {
    #expect(PartPlan(partSize: 1, largestPart: 1, expectedSize: nil).size(ofPart: 1) == 5 << 20)
    #expect(PartPlan(partSize: .max, largestPart: .max, expectedSize: nil).size(ofPart: 1) == 5 << 30)
    #expect(PartPlan(partSize: 5 << 20, largestPart: .max, expectedSize: .max).capacity == 5 << 40)
    #expect(PartPlan(partSize: 5 << 20, largestPart: .max, expectedSize: -1).ranges(of: 0) == [])
    #expect(PartPlan(partSize: 5 << 20, largestPart: 5 << 30, expectedSize: 6 << 40).ranges(of: 6 << 40) == nil)
  }
}
