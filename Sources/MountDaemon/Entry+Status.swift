// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import WireFormats

extension MountEntry {
  /// Shows the mounts of this machine: 0 if each of them answers, 1 if one does not or there is none at the place that was asked for.
  ///
  /// - Parameters:
  ///   - mountpoint: absolute; nil for all.
  ///   - isJSON: an array with an object a mount.
  @concurrent package static func status(mountpoint: String?, isJSON: Bool) async -> Int32 {
    guard let place = await place(mountpoint) else { return 1 }
    let reports = await MountReport.all(at: place.path)
    if let path = place.path, reports.isEmpty { return refuse(path) }
    if isJSON {
      Message.output(String(decoding: JSONValue.array(reports.map(\.document)).serialized(pretty: true), as: UTF8.self))
    } else if reports.isEmpty {
      Message.output("no catalog is mounted")
    } else {
      Message.output(StatusText().lines(reports).joined(separator: "\n"))
    }
    return reports.allSatisfy(\.isGood) ? 0 : 1
  }

  /// Looks behind which the rate of a transfer is measured.
  private static let rateLooks = 5

  /// Shows the mounts again and again, on a terminal in place, until the mount that was asked for is gone or a signal ends the program.
  @concurrent package static func watchStatus(mountpoint: String?, every interval: Duration) async -> Int32 {
    guard let place = await place(mountpoint) else { return 1 }
    let isTerminal = isatty(STDOUT_FILENO) == 1
    var looks: [[String: StatusText.Sample]] = []
    while !Task.isCancelled {
      let reports = await MountReport.all(at: place.path)
      if let path = place.path, reports.isEmpty { return refuse(path) }
      let lines = reports.isEmpty ? ["no catalog is mounted"] : StatusText(earlier: looks.first ?? [:]).lines(reports)
      // To the top left, each line to its end or the terminal's edge, then what is below.
      Message.output(
        isTerminal
          ? "\u{1b}[?7l\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\n") + "\n\u{1b}[J\u{1b}[?7h"
          : lines.joined(separator: "\n"))
      looks = (looks + [StatusText.samples(reports)]).suffix(rateLooks)
      do { try await Task.sleep(for: interval) } catch { break }
    }
    return 0
  }

  private static func refuse(_ path: String) -> Int32 {
    Message.error("\(path) is not a mount point of bergfs")
    return 1
  }

  /// The path as the mount table has it. Nil if it does not exist, which has been said then.
  private static func place(_ mountpoint: String?) async -> (path: String?, Void)? {
    guard let mountpoint else { return (nil, ()) }
    let resolved = await NamedThread.run("bergfs-status") { CanonicalPath.resolve(mountpoint) }
    guard let path = resolved?.path?.text else {
      Message.error("\(mountpoint) cannot be used: \(SystemError.text(resolved?.failure ?? EAGAIN))")
      return nil
    }
    return (path, ())
  }
}
