// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The service manager that started this process, if there is one: told when the mount is ready and when it ends. Source: sd_notify(3).
final class ServiceManager: Sendable {
  private let peer: DatagramPeer?

  /// - Parameter socket: the value of `NOTIFY_SOCKET`; nil for nobody, who is told nothing.
  init(socket: String?) {
    peer = socket.flatMap { DatagramPeer($0) }
  }

  /// Of this process. Takes the variable out of the environment, so that programs started from here do not speak for us.
  static func inherited() -> ServiceManager {
    let socket = getenv("NOTIFY_SOCKET").map { String(cString: $0) }
    unsetenv("NOTIFY_SOCKET")
    return ServiceManager(socket: socket)
  }

  func ready(_ status: String) { tell("READY=1\nSTATUS=\(Self.oneLine(status))") }

  /// - Parameter patience: how long the end may take from now on.
  func stopping(_ status: String, within patience: Duration) {
    tell("STOPPING=1\nSTATUS=\(Self.oneLine(status))\nEXTEND_TIMEOUT_USEC=\(patience.components.seconds * 1_000_000)")
  }

  func status(_ text: String) { tell("STATUS=\(Self.oneLine(text))") }

  /// Between this and the next ``ready(_:)`` the configuration is read anew.
  func reloading() {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    tell("RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)")
  }

  private func tell(_ text: String) {
    peer?.send(Array(text.utf8))
  }

  private static func oneLine(_ text: String) -> String {
    text.replacing("\n", with: " ")
  }
}
