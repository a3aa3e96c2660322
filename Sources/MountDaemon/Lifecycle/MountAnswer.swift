// SPDX-License-Identifier: Apache-2.0

import CLinux
import Fuse
import Glibc
import Processes

/// What a mount answers when it is asked for its status.
///
/// Every call on a mount whose daemon is stopped waits, and where the daemon had taken the call already not even SIGKILL ends the wait; the
/// process that made it then stays as long. So a child asks, which nobody waits for beyond a deadline.
enum MountAnswer: Sendable, Hashable {
  /// The bytes of `.bergfs/status.json`.
  case status([UInt8])
  /// Its daemon has ended (ENOTCONN, ECONNABORTED).
  case dead
  /// It answers, but not with a status: the errno. EACCES: the mount of another user, ENOENT: no mount of ours.
  case refused(Int32)
  /// No answer within the time.
  case silent

  /// A daemon answers in milliseconds; one whose machine swaps may take a second.
  static let patience = Duration.seconds(5)

  /// Asks. Blocks up to the limit: never on the cooperative pool.
  ///
  /// - Parameter mountpoint: absolute, without symbolic links.
  static func ask(_ mountpoint: String, within limit: Duration = Self.patience) -> MountAnswer {
    guard let pipe = Pipe() else { return .refused(EMFILE) }
    defer { close(pipe.readEnd) }
    let child = bergfs_copy_in_child("\(mountpoint)/.bergfs/status.json", pipe.writeEnd)
    close(pipe.writeEnd)
    guard child > 0 else { return .refused(EAGAIN) }
    guard let bytes = read(pipe.readEnd, until: ContinuousClock.now + limit) else {
      kill(child, SIGKILL)
      // It may be past killing; who ends before it leaves it to init.
      waitpid(child, nil, WNOHANG)
      return .silent
    }
    switch ChildProcess.exitStatus(of: child) {
    case 0: return .status(bytes)
    case ENOTCONN, ECONNABORTED: return .dead
    case let number: return .refused(number)
    }
  }

  /// All bytes up to the other end's close; nil if that does not come in time.
  private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]? {
    var bytes: [UInt8] = []
    while true {
      let left = ContinuousClock.now.duration(to: deadline).components
      let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let result = poll(&polled, 1, Int32(clamping: max(milliseconds, 0)))
      if result < 0, errno == EINTR { continue }
      guard result > 0 else { return nil }
      guard let chunk = Pipe.readChunk(descriptor), !chunk.isEmpty else { return bytes }
      bytes += chunk
    }
  }
}
