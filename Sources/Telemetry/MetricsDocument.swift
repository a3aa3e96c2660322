// SPDX-License-Identifier: Apache-2.0

/// Writes the table of `docs/operations.md` from the metrics themselves.
package enum MetricsDocument {
  /// The table in Markdown, a row a metric in the order of ``Metric``, ending in a newline.
  package static func markdown() -> String {
    let rows = Metric.allCases.map { metric in
      let labels = metric.labels.isEmpty ? "" : metric.labels.map { "`\($0)`" }.joined(separator: ", ")
      return "| `\(metric.rawValue)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |\n"
    }
    return "| Metric | Kind | Labels | Meaning |\n|---|---|---|---|\n" + rows.joined()
  }
}
