// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import Testing

@Suite("The table of metrics")
struct MetricTableTests {
  @Test("Names follow Prometheus: bergfs_ in front, _total for counters alone, base units", arguments: Metric.allCases)
  func names(metric: Metric) {
    let name = metric.rawValue
    #expect(name.hasPrefix("bergfs_"))
    #expect(name.utf8.allSatisfy { ("a"..."z").contains(Character(Unicode.Scalar($0))) || $0 == UInt8(ascii: "_") })
    #expect(name.hasSuffix("_total") == (metric.kind == .counter))
    if metric.kind == .histogram { #expect(name.hasSuffix("_seconds")) }
  }

  @Test("A metric has a sentence of one line, and as many labels as its series can carry", arguments: Metric.allCases)
  func meaning(metric: Metric) {
    #expect(metric.help.hasSuffix("."))
    #expect(!metric.help.contains("\n") && !metric.help.contains("\\") && !metric.help.contains("|"))
    // Metrics keeps two label values of a counter, one of a histogram; a gauge is set without any.
    switch metric.kind {
    case .counter: #expect(metric.labels.count <= 2)
    case .histogram: #expect(metric.labels.count == 1)
    case .gauge: #expect(metric.labels.isEmpty)
    }
  }

  @Test("docs/operations.md holds the table that the metrics generate")
  func document() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/operations.md"), encoding: .utf8)
    #expect(
      page.contains("\n\n" + MetricsDocument.markdown() + "\n"),
      "replace the table under \"Metrics\" in docs/operations.md by: bergfs generate-docs metrics")
  }
}
