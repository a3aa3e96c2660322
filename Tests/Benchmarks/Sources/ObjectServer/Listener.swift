// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A listening TCP socket on the loopback address.
package struct Listener: Sendable {
  private let socket: OwnedDescriptor
  /// The port in use, also when 0 was asked.
  package let port: UInt16

  /// Listens on 127.0.0.1; port 0 takes a free one.
  package init(port: UInt16) throws(SystemFailure) {
    let raw = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { throw SystemFailure("socket") }
    socket = OwnedDescriptor(raw: raw)
    var one: Int32 = 1
    setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(raw, generic, length) == 0 && listen(raw, 512) == 0 && getsockname(raw, generic, &length) == 0
      }
    }
    guard bound else { throw SystemFailure("bind 127.0.0.1:\(port)") }
    self.port = UInt16(bigEndian: address.sin_port)
  }

  /// The next connection, without Nagle's delay; failures of one connection only are passed over.
  func accept() -> Result<OwnedDescriptor, SystemFailure> {
    while true {
      let raw = Glibc.accept(socket.raw, nil, nil)
      if raw < 0 {
        if errno == EINTR || errno == ECONNABORTED { continue }
        return .failure(SystemFailure("accept"))
      }
      _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
      var one: Int32 = 1
      setsockopt(raw, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
      return .success(OwnedDescriptor(raw: raw))
    }
  }

  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Runs `body` on a detached thread of its own; the failure when none could be made.
  package static func startThread(_ body: @escaping @Sendable () -> Void) -> SystemFailure? {
    var thread = pthread_t()
    // SAFETY: the one reference retained here is taken over by the thread, or below when there is no thread.
    let work = Unmanaged.passRetained(Work(body))
    let status = pthread_create(&thread, nil, Listener.entry, work.toOpaque())
    if status != 0 {
      work.release()
      return SystemFailure("pthread_create", code: status)
    }
    pthread_detach(thread)
    return nil
  }

  private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
    // SAFETY: the pointer is the retained `Work` of `startThread`, handed over once.
    if let raw { Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body() }
    return nil
  }
}
