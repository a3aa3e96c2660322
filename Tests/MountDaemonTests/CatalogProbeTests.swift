// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import MountDaemon

@Suite("Questions before a mount")
struct CatalogProbeTests {
  @Test("A catalog that never answers is given up, and its question cancelled", .timeLimit(.minutes(1)))
  func noAnswer() async {
    let gate = InMemoryGate()
    let answer = await CatalogProbe.within(.milliseconds(1)) { await gate.pass() }
    #expect(answer == nil)
  }

  @Test("An answer in time is given as it is")
  func answer() async {
    #expect(await CatalogProbe.within(.seconds(60)) { 7 } == 7)
  }
}
