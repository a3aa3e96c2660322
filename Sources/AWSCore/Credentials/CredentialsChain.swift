// SPDX-License-Identifier: Apache-2.0

/// Asks its providers in order; the first that is configured decides, for better or worse (spec: clients.md §6).
package struct CredentialsChain: AWSCredentialsProvider {
  private let providers: [any AWSCredentialsProvider]

  /// What to set, for the case that nothing is; empty where the choice of providers is the user's own.
  private let advice: String

  package init(_ providers: [any AWSCredentialsProvider]) {
    self.init(providers, advice: "")
  }

  private init(_ providers: [any AWSCredentialsProvider], advice: String) {
    self.providers = providers
    self.advice = advice
  }

  /// The standard chain: environment, web identity, profile, container, instance metadata.
  ///
  /// With a profile chosen by configuration, keys and web identity in the environment are passed over.
  package static func standard(_ environment: AWSEnvironment) -> CredentialsChain {
    var providers: [any AWSCredentialsProvider] = []
    if !environment.isProfileConfigured {
      providers.append(EnvironmentCredentialsProvider(environment))
      providers.append(
        UnusedSourceProvider(
          name: "web identity", trigger: "AWS_WEB_IDENTITY_TOKEN_FILE", found: environment.variable("AWS_WEB_IDENTITY_TOKEN_FILE")))
    }
    providers.append(ProfileCredentialsProvider(environment))
    for trigger in ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
      providers.append(UnusedSourceProvider(name: "container", trigger: trigger, found: environment.variable(trigger)))
    }
    let metadata = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    let isDisabled = environment.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true"
    providers.append(
      UnusedSourceProvider(name: "instance metadata", trigger: metadata, found: isDisabled ? nil : environment.variable(metadata)))
    return CredentialsChain(
      providers,
      advice: "; set client.access-key-id and client.secret-access-key, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
  }

  package var name: String { "chain" }

  package func credentials() async throws(AWSError) -> AWSCredentials? {
    for provider in providers {
      if let credentials = try await provider.credentials() { return credentials }
    }
    var names: [String] = []
    for provider in providers where !names.contains(provider.name) { names.append(provider.name) }
    throw .missingCredentials(
      "Unable to load credentials from any of the providers in the chain: nothing is configured in \(names.joined(separator: ", "))\(advice)"
    )
  }

  package func invalidate() {
    for provider in providers { provider.invalidate() }
  }
}

/// A source that this build recognises but does not use: configured, it is an error that says so.
struct UnusedSourceProvider: AWSCredentialsProvider {
  let name: String
  let trigger: String
  let found: String?

  func credentials() async throws(AWSError) -> AWSCredentials? {
    if found == nil { return nil }
    throw .unusedSource("\(trigger) configures \(name) credentials")
  }

  func invalidate() {}
}
