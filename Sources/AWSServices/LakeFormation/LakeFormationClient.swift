// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import Telemetry
import WireFormats

/// The call of Lake Formation that reading and writing tables needs. Source: spec/clients.md §3.
package struct LakeFormationClient: Sendable {
  private let sender: any AWSRequestSender

  package init(sender: any AWSRequestSender) {
    self.sender = sender
  }

  /// GetTemporaryGlueTableCredentials, for permissions on whole columns: what Iceberg asks for, and nothing else.
  ///
  /// - Parameters:
  ///   - tableARN: `arn:aws:glue:REGION:ACCOUNT:table/DATABASE/TABLE`.
  ///   - source: of the keys, for messages.
  /// - Throws: code `AccessDeniedException` without a grant, `PermissionTypeMismatchException` for a table with row or cell filters.
  package func temporaryTableCredentials(tableARN: String, source: String) async throws(AWSError) -> AWSCredentials {
    let name = "GetTemporaryGlueTableCredentials"
    let operation = "LakeFormation.\(name)"
    let body: JSONValue = ["TableArn": .string(tableARN), "SupportedPermissionTypes": ["COLUMN_PERMISSION"]]
    let response = try await sender.send(
      AWSRequest(
        operation: operation, method: "POST", path: "/\(name)", headers: [("Content-Type", "application/json")], body: body.serialized(),
        deadline: .seconds(45)))
    let document = try JSONProtocol.document(of: response, operation: operation)
    func member(_ name: String) throws(AWSError) -> String {
      guard let text = document.root[name]?.string, !text.isEmpty else {
        throw .malformed(response, operation: operation, "the answer has no usable member '\(name)'.")
      }
      return text
    }
    return AWSCredentials(
      accessKeyID: try member("AccessKeyId"), secretAccessKey: Secret(try member("SecretAccessKey")),
      sessionToken: Secret(try member("SessionToken")), expiration: document.root["Expiration"]?.double, source: source)
  }
}
