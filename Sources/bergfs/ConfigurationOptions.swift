// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import FoundationEssentials
import Glibc

/// The options that say where a catalog's properties come from.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    name: .customLong("property"),
    help: ArgumentHelp("Set a property; may be repeated. Wins over every other source.", valueName: "key=value"))
  var properties: [String] = []

  @Option(
    name: .customLong("properties"),
    help: ArgumentHelp("Read properties from a file of key=value lines (Java properties syntax).", valueName: "file"),
    completion: .file())
  var propertiesFile: String?

  @Option(help: ArgumentHelp("Read this file instead of searching .pyiceberg.yaml.", valueName: "file"), completion: .file())
  var config: String?

  @Option(name: .customLong("env"), help: .hidden)
  var environment: [String] = []

  /// Everything a configuration is made from, of this process.
  ///
  /// - Parameter handedOver: texts `key=value` that the starting command kept off this process's command line.
  func inputs(handedOver: [String] = []) throws(ConfigurationError) -> ConfigurationInputs {
    var variables = ProcessInfo.processInfo.environment
    for text in environment {
      let (name, value) = try OptionParsing.environment(text)
      variables[name] = value
      // libcurl reads the proxy variables by itself, and the daemon inherits them.
      setenv(name, value, 1)
    }
    let home = variables["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? Self.passwordFileHome
    var inputs = ConfigurationInputs(
      environment: variables, homeDirectory: home, workingDirectory: FileManager.default.currentDirectoryPath)
    inputs.properties = properties + handedOver
    inputs.propertiesFile = propertiesFile
    inputs.configFile = config
    return inputs
  }

  private static var passwordFileHome: String? {
    guard let entry = getpwuid(getuid()), let directory = entry.pointee.pw_dir else { return nil }
    return String(cString: directory)
  }
}
