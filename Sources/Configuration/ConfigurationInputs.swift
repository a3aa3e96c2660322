// SPDX-License-Identifier: Apache-2.0

/// Everything a configuration is made from, as values: nothing else is read.
package struct ConfigurationInputs: Sendable {
  /// The texts `key=value` of `--property`, in their order.
  package var properties: [String] = []
  /// `--properties FILE`.
  package var propertiesFile: String?
  /// `--config FILE`, instead of the search for `.pyiceberg.yaml`.
  package var configFile: String?
  /// The process environment with what `-o env.NAME=VALUE` added.
  package var environment: [String: String]
  /// Nil if the user has none.
  package var homeDirectory: String?
  package var workingDirectory: String
  /// Reads a whole file; nil if there is no such regular file.
  package var readFile: @Sendable (String) throws(ConfigurationError) -> [UInt8]?

  package init(
    environment: [String: String], homeDirectory: String?, workingDirectory: String,
    readFile: @escaping @Sendable (String) throws(ConfigurationError) -> [UInt8]? = ConfigurationFile.contents
  ) {
    self.environment = environment
    self.homeDirectory = homeDirectory
    self.workingDirectory = workingDirectory
    self.readFile = readFile
  }

  /// A path as the user gave it, absolute, `~/` resolved.
  package func absolute(_ path: String) -> String {
    if path.hasPrefix("~/"), let homeDirectory { return homeDirectory + path.dropFirst() }
    return path.hasPrefix("/") ? path : workingDirectory + (workingDirectory.hasSuffix("/") ? "" : "/") + path
  }
}
