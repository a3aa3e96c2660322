// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts of what the server was asked and sent, for the figures of a benchmark.
package final class RequestStatistics: Sendable {
  private struct State {
    var requests: [String: Int] = [:]
    var bytesSent = 0
    var connections = 0
    /// Grows with each reset.
    var epoch = 0
    var inFlight = 0
    var mostInFlight = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Counts a request whose answer is about to be written, and its connection at the first request since a reset.
  ///
  /// - Parameter epoch: what the last call for the same connection returned, nil before the first.
  /// - Returns: the epoch the connection is now counted in.
  package func started(_ kind: String, epoch: Int?) -> Int {
    state.withLock { state in
      if epoch != state.epoch { state.connections += 1 }
      state.requests[kind, default: 0] += 1
      state.inFlight += 1
      state.mostInFlight = max(state.mostInFlight, state.inFlight)
      return state.epoch
    }
  }

  /// Counts the body bytes that reached the socket.
  package func finished(bytes: Int) {
    state.withLock { state in
      state.bytesSent += bytes
      state.inFlight -= 1
    }
  }

  /// Zeroes everything but what is in flight.
  package func reset() {
    state.withLock { $0 = State(epoch: $0.epoch + 1, inFlight: $0.inFlight, mostInFlight: $0.inFlight) }
  }

  /// `{"requests":{kind:count},"bytes_sent":…,"connections":…,"most_in_flight":…}`; connections are those used since the reset.
  package var document: JSONValue {
    let state = state.withLock { $0 }
    return .object([
      "requests": .object(state.requests.mapValues { .integer($0) }), "bytes_sent": .integer(state.bytesSent),
      "connections": .integer(state.connections), "most_in_flight": .integer(state.mostInFlight),
    ])
  }
}
