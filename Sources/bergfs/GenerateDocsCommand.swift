// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon

/// Writes the documents that are made from tables in the source.
struct GenerateDocsCommand: ParsableCommand {
  enum Page: String, ExpressibleByArgument, CaseIterable {
    case configuration
  }

  static let configuration = CommandConfiguration(
    commandName: "generate-docs", abstract: "Write a generated page of the documentation to standard output.", shouldDisplay: false)

  @Argument(help: "The page.")
  var page: Page

  func run() throws {
    switch page {
    case .configuration: Message.output(String(ConfigurationDocument.markdown().dropLast()))
    }
  }
}
