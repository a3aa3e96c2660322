// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// What the read path counts, as atomics: a cached read takes well under a microsecond, and ``Metrics`` costs 100 ns a call.
final class CacheCounters: Sendable {
  let hits = Atomic<Int64>(0)
  let misses = Atomic<Int64>(0)
  let bytesRead = Atomic<Int64>(0)
  let bytesFetched = Atomic<Int64>(0)
  let prefetchedBytes = Atomic<Int64>(0)

  func add(_ amount: Int64, to counter: borrowing Atomic<Int64>) {
    counter.wrappingAdd(amount, ordering: .relaxed)
  }

  /// Moves what was counted since the last call into the metrics.
  func publish(to metrics: Metrics) {
    Self.move(hits, to: metrics, .cacheHits)
    Self.move(misses, to: metrics, .cacheMisses)
    Self.move(bytesRead, to: metrics, .bytesRead)
    Self.move(bytesFetched, to: metrics, .bytesFetched)
    Self.move(prefetchedBytes, to: metrics, .prefetchedBytes)
  }

  private static func move(_ counter: borrowing Atomic<Int64>, to metrics: Metrics, _ metric: Metric) {
    let amount = counter.exchange(0, ordering: .relaxed)
    if amount != 0 { metrics.add(metric, by: amount) }
  }
}
