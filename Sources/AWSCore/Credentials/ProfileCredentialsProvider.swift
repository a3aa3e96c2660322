// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// Keys of the chosen profile in the shared files, of whichever kind the profile is (spec: clients.md §6.1).
///
/// When the service refuses the keys, the files are read again: another program may have changed them.
package final class ProfileCredentialsProvider: AWSCredentialsProvider {
  private struct State {
    /// The files as last read; nil after a refusal.
    var context: CredentialsContext?
    var provider: (any AWSCredentialsProvider)?
    var lastGiven: AWSCredentials?
  }

  private let original: CredentialsContext
  private let state: Mutex<State>

  package init(_ context: CredentialsContext) {
    original = context
    state = Mutex(State(context: context))
  }

  package var name: String { "shared files (profile \(original.environment.profileName))" }

  package var absence: String {
    let environment = original.environment
    return "profile `\(environment.profileName)` in \(environment.configPath) and \(environment.credentialsPath) has no keys"
  }

  package var latest: AWSCredentials? {
    let (provider, given) = state.withLock { ($0.provider, $0.lastGiven) }
    return provider?.latest ?? given
  }

  package func credentials() async throws(AWSError) -> AWSCredentials? {
    guard let provider = try provider() else { return nil }
    let keys = try await provider.credentials()
    state.withLock { $0.lastGiven = keys }
    return keys
  }

  package func invalidate(_ refused: AWSCredentials?) {
    state.withLock { state in
      guard let refused, let given = state.lastGiven, !given.hasSameKeys(as: refused) else {
        state = State(context: nil)
        return
      }
    }
  }

  /// The provider that the profile describes, made at first use and after each refusal.
  private func provider() throws(AWSError) -> (any AWSCredentialsProvider)? {
    let (known, held) = state.withLock { ($0.provider, $0.context) }
    if let known { return known }
    let context = if let held { held } else { try original.rereadingFiles() }
    let made = try ProfileResolver(context: context).chosen()
    return state.withLock { state in
      if let earlier = state.provider { return earlier }
      (state.context, state.provider) = (context, made)
      return made
    }
  }
}
