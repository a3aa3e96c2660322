// SPDX-License-Identifier: Apache-2.0

/// What AWS tools read from environment variables and shared files, as one value.
///
/// Made once at mount from the variables given; nothing here looks at the process itself (spec: clients.md §6.1, §7).
package struct AWSEnvironment: Sendable {
  package let variables: [String: String]
  package let files: SharedFiles
  package let configPath: String
  package let credentialsPath: String
  package let profileName: String
  /// How the profile was chosen: a property's name, `AWS_PROFILE`, or `default`.
  package let profileSource: String

  /// Reads the shared files.
  ///
  /// - Parameters:
  ///   - profile: a profile chosen in configuration with the property's name; it wins over `AWS_PROFILE`, and keys in the environment are
  ///     then not used.
  ///   - readFile: gives a file's bytes, nil if it does not exist.
  package init(
    variables: [String: String], profile: (name: String, source: String)? = nil,
    readFile: (String) throws(AWSError) -> [UInt8]? = SharedFileReader.read
  ) throws(AWSError) {
    self.variables = variables
    let home = variables["HOME"] ?? ""
    configPath = Self.path(variables["AWS_CONFIG_FILE"], home: home, fallback: ".aws/config")
    credentialsPath = Self.path(variables["AWS_SHARED_CREDENTIALS_FILE"], home: home, fallback: ".aws/credentials")
    files = try SharedFiles(
      config: configPath.isEmpty ? nil : try readFile(configPath), configPath: configPath,
      credentials: credentialsPath.isEmpty ? nil : try readFile(credentialsPath), credentialsPath: credentialsPath)
    if let profile {
      (profileName, profileSource) = profile
    } else if let name = variables["AWS_PROFILE"], !name.isEmpty {
      (profileName, profileSource) = (name, "AWS_PROFILE")
    } else if let name = variables["AWS_DEFAULT_PROFILE"], !name.isEmpty {
      (profileName, profileSource) = (name, "AWS_DEFAULT_PROFILE")
    } else {
      (profileName, profileSource) = ("default", "default")
    }
    isProfileConfigured = profile != nil
  }

  /// The same with the shared files as they are now.
  func reread(_ readFile: (String) throws(AWSError) -> [UInt8]?) throws(AWSError) -> AWSEnvironment {
    let chosen = isProfileConfigured ? (name: profileName, source: profileSource) : nil
    var fresh = try AWSEnvironment(variables: variables, profile: chosen, readFile: readFile)
    fresh.instanceRegion = instanceRegion
    return fresh
  }

  /// The region of the EC2 instance, where that was asked for and found; the last resort.
  package var instanceRegion: String?

  /// Whether the profile was chosen by configuration rather than by a variable.
  package let isProfileConfigured: Bool

  /// The chosen profile; nil when no file has it.
  package var profile: SharedFiles.Section? { files.profiles[profileName] }

  /// A variable's value; nil when it is absent or empty.
  package func variable(_ name: String) -> String? {
    guard let value = variables[name], !value.isEmpty else { return nil }
    return value
  }

  /// A value of the chosen profile; nil when it is absent or empty.
  package func profileValue(_ key: String) -> String? {
    guard let value = profile?.values[key], !value.isEmpty else { return nil }
    return value
  }

  /// The region that variables, profile or instance give, and which of them.
  package var foundRegion: (name: String, source: String)? {
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
      if let region = variable(name) { return (region, name) }
    }
    if let region = profileValue("region") { return (region, "profile \(profileName)") }
    return instanceRegion.map { ($0, "instance metadata") }
  }

  /// The sentence for whoever needs a region where neither a property nor ``foundRegion`` gives one.
  package var noRegion: String {
    "Unable to load region from any of the providers in the chain: client.region, AWS_REGION and AWS_DEFAULT_REGION are not set, and "
      + "profile `\(profileName)` in \(configPath) has no region."
  }

  private static func path(_ configured: String?, home: String, fallback: String) -> String {
    guard let configured, !configured.isEmpty else { return home.isEmpty ? "" : "\(home)/\(fallback)" }
    if configured.hasPrefix("~/"), !home.isEmpty { return home + configured.dropFirst() }
    return configured
  }
}
