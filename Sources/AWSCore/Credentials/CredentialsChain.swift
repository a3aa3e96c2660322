// SPDX-License-Identifier: Apache-2.0

import Synchronization

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
  /// With a profile chosen by configuration, keys and web identity in the environment are passed over. Nothing is sent here.
  package static func standard(_ context: CredentialsContext) -> CredentialsChain {
    var providers: [any AWSCredentialsProvider] = []
    if !context.environment.isProfileConfigured {
      providers.append(EnvironmentCredentialsProvider(context.environment))
      providers.append(webIdentity(context))
    }
    providers.append(ProfileCredentialsProvider(context))
    providers.append(container(context))
    providers.append(instance(context))
    return CredentialsChain(
      providers,
      advice: "; set client.access-key-id and client.secret-access-key, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
  }

  /// Only the role of `AWS_WEB_IDENTITY_TOKEN_FILE`.
  package static func webIdentity(_ context: CredentialsContext) -> any AWSCredentialsProvider {
    LazyProvider(name: "web identity", absence: "AWS_WEB_IDENTITY_TOKEN_FILE is not set") { () throws(AWSError) in
      try WebIdentityCredentials.fromVariables(context)
    }
  }

  /// Only the endpoint of a container.
  package static func container(_ context: CredentialsContext) -> any AWSCredentialsProvider {
    LazyProvider(name: "container", absence: ContainerCredentials.absence) { () throws(AWSError) in
      try ContainerCredentials.fromVariables(context)
    }
  }

  /// Only the role of an EC2 instance.
  package static func instance(_ context: CredentialsContext) -> any AWSCredentialsProvider {
    LazyProvider(name: "instance metadata", absence: "not asked") { () throws(AWSError) in
      try InstanceMetadataCredentialsProvider(context)
    }
  }

  package var name: String { "chain" }

  package func credentials() async throws(AWSError) -> AWSCredentials? {
    for provider in providers {
      if let credentials = try await provider.credentials() { return credentials }
    }
    let reasons = providers.map { "\($0.name) (\($0.absence))" }
    throw .missingCredentials(
      "Unable to load credentials from any of the providers in the chain: nothing is configured in \(reasons.joined(separator: ", "))\(advice)"
    )
  }

  package var latest: AWSCredentials? { providers.lazy.compactMap(\.latest).first }

  package func invalidate(_ refused: AWSCredentials?) {
    for provider in providers { provider.invalidate(refused) }
  }

  package func links() async -> [CredentialsLink] {
    var links: [CredentialsLink] = []
    var isDecided = false
    for provider in providers {
      guard !isDecided else {
        links.append(CredentialsLink(name: provider.name, outcome: .notTried))
        continue
      }
      let link = await provider.ownLink()
      if case .absent = link.outcome {} else { isDecided = true }
      links.append(link)
    }
    return links
  }
}

/// A provider that is made at first use: settings of a source that nothing leads to are nobody's concern.
final class LazyProvider: AWSCredentialsProvider {
  let name: String
  private let ownAbsence: String
  private let make: @Sendable () throws(AWSError) -> (any AWSCredentialsProvider)?
  private let made = Mutex<(any AWSCredentialsProvider)?>(nil)

  init(name: String, absence: String, make: @escaping @Sendable () throws(AWSError) -> (any AWSCredentialsProvider)?) {
    self.name = name
    ownAbsence = absence
    self.make = make
  }

  var latest: AWSCredentials? { made.withLock { $0 }?.latest }
  var absence: String { made.withLock { $0 }?.absence ?? ownAbsence }

  func credentials() async throws(AWSError) -> AWSCredentials? {
    try await provider()?.credentials()
  }

  func invalidate(_ refused: AWSCredentials?) {
    made.withLock { $0 }?.invalidate(refused)
  }

  private func provider() throws(AWSError) -> (any AWSCredentialsProvider)? {
    if let known = made.withLock({ $0 }) { return known }
    guard let fresh = try make() else { return nil }
    return made.withLock { made in
      if let earlier = made { return earlier }
      made = fresh
      return fresh
    }
  }
}
