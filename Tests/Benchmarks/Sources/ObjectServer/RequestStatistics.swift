// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts of what the server was asked and sent, for the figures of a benchmark.
package final class RequestStatistics: Sendable {
  private struct State {
    var requests: [String: Int] = [:]
    var bytesSent = 0
    var connections = 0
    var inFlight = 0
    var mostInFlight = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Counts a connection, at its first counted request.
  package func connectionOpened() {
    state.withLock { $0.connections += 1 }
  }

  /// Counts a request whose answer is about to be written.
  package func started(_ kind: String) {
    state.withLock { state in
      state.requests[kind, default: 0] += 1
      state.inFlight += 1
      state.mostInFlight = max(state.mostInFlight, state.inFlight)
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
    state.withLock { $0 = State(inFlight: $0.inFlight, mostInFlight: $0.inFlight) }
  }

  /// `{"requests":{kind:count},"bytes_sent":…,"connections":…,"most_in_flight":…}`; connections are
  /// those whose first request came since the reset.
  package var document: JSONValue {
    let state = state.withLock { $0 }
    return .object([
      "requests": .object(state.requests.mapValues { .integer($0) }), "bytes_sent": .integer(state.bytesSent),
      "connections": .integer(state.connections), "most_in_flight": .integer(state.mostInFlight),
    ])
  }
}
