// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The daemon's metrics: counters, gauges and latency histograms, written out as Prometheus text.
///
/// One short critical section a call (about 100 ns); series are made at first use. Label values are given in the order of ``Metric/labels``.
package final class Metrics: Sendable {
  /// Upper bounds of the latency buckets in seconds: from a cached stat (10 µs) to a request that used up its retries (60 s).
  package static let latencyBounds: [Double] = [
    0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]

  private struct Key: Hashable {
    let metric: Metric
    let first: String
    let second: String
  }

  private struct Histogram {
    var buckets = [UInt64](repeating: 0, count: Metrics.latencyBounds.count)
    var count: UInt64 = 0
    var sum = 0.0
  }

  private struct State {
    var values: [Key: Int64] = [:]
    var histograms: [Key: Histogram] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// Adds to a counter or moves a gauge; a gauge may go down.
  package func add(_ metric: Metric, _ first: String = "", _ second: String = "", by amount: Int64 = 1) {
    state.withLock { $0.values[Key(metric: metric, first: first, second: second), default: 0] &+= amount }
  }

  /// Sets a gauge.
  package func set(_ metric: Metric, to value: Int64) {
    state.withLock { $0.values[Key(metric: metric, first: "", second: "")] = value }
  }

  /// Records one latency.
  package func observe(_ metric: Metric, _ label: String = "", _ duration: Duration) {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    state.withLock { state in
      var histogram = state.histograms[Key(metric: metric, first: label, second: "")] ?? Histogram()
      if let bucket = Self.latencyBounds.firstIndex(where: { seconds <= $0 }) {
        histogram.buckets[bucket] &+= 1
      }
      histogram.count &+= 1
      histogram.sum += seconds
      state.histograms[Key(metric: metric, first: label, second: "")] = histogram
    }
  }

  /// The value of one series; 0 if it was never touched.
  package func value(_ metric: Metric, _ first: String = "", _ second: String = "") -> Int64 {
    state.withLock { $0.values[Key(metric: metric, first: first, second: second)] ?? 0 }
  }

  /// The sum over all series of a metric.
  package func total(_ metric: Metric) -> Int64 {
    state.withLock { state in
      state.values.reduce(into: Int64(0)) { sum, entry in
        if entry.key.metric == metric { sum &+= entry.value }
      }
    }
  }

  /// All series as Prometheus text exposition format 0.0.4, in the order of ``Metric``.
  ///
  /// - Parameter constant: labels that every series carries before its own, by which those of several daemons of a machine are told apart.
  package func prometheusText(constant: [(String, String)] = []) -> String {
    let (values, histograms) = state.withLock { ($0.values, $0.histograms) }
    var text = ""
    for metric in Metric.allCases {
      text += "# HELP \(metric.rawValue) \(metric.help)\n# TYPE \(metric.rawValue) \(metric.kind.rawValue)\n"
      if metric.kind == .histogram {
        for (key, histogram) in histograms.filter({ $0.key.metric == metric }).sorted(by: { $0.key.first < $1.key.first }) {
          text += Self.text(of: histogram, metric: metric, labels: constant + labels(of: key))
        }
        continue
      }
      let series = values.filter { $0.key.metric == metric }.sorted { ($0.key.first, $0.key.second) < ($1.key.first, $1.key.second) }
      if series.isEmpty, metric.labels.isEmpty {
        text += "\(metric.rawValue)\(Self.braced(constant)) 0\n"
      }
      for (key, value) in series {
        text += "\(metric.rawValue)\(Self.braced(constant + labels(of: key))) \(value)\n"
      }
    }
    return text
  }

  private func labels(of key: Key) -> [(String, String)] {
    Array(zip(key.metric.labels, [key.first, key.second]))
  }

  private static func text(of histogram: Histogram, metric: Metric, labels: [(String, String)]) -> String {
    var text = ""
    var cumulative: UInt64 = 0
    for (bound, count) in zip(latencyBounds, histogram.buckets) {
      cumulative += count
      text += "\(metric.rawValue)_bucket\(braced(labels + [("le", "\(bound)")])) \(cumulative)\n"
    }
    text += "\(metric.rawValue)_bucket\(braced(labels + [("le", "+Inf")])) \(histogram.count)\n"
    text += "\(metric.rawValue)_sum\(braced(labels)) \(histogram.sum)\n"
    text += "\(metric.rawValue)_count\(braced(labels)) \(histogram.count)\n"
    return text
  }

  private static func braced(_ labels: [(String, String)]) -> String {
    guard !labels.isEmpty else { return "" }
    let pairs = labels.map { name, value in
      // By scalar, not by character: a carriage return and newline are one character.
      var escaped = ""
      for scalar in value.unicodeScalars {
        switch scalar {
        case "\\": escaped += "\\\\"
        case "\"": escaped += "\\\""
        case "\n": escaped += "\\n"
        default: escaped.unicodeScalars.append(scalar)
        }
      }
      return "\(name)=\"\(escaped)\""
    }
    return "{\(pairs.joined(separator: ","))}"
  }
}
