// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc
import Synchronization

/// One thread that drives one multi handle.
// SAFETY: `inbox`, `inFlight`, `thread` guard themselves; the rest is touched by the thread only, by init and deinit when there is none.
final class CurlWorker: @unchecked Sendable {
  private struct Inbox {
    var submitted: [CurlTransfer] = []
    var cancelled: [CurlTransfer] = []
    var isStopping = false

    var isEmpty: Bool { submitted.isEmpty && cancelled.isEmpty && !isStopping }
  }

  private struct Running {
    let easy: CurlEasy
    let transfer: CurlTransfer
  }

  private let name: String
  private let configuration: CurlTransportConfiguration
  private let multi: UnsafeMutableRawPointer
  /// TLS sessions, shared among the easy handles of this thread.
  private let share: UnsafeMutableRawPointer?
  private let inbox = Mutex(Inbox())
  private let inFlight = Atomic<Int>(0)
  private let thread = Mutex<pthread_t?>(nil)

  private var waiting: [CurlTransfer] = []
  private var running: [UnsafeMutableRawPointer: Running] = [:]
  private var idle: [CurlEasy] = []

  init(configuration: CurlTransportConfiguration, name: String) throws(HTTPError) {
    guard let multi = curl_multi_init() else { throw .unusable("libcurl has no memory for a multi handle") }
    self.configuration = configuration
    self.name = name
    self.multi = multi
    share = curl_share_init()
    if let share {
      _ = bergfs_curl_share_set_long(share, CURLSHOPT_SHARE, Int(CURL_LOCK_DATA_SSL_SESSION.rawValue))
    }
    _ = bergfs_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maxConnections)
    _ = bergfs_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
  }

  deinit {
    idle = []
    curl_multi_cleanup(multi)
    if let share { curl_share_cleanup(share) }
  }

  /// Transfers handed over and not yet ended.
  var load: Int { inFlight.load(ordering: .relaxed) }

  func start() throws(HTTPError) {
    let context = Unmanaged.passRetained(self)
    var created = pthread_t()
    let code = pthread_create(
      &created, nil,
      { argument in
        // SAFETY: the pointer is the reference retained above, given to this thread alone.
        if let argument { Unmanaged<CurlWorker>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw .unusable("no thread for HTTP: \(String(cString: strerror(code)))")
    }
    let handle = created
    thread.withLock { $0 = handle }
  }

  func submit(_ transfer: CurlTransfer) {
    let (isFirst, isStopping) = inbox.withLock { inbox in
      if inbox.isStopping { return (false, true) }
      let isFirst = inbox.isEmpty
      inbox.submitted.append(transfer)
      return (isFirst, false)
    }
    if isStopping {
      transfer.finish(.failure(.shutDown))
      return
    }
    inFlight.add(1, ordering: .relaxed)
    if isFirst { curl_multi_wakeup(multi) }
  }

  /// Ends a transfer wherever it is; harmless after its end and before its submission.
  func cancel(_ transfer: CurlTransfer) {
    transfer.markCancelled()
    let isFirst = inbox.withLock { inbox in
      let isFirst = inbox.isEmpty
      inbox.cancelled.append(transfer)
      return isFirst
    }
    if isFirst { curl_multi_wakeup(multi) }
  }

  func stop(joining: Bool) {
    inbox.withLock { $0.isStopping = true }
    curl_multi_wakeup(multi)
    guard let handle = thread.withLock({ $0.take() }) else { return }
    if joining {
      pthread_join(handle, nil)
    } else {
      pthread_detach(handle)
    }
  }

  private func run() {
    bergfs_name_this_thread(name)
    // Signals are the main thread's; a blocked SIGPIPE also turns a write to a closed socket into EPIPE.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    while true {
      let news = inbox.withLock { inbox in
        let news = inbox
        inbox.submitted = []
        inbox.cancelled = []
        return news
      }
      waiting += news.submitted
      if news.isStopping { break }
      for transfer in news.cancelled { end(transfer, .failure(.cancelled)) }
      expireWaiting(by: \.deadline, within: nil)
      startWaiting()
      // Only now: whoever finds a connection has not waited for one.
      if let timeout = configuration.acquisitionTimeout { expireWaiting(by: \.latestStart, within: timeout) }
      var count: Int32 = 0
      curl_multi_perform(multi, &count)
      if collectFinished(), !waiting.isEmpty { continue }
      curl_multi_poll(multi, nil, 0, pollMilliseconds, nil)
    }
    for transfer in waiting { finish(transfer, .failure(.shutDown)) }
    for (_, entry) in running { end(entry.transfer, .failure(.shutDown)) }
    waiting = []
    idle = []
  }

  /// libcurl's own timers shorten it; this bounds the wait of requests that have no connection yet.
  private var pollMilliseconds: Int32 {
    guard let first = waiting.map(\.latestStart).min() else { return 60_000 }
    return Int32(min(60_000, max(1, (first - ContinuousClock.now).wholeMilliseconds + 1)))
  }

  /// - Parameter timeout: the limit, where it is the transport's; nil for the request's own.
  private func expireWaiting(by limit: KeyPath<CurlTransfer, ContinuousClock.Instant>, within timeout: Duration?) {
    guard !waiting.isEmpty else { return }
    let now = ContinuousClock.now
    let expired = waiting.filter { $0[keyPath: limit] <= now }
    guard !expired.isEmpty else { return }
    waiting.removeAll { $0[keyPath: limit] <= now }
    for transfer in expired {
      finish(transfer, .failure(.noConnection(transfer.request, limit: configuration.maxConnections, within: timeout)))
    }
  }

  private func startWaiting() {
    let free = configuration.maxConnections - running.count
    guard free > 0, !waiting.isEmpty else { return }
    let next = waiting.prefix(free)
    waiting.removeFirst(next.count)
    for transfer in next { begin(transfer) }
  }

  private func begin(_ transfer: CurlTransfer) {
    if transfer.isCancelled {
      finish(transfer, .failure(.cancelled))
      return
    }
    guard let easy = idle.popLast() ?? CurlEasy(configuration: configuration, share: share) else {
      finish(transfer, .failure(.unusable("libcurl has no memory for a handle")))
      return
    }
    do throws(HTTPError) {
      try easy.prepare(transfer, remaining: transfer.deadline - ContinuousClock.now)
    } catch {
      easy.release()
      idle.append(easy)
      finish(transfer, .failure(error))
      return
    }
    running[easy.handle] = Running(easy: easy, transfer: transfer)
    curl_multi_add_handle(multi, easy.handle)
  }

  /// Whether any transfer ended.
  private func collectFinished() -> Bool {
    var hasEnded = false
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle, let entry = running[handle] else { continue }
      let code = message.pointee.data.result
      let outcome: CurlTransfer.Outcome =
        code == CURLE_OK ? .success(entry.transfer.response) : .failure(HTTPError(code, of: entry.transfer, on: entry.easy))
      remove(entry)
      finish(entry.transfer, outcome)
      hasEnded = true
    }
    return hasEnded
  }

  /// Ends a transfer early, waiting or running.
  private func end(_ transfer: CurlTransfer, _ outcome: CurlTransfer.Outcome) {
    if let entry = running.values.first(where: { $0.transfer === transfer }) {
      remove(entry)
      finish(transfer, outcome)
    } else if let index = waiting.firstIndex(where: { $0 === transfer }) {
      waiting.remove(at: index)
      finish(transfer, outcome)
    }
  }

  private func remove(_ entry: Running) {
    curl_multi_remove_handle(multi, entry.easy.handle)
    running[entry.easy.handle] = nil
    entry.easy.release()
    idle.append(entry.easy)
  }

  private func finish(_ transfer: CurlTransfer, _ outcome: CurlTransfer.Outcome) {
    inFlight.subtract(1, ordering: .relaxed)
    transfer.finish(outcome)
  }
}
