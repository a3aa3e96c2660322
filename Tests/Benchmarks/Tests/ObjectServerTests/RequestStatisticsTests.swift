// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct RequestStatisticsTests {
  @Test("A connection kept over a reset is counted again, once")
  func connections() {
    let statistics = RequestStatistics()
    var first = statistics.started("GET", epoch: nil)
    statistics.finished(bytes: 5)
    first = statistics.started("GET", epoch: first)
    statistics.finished(bytes: 6)
    #expect(statistics.document["connections"]?.integer == 1)
    #expect(statistics.document["requests"]?["GET"]?.integer == 2)
    #expect(statistics.document["bytes_sent"]?.integer == 11)
    statistics.reset()
    #expect(statistics.document["connections"]?.integer == 0)
    first = statistics.started("HEAD", epoch: first)
    _ = statistics.started("GET", epoch: nil)
    _ = statistics.started("HEAD", epoch: first)
    #expect(statistics.document["connections"]?.integer == 2)
    #expect(statistics.document["most_in_flight"]?.integer == 3)
  }
}
