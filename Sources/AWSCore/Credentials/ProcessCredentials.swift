// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// Keys that a program of a profile gives (spec: clients.md §6.4).
enum ProcessCredentials {
  /// Keys without a time of expiry are never fetched again unless the service refuses them.
  static func provider(command: String, profile: String, context: CredentialsContext) throws(AWSError) -> any AWSCredentialsProvider {
    let process = try CredentialProcess(command: command, variables: context.environment.variables)
    let source = "credential_process of profile \(profile)"
    let run = context.runProcess
    return context.refreshing(source, .standard) { () throws(AWSError) in
      let document = try KeyDocument(try await run(process), origin: source)
      guard document.root["Version"]?.int64 == 1 else { throw .missingCredentials("\(source) gave no keys of Version 1") }
      return try document.credentials(token: "SessionToken", source: source)
    }
  }
}
