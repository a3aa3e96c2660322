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
    // What only a histogram's own series may end in.
    for suffix in ["_bucket", "_sum", "_count"] { #expect(!name.hasSuffix(suffix)) }
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

  @Test("Every metric and label that the dashboard, the alert rules and the documents name exists")
  func named() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let labels = Set(Metric.allCases.flatMap(\.labels)).union(["catalog", "mountpoint", "le", "instance", "job"])
    var named: Set<String> = []
    for page in ["grafana-dashboard.json", "alerts.yaml", "operations.md", "troubleshooting.md", "performance.md"] {
      let text = try String(contentsOf: root.appending(path: "docs/\(page)"), encoding: .utf8)
      for match in text.matches(of: /\bbergfs_[a-z_]+/) {
        let name = String(match.output)
        let histogram = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
        let metric = Metric(rawValue: name) ?? histogram.flatMap { Metric(rawValue: $0) }
        #expect(metric != nil, "\(page) names \(name)")
        #expect(histogram == nil || Metric(rawValue: name) != nil || metric?.kind == .histogram, "\(page): \(name) is no histogram")
        named.insert(metric?.rawValue ?? name)
      }
      for match in text.matches(of: /\bby \(([a-z_, ]+)\)/) {
        for label in match.1.split(separator: ",") {
          #expect(labels.contains(label.trimmingCharacters(in: .whitespaces)), "\(page): by (\(match.1))")
        }
      }
    }
    #expect(named == Set(Metric.allCases.map(\.rawValue)))
  }
}
