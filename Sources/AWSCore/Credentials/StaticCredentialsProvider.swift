// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Gives one set of keys for ever.
package struct StaticCredentialsProvider: AWSCredentialsProvider {
  private let fixed: AWSCredentials

  package init(_ credentials: AWSCredentials) {
    fixed = credentials
  }

  package var name: String { fixed.source }

  package func credentials() async throws(AWSError) -> AWSCredentials? { fixed }

  package func invalidate(_ refused: AWSCredentials?) {}
}

/// Makes requests go out unsigned.
package struct AnonymousCredentialsProvider: AWSCredentialsProvider {
  package init() {}

  package var name: String { "anonymous" }

  package func credentials() async throws(AWSError) -> AWSCredentials? { .anonymous }

  package func invalidate(_ refused: AWSCredentials?) {}
}

extension AWSCredentials {
  /// No keys on purpose: requests carry no signature.
  package static let anonymous = AWSCredentials(accessKeyID: "", secretAccessKey: Secret(""), source: "anonymous")

  /// No keys here: another place signs, and its name stands for them in messages ("the signer at https://signer.example").
  package static func signedElsewhere(by name: String) -> AWSCredentials {
    AWSCredentials(accessKeyID: "", secretAccessKey: Secret(""), source: name)
  }

  package var isSignedElsewhere: Bool { isAnonymous && source != Self.anonymous.source }

  package var isAnonymous: Bool { accessKeyID.isEmpty && secretAccessKey.isEmpty }
}
