// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@Suite("Metrics")
struct MetricsTests {
  @Test("Counters add up by their labels, and apart from each other")
  func counters() {
    let metrics = Metrics()
    #expect(metrics.value(.requests, "S3.GetObject", "200") == 0)
    metrics.add(.requests, "S3.GetObject", "200")
    metrics.add(.requests, "S3.GetObject", "200", by: 4)
    metrics.add(.requests, "S3.GetObject", "503")
    metrics.add(.errors, "EIO")
    #expect(metrics.value(.requests, "S3.GetObject", "200") == 5)
    #expect(metrics.value(.requests, "S3.GetObject", "503") == 1)
    #expect(metrics.total(.requests) == 6)
    #expect(metrics.total(.errors) == 1)
    #expect(metrics.total(.operations) == 0)
  }

  @Test("A gauge is set, and goes up and down")
  func gauges() {
    let metrics = Metrics()
    metrics.add(.openHandles)
    metrics.add(.openHandles)
    metrics.add(.openHandles, by: -1)
    metrics.set(.cacheBytes, to: 70)
    metrics.set(.cacheBytes, to: 7)
    #expect(metrics.value(.openHandles) == 1)
    #expect(metrics.value(.cacheBytes) == 7)
  }

  @Test("Numbers past the largest wrap around and do not trap")
  func overflow() {
    let metrics = Metrics()
    metrics.add(.bytesRead, by: .max)
    metrics.add(.bytesRead, by: 1)
    metrics.add(.bytesFetched, by: .min)
    metrics.add(.bytesFetched, by: -1)
    #expect(metrics.value(.bytesRead) == .min)
    #expect(metrics.value(.bytesFetched) == .max)
  }

  @Test("Adding from many tasks loses nothing")
  func concurrency() async {
    let metrics = Metrics()
    await withTaskGroup { group in
      for task in 0..<8 {
        group.addTask {
          for _ in 0..<1_000 {
            metrics.add(.operations, "read", "OK")
            metrics.observe(.operationSeconds, "read", .milliseconds(task))
          }
        }
      }
    }
    #expect(metrics.value(.operations, "read", "OK") == 8_000)
    #expect(lines(of: metrics).contains(#"bergfs_operation_duration_seconds_count{operation="read"} 8000"#))
  }

  @Test("A latency counts in every bucket from its own bound up, and in +Inf always")
  func buckets() {
    let metrics = Metrics()
    metrics.observe(.requestSeconds, "Glue.GetTable", .milliseconds(5))
    metrics.observe(.requestSeconds, "Glue.GetTable", .microseconds(5_001))
    metrics.observe(.requestSeconds, "Glue.GetTable", .seconds(61))
    let text = lines(of: metrics)
    func count(_ bound: String) -> Int? {
      let prefix = #"bergfs_request_duration_seconds_bucket{api="Glue.GetTable",le="\#(bound)"} "#
      return text.first { $0.hasPrefix(prefix) }.flatMap { Int($0.dropFirst(prefix.count)) }
    }
    #expect(count("0.001") == 0)
    #expect(count("0.005") == 1)
    #expect(count("0.01") == 2)
    #expect(count("60.0") == 2)
    #expect(count("+Inf") == 3)
    #expect(text.contains(#"bergfs_request_duration_seconds_count{api="Glue.GetTable"} 3"#))
    let sum = #"bergfs_request_duration_seconds_sum{api="Glue.GetTable"} "#
    let seconds = text.first { $0.hasPrefix(sum) }.flatMap { Double($0.dropFirst(sum.count)) } ?? 0
    #expect(abs(seconds - 61.010001) < 1e-9)
  }

  @Test("Bounds of latencies rise, from 10 µs to a minute")
  func bounds() {
    #expect(Metrics.latencyBounds == Metrics.latencyBounds.sorted())
    #expect(Set(Metrics.latencyBounds).count == Metrics.latencyBounds.count)
    #expect(Metrics.latencyBounds.first == 0.00001)
    #expect(Metrics.latencyBounds.last == 60)
  }

  @Test(
    "Backslash, quote and newline in a label are escaped, so that no name can make a line of its own",
    arguments: [
      ("plain", "plain"), (#"a"b"#, #"a\"b"#), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#), ("a\r\nb", "a\r\\nb"), ("né", "né"),
      ("x\"} 9\nbergfs_errors_total{errno=\"EIO", #"x\"} 9\nbergfs_errors_total{errno=\"EIO"#),
    ])
  func escaping(value: String, escaped: String) {
    let metrics = Metrics()
    metrics.add(.errors, value)
    let series = metrics.prometheusText().split(separator: "\n", omittingEmptySubsequences: true).filter {
      $0.hasPrefix("bergfs_errors_total")
    }
    #expect(series.map { Array($0.utf8) } == [Array("bergfs_errors_total{errno=\"\(escaped)\"} 1".utf8)])
  }

  @Test("Without any event the text has help and type of each metric, and 0 for those without labels")
  func empty() {
    let text = lines(of: Metrics())
    var expected: [String] = []
    for metric in Metric.allCases {
      expected += ["# HELP \(metric.rawValue) \(metric.help)", "# TYPE \(metric.rawValue) \(metric.kind.rawValue)"]
      if metric.labels.isEmpty { expected.append("\(metric.rawValue) 0") }
    }
    #expect(text == expected)
  }

  @Test("Series stand under their metric, sorted by label, a line each, and the text ends in a newline")
  func text() {
    let metrics = Metrics()
    metrics.add(.operations, "read", "OK", by: 2)
    metrics.add(.operations, "lookup", "ENOENT")
    metrics.add(.operations, "lookup", "EIO")
    let all = lines(of: metrics)
    let start = all.firstIndex(of: "# TYPE bergfs_operations_total counter") ?? 0
    #expect(
      all[(start + 1)...(start + 3)] == [
        #"bergfs_operations_total{operation="lookup",errno="EIO"} 1"#, #"bergfs_operations_total{operation="lookup",errno="ENOENT"} 1"#,
        #"bergfs_operations_total{operation="read",errno="OK"} 2"#,
      ])
    #expect(all[start + 4].hasPrefix("# HELP "))
    #expect(metrics.prometheusText().hasSuffix("\n"))
  }

  private func lines(of metrics: Metrics) -> [String] {
    metrics.prometheusText().split(separator: "\n").map(String.init)
  }

  @Test("Labels that all series carry come first, also where a metric has none of its own")
  func constantLabels() {
    let metrics = Metrics()
    metrics.add(.errors, "EIO")
    let text = metrics.prometheusText(constant: [("catalog", "a\"b"), ("mountpoint", "/m")])
    #expect(text.contains("\nbergfs_errors_total{catalog=\"a\\\"b\",mountpoint=\"/m\",errno=\"EIO\"} 1\n"))
    #expect(text.contains("\nbergfs_inodes{catalog=\"a\\\"b\",mountpoint=\"/m\"} 0\n"))
  }
}
