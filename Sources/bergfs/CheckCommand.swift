// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Try what a mount needs, from credentials to lock table: a line each, ok or what is wrong.",
    discussion: """
      Nothing is mounted. Exits 0 if all is well; else by the first thing that is not: 1 the configuration, 2 the credentials, 3 the
      network, 4 a permission that is missing, 5 something that does not exist, 6 a service that fails. At an S3 server that is not AWS's own an empty object is written to the
      warehouse and deleted again, to see whether two writers of one name are kept apart there; nothing else is written without --write.

      Examples:
        bergfs check lake
        bergfs check lake --property client.region=eu-west-1
        bergfs check lake --write
        bergfs check lake --json | jq '.findings[] | select(.status == "fault")'
      """)

  @Argument(help: "The catalog's name in your configuration.", completion: .catalogs)
  var catalog: String

  @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

  @Flag(
    help: """
      Also try what new files and commits need: write an empty object to the warehouse and delete it, take a lock and give it \
      back, change an entry that does not exist.
      """)
  var write = false

  @Flag(help: "Write one JSON document instead of lines.")
  var json = false

  func run() async throws {
    let configuration = try CatalogConfiguration.load(catalog, from: configurationOptions.inputs())
    for warning in configuration.warnings where !warning.isNotice { Message.warning(warning.message) }
    throw ExitCode(await MountEntry.check(configuration: configuration, writes: write, asJSON: json))
  }
}
