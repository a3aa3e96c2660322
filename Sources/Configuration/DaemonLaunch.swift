// SPDX-License-Identifier: Apache-2.0

import Iceberg

/// The command line and environment with which `mount` starts itself again as the daemon: the same meaning, but no secret where `ps` shows it.
///
/// Variables of `-o env.NAME=VALUE` become real ones; secret properties travel in the environment, which only the same user can read.
package struct DaemonLaunch: Sendable {
  /// Without the program's name; `-o` is expanded, so the program must be called `bergfs`.
  package private(set) var arguments: [String] = []
  /// Holds secrets.
  package private(set) var environment: [String: String]

  private static let carrier = "BERGFS_PROPERTY_"

  /// - Parameter commandLine: this process's, with the program's name.
  package init(commandLine: [String], environment: [String: String]) throws(ConfigurationError) {
    self.environment = environment
    let expanded = try CommandLineExpansion.expand(Array(commandLine.dropFirst()), calledAs: commandLine.first ?? "bergfs")
    var carried = 0
    var rest = expanded[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        arguments += [argument] + rest
        return
      }
      let option = argument.prefix { $0 != "=" }
      guard option == "--property" || option == CommandLineExpansion.environmentOption else {
        arguments.append(argument)
        continue
      }
      guard let value = argument.contains("=") ? String(argument.dropFirst(option.count + 1)) : rest.popFirst() else {
        arguments.append(argument)
        continue
      }
      if option == CommandLineExpansion.environmentOption {
        let (name, text) = try OptionParsing.environment(value)
        self.environment[name] = text
      } else if Self.isSecret(value) {
        carried += 1
        self.environment[Self.carrier + String(10_000 + carried)] = value
      } else {
        arguments.append("--property=\(value)")
      }
    }
  }

  /// The properties that a launch put into the environment, in their order; takes them out of it.
  package static func takeCarriedProperties(from environment: inout [String: String]) -> [String] {
    let names = environment.keys.filter { $0.hasPrefix(carrier) }.sorted()
    return names.compactMap { environment.removeValue(forKey: $0) }
  }

  private static func isSecret(_ property: String) -> Bool {
    guard let separator = property.firstIndex(of: "=") else { return false }
    let value = String(property[property.index(after: separator)...])
    var key = String(property[..<separator])
    if key.hasPrefix("spark.sql.catalog."), let last = key.split(separator: ".", maxSplits: 4).last { key = String(last) }
    return PropertyTable.displayValue(value, of: key) != value
  }
}
