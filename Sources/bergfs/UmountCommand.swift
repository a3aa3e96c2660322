// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

struct UmountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "umount",
    abstract: "Unmount, and wait until the daemon has ended.",
    discussion: """
      Commits and uploads under way get 60 s to end. If one takes longer, or a program still has a \
      file open below the mountpoint, this says so and leaves the mount as it is. Files that were \
      never published are lost with the mount, and named. A mount that does not answer for 5 s \
      stays, with a line that says what to do.

      Examples:
        bergfs umount /mnt/lake
        bergfs umount --stale /mnt/lake
      """)

  @Argument(help: "Where the catalog is mounted.", completion: .directory)
  var mountpoint: String

  @Flag(help: "Only clear what a dead daemon left; anything else, or nothing, is left alone and is no error.")
  var stale = false

  func run() async throws {
    let inputs = try ConfigurationOptions.parse([]).inputs()
    let path = inputs.absolute(mountpoint)
    throw ExitCode(await stale ? MountEntry.clearStale(mountpoint: path) : MountEntry.umount(mountpoint: path))
  }
}
