// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Show the versions of bergfs and of the libraries it runs on.")

  func run() throws {
    Message.output(MountEntry.versions().text)
  }
}
