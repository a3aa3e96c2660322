// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A socket of this machine that takes datagrams: the service manager's, the journal's. Sends without waiting.
final class DatagramPeer: Sendable {
  private let descriptor: Int32
  private let address: sockaddr_un
  private let length: socklen_t

  /// - Parameter path: absolute, or `@name` in the abstract namespace (unix(7)).
  /// - Returns: nil for another form, a path that is too long, or if no descriptor is left.
  init?(_ path: String) {
    guard path.hasPrefix("/") || path.hasPrefix("@"), path.utf8.count > 1 else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
    // One byte is left for the NUL at the end of a path.
    let isFitting = withUnsafeMutableBytes(of: &address.sun_path) { place -> Bool in
      guard bytes.count < place.count else { return false }
      place.copyBytes(from: bytes)
      return true
    }
    guard isFitting else { return nil }
    descriptor = bergfs_datagram_socket()
    self.address = address
    length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + (path.hasPrefix("@") ? 0 : 1))
    guard descriptor >= 0 else { return nil }
    // What the journal takes at once from a busy program, as sd_journal_send(3) asks for.
    var size = Int32(8 << 20)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// - Returns: false if nobody took it: there is no such socket, or it is full.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var address = address
    let sent = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bytes.withUnsafeBytes { sendto(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), generic, length) }
      }
    }
    return sent == bytes.count
  }
}
