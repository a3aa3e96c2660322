// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

struct UmountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "umount",
    abstract: "Unmount, and wait until the daemon has ended.",
    discussion: """
      If a program still has a file open below the mountpoint, this says so and leaves the mount \
      as it is.

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
