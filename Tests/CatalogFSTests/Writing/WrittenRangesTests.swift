// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CatalogFS

@Suite("Written ranges")
struct WrittenRangesTests {
  @Test("Ranges that overlap or touch become one")
  func joins() {
    var written = WrittenRanges()
    written.insert(10..<20)
    written.insert(30..<40)
    written.insert(25..<25)
    #expect(written.ranges == [10..<20, 30..<40])
    #expect(written.grows(by: 21..<29) && !written.grows(by: 20..<22) && !written.grows(by: 5..<10))
    written.insert(20..<30)
    #expect(written.ranges == [10..<40])
    written.insert(0..<5)
    written.insert(12..<15)
    #expect(written.ranges == [0..<5, 10..<40])
    written.drop(before: 12)
    written.drop(from: 35)
    #expect(written.ranges == [12..<35])
    written.drop(from: 12)
    #expect(written.ranges == [])
  }

  @Test("After any changes they are the bytes that a set of them would hold")
  func model() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      var written = WrittenRanges()
      var model = Set<Int64>()
      for _ in 0..<30 {
        let start = Int64.random(in: 0..<60, using: &random)
        let end = start + Int64.random(in: 0..<12, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
          written.drop(before: end)
          model = model.filter { $0 >= end }
        case 1:
          written.drop(from: start + 20)
          model = model.filter { $0 < start + 20 }
        default:
          written.insert(start..<end)
          model.formUnion(start..<end)
        }
        #expect(Set(written.ranges.joined()) == model)
        #expect(zip(written.ranges, written.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        #expect(!written.ranges.contains { $0.isEmpty })
      }
    }
  }
}
