// SPDX-License-Identifier: Apache-2.0

package import Fuse
package import Logging
import Processes

/// From a made mount to its end: serves it, and ends it on a signal.
package struct MountLifetime: Sendable {
  private let session: FuseSession
  private let logger: Logger

  package init(session: FuseSession, logger: Logger) {
    self.session = session
    self.logger = logger
  }

  /// Serves a session that is mounted until it is unmounted by anyone, or a signal asks for the end.
  ///
  /// - Parameters:
  ///   - signals: from ``DaemonSignals``; a stream that never yields in tests.
  ///   - ready: called once when the mount has answered its first request; false ends the mount again (nobody waits for it any more).
  ///   - hangUp: what SIGHUP means; may block.
  ///   - ending: called when a signal has asked for the end, before the mount goes.
  package func run(
    signals: AsyncStream<DaemonSignal>, ready: @escaping @Sendable () -> Bool, hangUp: @escaping @Sendable () -> Void = {},
    ending: @escaping @Sendable () -> Void = {}
  ) async throws(FuseError) {
    let (abandoned, abandon) = AsyncStream.makeStream(of: Void.self)
    let listener = Task {
      for await signal in signals {
        switch signal {
        case .hangUp: _ = await NamedThread.run("bergfs-reload", hangUp)
        case .terminate:
          logger.info("a signal asks for the end")
          ending()
          await end()
        }
      }
    }
    let watcher = Task {
      for await _ in abandoned {
        logger.notice("the starting command is gone, the mount ends")
        await end()
      }
    }
    defer {
      listener.cancel()
      watcher.cancel()
    }
    try await session.run {
      if !ready() { abandon.yield() }
    }
  }

  /// Unmounts; with files in use the mount is detached, its readers lose it, and the daemon ends all the same.
  private func end() async {
    do throws(FuseError) {
      try await session.unmount()
    } catch {
      switch error.code {
      case .notMounted: break
      case .busy, .refused, .broken, .noDevice:
        let path = session.mountpoint
        let holders = await NamedThread.run("bergfs-holders") { MountHolders.find(path).description } ?? ""
        logger.warning("the mount is in use and is detached", metadata: ["holders": "\(holders)", "reason": "\(error.message)"])
        do throws(FuseError) {
          try await session.unmount(lazily: true)
        } catch {
          logger.error("the mount cannot be detached", metadata: ["reason": "\(error.message)"])
        }
      }
    }
    session.exit()
  }
}
