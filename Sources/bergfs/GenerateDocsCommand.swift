// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon
import Telemetry

/// Writes the documents that are made from tables in the source.
struct GenerateDocsCommand: ParsableCommand {
  enum Page: String, ExpressibleByArgument, CaseIterable {
    case configuration, metrics
    case manual
    case mountManual = "mount-manual"
  }

  static let configuration = CommandConfiguration(
    commandName: "generate-docs", abstract: "Write what the documentation holds of a table in the source to standard output.",
    shouldDisplay: false)

  @Argument(
    help:
      "configuration: docs/configuration.md; metrics: the table of docs/operations.md; manual: bergfs(1); mount-manual: mount.bergfs(8).")
  var page: Page

  func run() throws {
    switch page {
    case .configuration: Message.output(String(ConfigurationDocument.markdown().dropLast()))
    case .manual: Message.output(String(try BergfsManual.text().dropLast()))
    case .mountManual: Message.output(String(try MountHelperManual.text().dropLast()))
    case .metrics: Message.output(String(MetricsDocument.markdown().dropLast()))
    }
  }
}
