// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The journal of systemd, by its native protocol: each entry a datagram of fields. Source: systemd.io/JOURNAL_NATIVE_PROTOCOL.
final class JournalSocket: Sendable {
  static let standardPath = "/run/systemd/journal/socket"
  /// Larger datagrams would have to be handed over as files; nothing that is logged here is as long.
  static let largestEntry = 64 << 10

  private let peer: DatagramPeer

  /// Nil if no descriptor is left.
  init?(path: String = JournalSocket.standardPath) {
    guard let peer = DatagramPeer(path) else { return nil }
    self.peer = peer
  }

  /// Whether this process, or the one that started it, was started by systemd with its standard error in the journal.
  ///
  /// - Parameters:
  ///   - stream: the value of `JOURNAL_STREAM`, device and inode of that standard error. Source: systemd.exec(5).
  ///   - descriptor: what has to be that very stream; nil where a daemon has let go of it.
  static func isMeant(stream: String?, descriptor: Int32?) -> Bool {
    let numbers = (stream ?? "").split(separator: ":").compactMap { UInt64($0) }
    guard numbers.count == 2 else { return false }
    guard let descriptor else { return true }
    var status = stat()
    return fstat(descriptor, &status) == 0 && UInt64(status.st_dev) == numbers[0] && UInt64(status.st_ino) == numbers[1]
  }

  /// An entry that is longer than ``largestEntry`` is left out.
  func send(_ entry: [UInt8]) {
    if entry.count <= Self.largestEntry { peer.send(entry) }
  }

  /// An entry's bytes. Names of facts become names of fields: `BERGFS_PATH` for `path`.
  ///
  /// - Parameter priority: 0 (emergency) to 7 (debug), of syslog(3).
  static func entry(priority: Int, line: String, message: String, facts: [(key: String, value: String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    add("MESSAGE", line, to: &bytes)
    add("PRIORITY", "\(priority)", to: &bytes)
    add("SYSLOG_IDENTIFIER", "bergfs", to: &bytes)
    add("BERGFS_MESSAGE", message, to: &bytes)
    for (key, value) in facts { add(fieldName(key), value, to: &bytes) }
    return bytes
  }

  /// Capital letters, digits and underscores, 64 bytes at the most.
  private static func fieldName(_ key: String) -> String {
    var name = "BERGFS_"
    for scalar in key.unicodeScalars.prefix(57) {
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
      name.unicodeScalars.append(isPlain ? scalar : "_")
    }
    return name.uppercased()
  }

  /// `NAME=value` and a newline; a value that holds one comes with its length.
  private static func add(_ name: String, _ value: String, to bytes: inout [UInt8]) {
    let text = Array(value.utf8)
    bytes += Array(name.utf8)
    if text.contains(0x0a) {
      bytes.append(0x0a)
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: UInt64(text.count) >> UInt64(shift))) }
    } else {
      bytes.append(UInt8(ascii: "="))
    }
    bytes += text + [0x0a]
  }
}
