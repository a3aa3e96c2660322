// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

/// What the daemon logs, and where.
struct LogOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "trace, debug, info, notice, warning, error or critical. (default: info, or bergfs.log-level)", valueName: "level"),
    completion: .list(MountOptions.LogLevel.allCases.map(\.rawValue)))
  var logLevel: String?

  @Option(
    help: ArgumentHelp(
      "Write the log to this file. (default: the journal for what systemd started; else the terminal with --foreground, else nothing)",
      valueName: "file"), completion: .file())
  var logFile: String?

  @Option(
    help: ArgumentHelp("text or json. (default: text)", valueName: "format"),
    completion: .list(MountOptions.LogFormat.allCases.map(\.rawValue)))
  var logFormat: String?

  func apply(to options: inout MountOptions, _ inputs: ConfigurationInputs) throws(ConfigurationError) {
    if let logLevel { options.logLevel = try OptionParsing.logLevel(logLevel) }
    if let logFormat { options.logFormat = try OptionParsing.logFormat(logFormat) }
    options.logFile = logFile.map(inputs.absolute)
  }
}
