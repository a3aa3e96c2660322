// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc
import Telemetry

/// One reusable easy handle; used by its worker's thread only.
final class CurlEasy {
  let handle: UnsafeMutableRawPointer
  private let errorText: UnsafeMutablePointer<CChar>
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let proxy: CurlTransportConfiguration.Proxy

  /// Nil when libcurl has no memory for one.
  init?(configuration: CurlTransportConfiguration, share: UnsafeMutableRawPointer?) {
    guard let handle = curl_easy_init() else { return nil }
    self.handle = handle
    proxy = configuration.proxy
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    setConnection(configuration)
    setTrust(configuration)
    setCallbacks()
    if let share { _ = bergfs_curl_set_pointer(handle, CURLOPT_SHARE, share) }
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(headerList)
    errorText.deallocate()
  }

  /// Makes the handle ready to carry out a transfer, which must stay alive until ``release()``.
  func prepare(_ transfer: CurlTransfer, remaining: Duration) throws(HTTPError) {
    let request = transfer.request
    try Self.check(request)
    errorText[0] = 0
    set(CURLOPT_URL, request.endpoint.description + request.target)
    // Through a plain-HTTP proxy libcurl must write the absolute form itself; PATH_AS_IS keeps that exact as well.
    let mayMeetPlainProxy = !request.endpoint.isSecure && proxy != .none
    set(CURLOPT_REQUEST_TARGET, mayMeetPlainProxy ? nil : request.target)
    set(CURLOPT_HTTPGET, 1)
    set(CURLOPT_CUSTOMREQUEST, request.method == "GET" || request.method == "HEAD" ? nil : request.method)
    if request.method == "HEAD" {
      set(CURLOPT_NOBODY, 1)
    } else if !request.body.isEmpty || request.method == "PUT" || request.method == "POST" {
      set(CURLOPT_UPLOAD, 1)
      _ = bergfs_curl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, request.body.count)
    }
    set(CURLOPT_TIMEOUT_MS, max(1, remaining.wholeMilliseconds))
    try setHeaders(request.headers)
    let context = Unmanaged.passUnretained(transfer).toOpaque()
    for option in [CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA] {
      _ = bergfs_curl_set_pointer(handle, option, context)
    }
  }

  /// Forgets the transfer.
  func release() {
    for option in [CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA] {
      _ = bergfs_curl_set_pointer(handle, option, nil)
    }
    _ = bergfs_curl_set_list(handle, CURLOPT_HTTPHEADER, nil)
    curl_slist_free_all(headerList)
    headerList = nil
  }

  /// libcurl's own words for the last failure.
  func words(for code: CURLcode) -> String {
    let text = String(cString: errorText)
    return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }

  func number(_ info: CURLINFO) -> Int {
    var value = 0
    return bergfs_curl_get_long(handle, info, &value) == CURLE_OK ? value : 0
  }

  private func setHeaders(_ headers: [(name: String, value: String)]) throws(HTTPError) {
    // What libcurl would add by itself: `Expect` to long bodies, after which it waits a second for the server's word.
    var lines = ["Accept", "Expect"].filter { name in !headers.contains { $0.name.lowercased() == name.lowercased() } }.map { "\($0):" }
    for (name, value) in headers where name.lowercased() != "content-length" {
      // `Name;` is libcurl's way to send a header without a value.
      lines.append(value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    var list: UnsafeMutablePointer<curl_slist>?
    for line in lines {
      guard let longer = curl_slist_append(list, line) else {
        curl_slist_free_all(list)
        throw .unusable("out of memory for request headers")
      }
      list = longer
    }
    headerList = list
    _ = bergfs_curl_set_list(handle, CURLOPT_HTTPHEADER, list)
  }

  /// Refuses what would break out of its line on the wire.
  private static func check(_ request: HTTPRequest) throws(HTTPError) {
    let isTargetClean = request.target.utf8.first == UInt8(ascii: "/") && request.target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    guard isTargetClean, !request.target.utf8.contains(UInt8(ascii: "#")) else {
      throw .unusable("the request's path must start with / and be percent-encoded")
    }
    for (name, value) in request.headers {
      let isNameClean =
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ";") }
      guard isNameClean, value.utf8.allSatisfy({ $0 != 0 && $0 != 0x0A && $0 != 0x0D }) else {
        throw .unusable("a request header holds a character that HTTP does not allow")
      }
    }
  }

  private func setConnection(_ configuration: CurlTransportConfiguration) {
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_PATH_AS_IS, 1)
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_HTTP_CONTENT_DECODING, 0)
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    set(CURLOPT_TCP_NODELAY, 1)
    // 128 KiB, copied on while the processor's cache has it. 512 KiB took the same CPU, 20,000 page faults a GiB more and 5 MiB more at
    // the peak (docs/performance.md).
    set(CURLOPT_BUFFERSIZE, 128 << 10)
    set(CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
    set(CURLOPT_CONNECTTIMEOUT_MS, max(1, configuration.connectTimeout.wholeMilliseconds))
    if configuration.socketTimeout > .zero {
      set(CURLOPT_LOW_SPEED_LIMIT, 1)
      set(CURLOPT_LOW_SPEED_TIME, max(1, Int(configuration.socketTimeout.components.seconds)))
    }
    if configuration.maxIdle > .zero { set(CURLOPT_MAXAGE_CONN, max(1, Int(configuration.maxIdle.components.seconds))) }
    if configuration.maxLifetime > .zero { set(CURLOPT_MAXLIFETIME_CONN, max(1, Int(configuration.maxLifetime.components.seconds))) }
    set(CURLOPT_TCP_KEEPALIVE, configuration.sendsTCPKeepAlive ? 1 : 0)
    switch configuration.proxy {
    case .environment: break
    case .none:
      set(CURLOPT_PROXY, "")
      set(CURLOPT_NOPROXY, "*")
    case .endpoint(let url):
      set(CURLOPT_PROXY, url)
      set(CURLOPT_NOPROXY, "")
    }
    if let login = configuration.proxyLogin {
      set(CURLOPT_PROXYUSERNAME, login.user)
      set(CURLOPT_PROXYPASSWORD, login.password.reveal())
    }
  }

  private func setTrust(_ configuration: CurlTransportConfiguration) {
    set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    set(CURLOPT_SSL_VERIFYPEER, configuration.verifiesCertificates ? 1 : 0)
    set(CURLOPT_SSL_VERIFYHOST, configuration.verifiesCertificates ? 2 : 0)
    if let bundle = configuration.caBundle {
      set(CURLOPT_CAINFO, bundle)
      // Without this libcurl trusts the system's folder of authorities as well.
      set(CURLOPT_CAPATH, nil)
    }
  }

  private func setCallbacks() {
    _ = bergfs_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
    _ = bergfs_curl_set_write_function(handle, CURLOPT_WRITEFUNCTION, curlDidReceiveBody)
    _ = bergfs_curl_set_write_function(handle, CURLOPT_HEADERFUNCTION, curlDidReceiveHeader)
    _ = bergfs_curl_set_write_function(handle, CURLOPT_READFUNCTION, curlWantsBody)
    _ = bergfs_curl_set_seek_function(handle, curlWantsToRewind)
  }

  private func set(_ option: CURLoption, _ value: Int) {
    _ = bergfs_curl_set_long(handle, option, value)
  }

  private func set(_ option: CURLoption, _ value: String?) {
    _ = bergfs_curl_set_string(handle, option, value)
  }
}

extension Duration {
  var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    let whole = seconds.multipliedReportingOverflow(by: 1000)
    // Ten years of milliseconds stand for "no limit".
    guard !whole.overflow, whole.partialValue < 315_360_000_000 else { return 315_360_000_000 }
    return Int(whole.partialValue) + Int(attoseconds / 1_000_000_000_000_000)
  }
}

// SAFETY (all callbacks): the context is the transfer that the worker keeps alive while its handle is in the multi handle.
private func transfer(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
  context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func bytes(_ pointer: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
  UnsafeBufferPointer(start: pointer.map { UnsafeRawPointer($0).assumingMemoryBound(to: UInt8.self) }, count: count)
}

private func curlDidReceiveBody(
  _ pointer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let transfer = transfer(context) else { return 0 }
  return count == 0 || transfer.receiveBody(bytes(pointer, size * count)) ? size * count : 0
}

private func curlDidReceiveHeader(
  _ pointer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let transfer = transfer(context) else { return 0 }
  return transfer.receiveHeader(bytes(pointer, size * count)) ? size * count : 0
}

private func curlWantsBody(
  _ pointer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let transfer = transfer(context) else { return Int(CURL_READFUNC_ABORT) }
  return transfer.sendBody(into: UnsafeMutableRawBufferPointer(start: pointer, count: size * count))
}

private func curlWantsToRewind(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
  guard let transfer = transfer(context) else { return CURL_SEEKFUNC_FAIL }
  return transfer.hasNotSentBody ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}
