// SPDX-License-Identifier: Apache-2.0

/// Configuration sources: command line, properties files, environment, PyIceberg's YAML.
package enum ConfigurationSource: Sendable, Hashable, CustomStringConvertible {
  case commandLine
  case propertiesFile(path: String, line: Int)
  case environment(variable: String)
  case yamlFile(path: String, line: Int?)
  case defaultValue

  package var description: String {
    switch self {
    case .commandLine: "--property"
    case .propertiesFile(let path, let line): "\(path):\(line)"
    case .environment(let variable): "environment \(variable)"
    case .yamlFile(let path, let line): line.map { "\(path):\($0)" } ?? path
    case .defaultValue: "default"
    }
  }
}
