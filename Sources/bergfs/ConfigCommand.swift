// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show every property in effect and where it came from, secrets masked.",
    discussion: """
      Warnings (unknown keys, keys without effect) go to standard error.

      Examples:
        bergfs config lake
        bergfs config lake --all | grep s3.retry
      """)

  @Argument(help: "The catalog's name in your configuration.", completion: .catalogs)
  var catalog: String

  @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

  @Flag(help: "Also the defaults of what is not set.")
  var all = false

  func run() throws {
    let configuration = try CatalogConfiguration.load(catalog, from: configurationOptions.inputs())
    for warning in configuration.warnings { Message.warning(warning.message) }
    Message.output(configuration.listing(includingDefaults: all))
  }
}
