// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

/// What the daemon logs, and where.
struct LogOptions: ParsableArguments {
  @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical. (default: info)", valueName: "level"))
  var logLevel: String?

  @Option(help: ArgumentHelp("Write the log to this file; without it a daemon logs nothing.", valueName: "file"))
  var logFile: String?

  @Option(help: ArgumentHelp("text or json. (default: text)", valueName: "format"))
  var logFormat: String?

  func apply(to options: inout MountOptions, _ inputs: ConfigurationInputs) throws(ConfigurationError) {
    if let logLevel { options.logLevel = try OptionParsing.logLevel(logLevel) }
    if let logFormat { options.logFormat = try OptionParsing.logFormat(logFormat) }
    options.logFile = logFile.map(inputs.absolute)
  }
}
