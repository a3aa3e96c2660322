// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "List the mounts of this machine: catalog, state, age, requests, errors, memory, and what is being copied.",
    discussion: """
      A mount whose daemon has died or does not answer is shown as such after 2 s at the most, with \
      what to do about it. Exits 0 if every mount answers, 1 if not, or if nothing is mounted at the \
      place given.

      Examples:
        bergfs status
        bergfs status /mnt/lake --watch
        bergfs status --json | jq -r '.[].status.memory'
      """)

  @Argument(help: "Only the mount at this place.", completion: .directory)
  var mountpoint: String?

  @Flag(help: "Show it again and again, until ^C.")
  var watch = false

  @Option(help: ArgumentHelp("With --watch: time between two looks. (default: 1)", valueName: "seconds"))
  var interval: String?

  @Flag(help: "One JSON array, with an object a mount and its whole status.json in it.")
  var json = false

  func run() async throws {
    let inputs = try ConfigurationOptions.parse([]).inputs()
    let place = mountpoint.map(inputs.absolute)
    guard watch else {
      guard interval == nil else { throw ConfigurationError(.option, "--interval needs --watch") }
      throw ExitCode(await MountEntry.status(mountpoint: place, isJSON: json))
    }
    guard !json else { throw ConfigurationError(.option, "--watch and --json cannot both be given: leave one of them out") }
    let pause = try OptionParsing.interval(interval ?? "1")
    throw ExitCode(await MountEntry.watchStatus(mountpoint: place, every: pause))
  }
}
