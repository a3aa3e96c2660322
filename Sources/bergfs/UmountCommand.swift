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
      never published are lost with the mount, and named.

      Example:
        bergfs umount /mnt/lake
      """)

  @Argument(help: "Where the catalog is mounted.")
  var mountpoint: String

  func run() async throws {
    let inputs = try ConfigurationOptions.parse([]).inputs()
    throw ExitCode(await MountEntry.umount(mountpoint: inputs.absolute(mountpoint)))
  }
}
