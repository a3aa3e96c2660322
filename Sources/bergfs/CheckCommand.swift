// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Try what a mount needs, from credentials to lock table: a line each, ok or what is wrong.",
    discussion: """
      Nothing is mounted. Exits 0 if all is well, 1 if not. At an S3 server that is not AWS's own an empty object is written to the
      warehouse and deleted again, to see whether two writers of one name are kept apart there; nothing else is written.

      Examples:
        bergfs check lake
        bergfs check lake --property client.region=eu-west-1
      """)

  @Argument(help: "The catalog's name in your configuration.", completion: .catalogs)
  var catalog: String

  @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

  func run() async throws {
    let configuration = try CatalogConfiguration.load(catalog, from: configurationOptions.inputs())
    for warning in configuration.warnings where !warning.isNotice { Message.warning(warning.message) }
    throw ExitCode(await MountEntry.check(configuration: configuration))
  }
}
