// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_CREDENTIAL_EXPIRATION` (spec: clients.md §6).
package struct EnvironmentCredentialsProvider: AWSCredentialsProvider {
  private let environment: AWSEnvironment

  package init(_ environment: AWSEnvironment) {
    self.environment = environment
  }

  package var name: String { "environment" }
  package var absence: String { "AWS_ACCESS_KEY_ID is not set" }

  package func credentials() async throws(AWSError) -> AWSCredentials? {
    guard let key = environment.variable("AWS_ACCESS_KEY_ID") else { return nil }
    guard let secret = environment.variable("AWS_SECRET_ACCESS_KEY") else {
      throw .missingCredentials("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not")
    }
    let token = environment.variable("AWS_SECURITY_TOKEN") ?? environment.variable("AWS_SESSION_TOKEN")
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret), sessionToken: token.map { Secret($0) },
      expiration: environment.variable("AWS_CREDENTIAL_EXPIRATION").flatMap { Timestamp.seconds(iso8601: $0) }, source: name)
  }

  package func invalidate(_ refused: AWSCredentials?) {}
}

extension AWSError {
  /// No keys can be had from what is configured.
  package static func missingCredentials(_ message: String) -> AWSError {
    AWSError(kind: .credentials, code: "NoCredentials", message: message, operation: "Credentials", attempts: 0)
  }
}
