// SPDX-License-Identifier: Apache-2.0

package import HTTP
import Synchronization

/// The transports of a process: clients with equal settings share one, and its connections.
package final class TransportPool: Sendable {
  private let transports = Mutex([CurlTransportConfiguration: CurlTransport]())

  package init() {}

  /// The transport with these settings, made at first use.
  package func transport(_ configuration: CurlTransportConfiguration) throws(HTTPError) -> any HTTPTransport {
    if let transport = transports.withLock({ $0[configuration] }) { return transport }
    let made = try CurlTransport(configuration)
    let kept = transports.withLock { transports -> CurlTransport in
      if let earlier = transports[configuration] { return earlier }
      transports[configuration] = made
      return made
    }
    if kept !== made { made.shutdown() }
    return kept
  }

  /// Ends all transfers and joins the threads; call it off the cooperative pool, when no client is used any more.
  package func shutdown() {
    let all = transports.withLock { transports in
      defer { transports = [:] }
      return Array(transports.values)
    }
    for transport in all { transport.shutdown() }
  }
}
