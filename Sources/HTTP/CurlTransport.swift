// SPDX-License-Identifier: Apache-2.0

import CCurl
import Synchronization

/// HTTP/1.1 on libcurl's multi interface, on threads of its own.
///
/// Requests go to the thread with the fewest in flight; bodies are written from libcurl's callback straight into the sink. Nothing is
/// followed, decoded, or rewritten. A request with a body is never sent twice behind the caller's back: where libcurl would repeat it on a new
/// connection, the transfer fails with ``HTTPError/Code/reset`` instead.
package final class CurlTransport: HTTPTransport {
  private static let isGloballyReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  private let workers: [CurlWorker]
  private let acquisitionTimeout: Duration?

  /// Starts the threads.
  ///
  /// Throws ``HTTPError/Code/unusable`` when libcurl or the system refuses handles or threads.
  package init(_ configuration: CurlTransportConfiguration = CurlTransportConfiguration()) throws(HTTPError) {
    guard Self.isGloballyReady else { throw .unusable("libcurl did not initialise") }
    let count = max(1, configuration.threads)
    var share = configuration
    share.maxConnections = max(1, configuration.maxConnections / count)
    var workers: [CurlWorker] = []
    for index in 0..<count {
      let worker = try CurlWorker(configuration: share, name: "bergfs-curl-\(index)")
      do throws(HTTPError) {
        try worker.start()
      } catch {
        for started in workers { started.stop(joining: true) }
        throw error
      }
      workers.append(worker)
    }
    self.workers = workers
    acquisitionTimeout = configuration.acquisitionTimeout
  }

  deinit {
    for worker in workers { worker.stop(joining: false) }
  }

  package func send(_ request: HTTPRequest, sink: (any HTTPBodySink)?) async throws(HTTPError) -> HTTPResponse {
    let transfer = CurlTransfer(request: request, sink: sink, acquisitionTimeout: acquisitionTimeout)
    let worker = leastBusy
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        transfer.continuation = continuation
        worker.submit(transfer)
      }
    } onCancel: {
      worker.cancel(transfer)
    }
    return try result.get()
  }

  /// Ends all transfers with an error and joins the threads; blocks for that moment, so not on the cooperative pool. Later requests fail.
  package func shutdown() {
    for worker in workers { worker.stop(joining: true) }
  }

  private var leastBusy: CurlWorker {
    var best = workers[0]
    for worker in workers.dropFirst() where worker.load < best.load { best = worker }
    return best
  }
}

extension HTTPError {
  /// A request or a transport that cannot be used at all; nothing was sent.
  static func unusable(_ message: String) -> HTTPError {
    HTTPError(code: .unusable, message: message, mayHaveBeenSent: false, isRetryable: false)
  }
}
