// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import WireFormats

/// `bergfs umount`: waits for commits and uploads, takes the mount away, and waits until its daemon has ended.
package struct Unmounter: Sendable {
  /// How long commits and uploads in flight may take, and how long the daemon may take once the mount is gone.
  package static let patience = Duration.seconds(60)

  package enum Outcome: Sendable, Hashable {
    /// Unmounted, and the daemon (if its pid was known) has ended; a sentence for each file that was lost with the mount.
    case unmounted(unpublished: [String])
    /// A mount whose daemon had died was cleared.
    case clearedDeadMount
  }

  /// Unmounts. Blocks up to twice ``patience``: never on the cooperative pool.
  ///
  /// - Parameters:
  ///   - path: the mountpoint as the user wrote it.
  ///   - say: told what is waited for, once for each thing that changes.
  /// - Throws: `notMounted`, `busy` (with the processes that hold it, the work that does not end, or a daemon that does not answer; it stays mounted then), `daemon` if the
  ///   daemon outlives the patience.
  package static func unmount(
    _ path: String, patience: Duration = Self.patience, say: (String) -> Void = { _ in }
  ) throws(LifecycleError) -> Outcome {
    let (resolved, failure) = CanonicalPath.resolve(path)
    guard let resolved else {
      throw LifecycleError(
        .notMounted, failure == ENOENT ? "\(path) does not exist" : "\(path) cannot be used: \(SystemError.text(failure))")
    }
    guard let mount = MountTable.current().mount(at: resolved.text) else {
      throw LifecycleError(.notMounted, "\(resolved.text) is not a mount point")
    }
    guard mount.type == Mountpoint.filesystemType else {
      throw LifecycleError(.notMounted, "\(resolved.text) is a \(mount.type) mount, not one of bergfs: use umount")
    }
    let status: [UInt8]
    switch MountAnswer.ask(resolved.text) {
    case .dead:
      try detach(resolved.text, lazily: true, daemon: nil)
      return .clearedDeadMount
    case .silent:
      let advice = MountedDaemon.advice(MountedDaemon.find(resolved.text), resolved.text)
      throw LifecycleError(.busy, "\(resolved.text) does not answer and stays mounted: \(advice)")
    case .status(let bytes): status = bytes
    case .refused: status = []
    }
    let process = daemonProcess(status)
    let daemon = process.flatMap { ProcessDescriptor($0) }
    let pending = try waitForWork(resolved.text, patience: patience, status: { Self.status(of: resolved.text) }, say: say)
    try detach(resolved.text, lazily: false, daemon: process)
    guard daemon?.waitForEnd(patience) ?? true else {
      throw LifecycleError(
        .daemon, "\(resolved.text) is unmounted, but its daemon (pid \(process ?? 0)) still runs after \(patience.components.seconds) s")
    }
    return .unmounted(unpublished: pending.staged.map(\.sentence))
  }

  /// Clears the mount at a path if its daemon has died; anything else is left alone. Blocks up to ``MountAnswer/patience``.
  ///
  /// - Returns: whether there was one.
  package static func clearIfDead(_ path: String) throws(LifecycleError) -> Bool {
    guard let resolved = CanonicalPath.resolve(path).path,
      MountTable.current().mount(at: resolved.text)?.type == Mountpoint.filesystemType,
      MountAnswer.ask(resolved.text) == .dead
    else { return false }
    try detach(resolved.text, lazily: true, daemon: nil)
    return true
  }

  private static func status(of mountpoint: String) -> [UInt8] {
    if case .status(let bytes) = MountAnswer.ask(mountpoint) { bytes } else { [] }
  }

  /// Reads a mount's status once a second until no commit and no upload is under way.
  ///
  /// - Parameters:
  ///   - status: the status document as it is now.
  ///   - elapsed: time since the call; with `pause` the clock of a test.
  /// - Returns: what the last status told.
  /// - Throws: `busy` if work goes on after the patience.
  static func waitForWork(
    _ path: String, patience: Duration, status: () -> [UInt8], say: (String) -> Void, elapsed: (() -> Duration)? = nil,
    pause: () -> Void = { usleep(1_000_000) }
  ) throws(LifecycleError) -> PendingWrites {
    let start = ContinuousClock.now
    let elapsed = elapsed ?? { start.duration(to: .now) }
    var said = ""
    while true {
      let pending = PendingWrites(inStatus: status())
      guard !pending.inFlight.isEmpty else { return pending }
      guard elapsed() < patience else {
        throw LifecycleError(
          .busy,
          "\(path) is busy and stays mounted: \(pending.inFlightClause) has not ended after \(patience.components.seconds) s; try again later, "
            + "or see \(path)/.bergfs/status.json")
      }
      if pending.inFlightClause != said {
        said = pending.inFlightClause
        say("\(path): waiting for \(said)")
      }
      pause()
    }
  }

  private static func detach(_ path: String, lazily: Bool, daemon: pid_t?) throws(LifecycleError) {
    do throws(FuseError) {
      try Unmounting.unmount(path, lazily: lazily)
    } catch {
      switch error.code {
      case .busy:
        var excluded: Set<pid_t> = [getpid()]
        if let daemon { excluded.insert(daemon) }
        throw LifecycleError(.busy, "\(path) is busy, held by \(MountHolders.find(path, excluding: excluded).description)")
      case .notMounted: throw LifecycleError(.notMounted, error.message)
      case .noDevice, .refused, .broken: throw LifecycleError(.system, error.message)
      }
    }
  }

  /// The daemon's pid as the mount itself tells it; nil if it does not, or if there is no such process (a pid of another namespace).
  private static func daemonProcess(_ status: [UInt8]) -> pid_t? {
    guard let process = processIdentifier(inStatus: status) else { return nil }
    return kill(process, 0) == 0 || errno == EPERM ? process : nil
  }

  /// The member `pid` of a status document.
  static func processIdentifier(inStatus bytes: [UInt8]) -> pid_t? {
    do throws(JSONError) {
      guard let number = try JSONDocument(parsing: bytes).root["pid"]?.int64, let process = pid_t(exactly: number), process > 1 else {
        return nil
      }
      return process
    } catch {
      return nil
    }
  }
}
