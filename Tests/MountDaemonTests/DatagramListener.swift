// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// A socket that takes datagrams as a service manager or the journal does.
final class DatagramListener: Sendable {
  let path: String
  private let descriptor: Int32

  /// - Parameter isAbstract: in the abstract namespace: its path then begins with `@`.
  init(isAbstract: Bool = false) throws {
    var template = Array("/tmp/bergfs-datagram-test.XXXXXX".utf8CString)
    let directory = try template.withUnsafeMutableBufferPointer {
      try #require($0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) })
    }
    if isAbstract { rmdir(directory) }
    path = isAbstract ? "@\(directory)" : "\(directory)/socket"
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    try #require(descriptor >= 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    if isAbstract { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    try #require(result == 0)
  }

  deinit {
    close(descriptor)
    guard path.hasPrefix("/") else { return }
    unlink(path)
    rmdir(String(path.dropLast("/socket".count)))
  }

  /// The next datagram; nil if none comes within 10 s.
  func next() -> [UInt8]? {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&polled, 1, 10_000) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count >= 0 ? Array(buffer[..<count]) : nil
  }

  var nextText: String? { next().map { String(decoding: $0, as: UTF8.self) } }
}
