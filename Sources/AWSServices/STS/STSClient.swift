// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import WireFormats

/// Who the credentials belong to.
package struct CallerIdentity: Sendable, Hashable {
  package var account: String
  package var arn: String
  package var userID: String
}

/// The call of the Security Token Service that `check` needs. Source: spec/clients.md §2, §10.
package struct STSClient: Sendable {
  private let sender: any AWSRequestSender

  package init(sender: any AWSRequestSender) {
    self.sender = sender
  }

  /// GetCallerIdentity: needs no permission, so it fails only for bad credentials or no connection.
  package func getCallerIdentity() async throws(AWSError) -> CallerIdentity {
    let (action, operation) = ("GetCallerIdentity", "STS.GetCallerIdentity")
    let response = try await sender.send(
      QueryProtocol.request(action: action, version: "2011-06-15", parameters: [], operation: operation))
    let result = try QueryProtocol.result(of: response, action: action, operation: operation)
    guard let account = result["Account"]?.text, let arn = result["Arn"]?.text else {
      throw .malformed(response, operation: operation, "the answer names no account")
    }
    return CallerIdentity(account: account, arn: arn, userID: result["UserId"]?.text ?? "")
  }
}
