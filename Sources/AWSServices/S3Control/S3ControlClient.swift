// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import HTTP
import WireFormats

/// What S3 Access Grants lets one do below a prefix.
package enum DataAccessPermission: String, Sendable, Hashable {
  case read = "READ"
  case write = "WRITE"
  case readWrite = "READWRITE"
}

/// Keys that S3 Access Grants handed out.
package struct DataAccess: Sendable, Hashable {
  package var credentials: AWSCredentials
  /// What they are good for: `s3://bucket/prefix*`, or one object without the star.
  package var matchedTarget: String
}

/// The calls of S3 Control that S3 Access Grants needs. Source: spec/s3fileio.md §14.
package struct S3ControlClient: Sendable {
  private static let path = "/v20180820/accessgrantsinstance"

  private let sender: any AWSRequestSender

  /// - Parameter sender: of ``AWSService/s3Control``.
  package init(sender: any AWSRequestSender) {
    self.sender = sender
  }

  /// GetAccessGrantsInstanceForPrefix.
  ///
  /// - Parameters:
  ///   - account: the caller's.
  ///   - prefix: `s3://bucket/…`.
  /// - Returns: the account that keeps the grants of the bucket.
  package func accessGrantsAccount(callerAccount account: String, prefix: String) async throws(AWSError) -> String {
    let request = AWSRequest(
      operation: "S3Control.GetAccessGrantsInstanceForPrefix", method: "GET", bucket: account, path: Self.path + "/prefix",
      query: [("s3prefix", prefix)], headers: [("x-amz-account-id", account)], deadline: .seconds(30))
    let response = try await sender.send(request)
    let arn = try RestXMLProtocol.document(of: response, operation: request.operation)["AccessGrantsInstanceArn"]?.text ?? ""
    // arn:aws:s3:region:account:access-grants/default
    let pieces = arn.split(separator: ":", omittingEmptySubsequences: false)
    guard pieces.count == 6, !pieces[4].isEmpty else {
      throw .malformed(response, operation: request.operation, "the answer names no instance of S3 Access Grants")
    }
    return String(pieces[4])
  }

  /// GetDataAccess, for as long as the service gives keys by itself (an hour).
  ///
  /// - Parameters:
  ///   - account: the one that keeps the grants.
  ///   - target: `s3://bucket/prefix*`.
  /// - Throws: `accessDenied` where no grant covers the target.
  package func dataAccess(account: String, target: String, permission: DataAccessPermission) async throws(AWSError) -> DataAccess {
    let request = AWSRequest(
      operation: "S3Control.GetDataAccess", method: "GET", bucket: account, path: Self.path + "/dataaccess",
      query: [("target", target), ("permission", permission.rawValue), ("privilege", "Default")], headers: [("x-amz-account-id", account)],
      deadline: .seconds(30))
    let response = try await sender.send(request)
    let root = try RestXMLProtocol.document(of: response, operation: request.operation)
    guard let matched = root["MatchedGrantTarget"]?.text, matched.hasPrefix("s3://") else {
      throw .malformed(response, operation: request.operation, "the answer does not say what the keys are good for")
    }
    let credentials = try AWSCredentials(
      xml: root["Credentials"], of: response, operation: request.operation, source: "S3 Access Grants, \(permission.rawValue) of \(matched)"
    )
    return DataAccess(credentials: credentials, matchedTarget: matched)
  }
}
