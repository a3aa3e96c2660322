// SPDX-License-Identifier: Apache-2.0

/// Configuration sources: command line, properties files, environment, PyIceberg's YAML.
package enum ConfigurationSource: Sendable, Hashable, CustomStringConvertible {
  case commandLine
  case propertiesFile(path: String, line: Int)
  case environment(variable: String)
  case yamlFile(path: String, line: Int?)
  /// Follows from other properties; the text says from which.
  case derived(String)
  case defaultValue

  package var description: String {
    switch self {
    case .commandLine: "--property"
    case .propertiesFile(let path, let line): "\(path):\(line)"
    case .environment(let variable): "environment \(variable)"
    case .yamlFile(let path, let line): line.map { "\(path):\($0)" } ?? path
    case .derived(let reason): reason
    case .defaultValue: "default"
    }
  }

  /// True for the sources that PyIceberg reads too; its wider rules for booleans and addressing hold there.
  package var isPyIceberg: Bool {
    switch self {
    case .environment, .yamlFile: true
    case .commandLine, .propertiesFile, .derived, .defaultValue: false
    }
  }

  /// Place in the order of sources; lower wins.
  var rank: Int {
    switch self {
    case .commandLine: 0
    case .propertiesFile: 1
    case .environment: 2
    case .yamlFile: 3
    case .derived: 4
    case .defaultValue: 5
    }
  }
}
