// SPDX-License-Identifier: Apache-2.0

package import AWSCore
import Iceberg

/// The `client.assume-role.*` properties. Source: spec/properties.md §2, spec/clients.md §2.
package struct AssumeRoleProperties: Sendable, Hashable {
  package static let arnKey = "client.assume-role.arn"
  package static let regionKey = "client.assume-role.region"
  package static let tagsPrefix = "client.assume-role.tags."
  /// The session tag that Lake Formation knows a program by.
  static let authorizedCaller = "LakeFormationAuthorizedCaller"

  package var role: RoleRequest
  /// Of every client made with the role, and of STS.
  package var region: String

  /// - Throws: Java's sentences for what is missing.
  package init(_ properties: [String: String]) throws(PropertyError) {
    let map = PropertyMap(properties)
    guard let arn = map.nonEmpty(Self.arnKey) else {
      throw PropertyError(
        key: Self.arnKey, message: "Cannot initialize AssumeRoleClientConfigFactory with null role ARN: set \(Self.arnKey)")
    }
    guard let region = map.nonEmpty(Self.regionKey) else {
      throw PropertyError(
        key: Self.regionKey, message: "Cannot initialize AssumeRoleClientConfigFactory with null region: set \(Self.regionKey)")
    }
    self.region = region
    let seconds = try map.integer("client.assume-role.timeout-sec", default: 3600, in: 1...Int64(Int32.max))
    role = RoleRequest(
      arn: arn, sessionName: map.nonEmpty("client.assume-role.session-name") ?? "iceberg-aws-\(RandomUUID.text())", seconds: Int(seconds),
      externalID: map.nonEmpty("client.assume-role.external-id"),
      tags: map.prefixed(Self.tagsPrefix).sorted { $0.key < $1.key }.map { RoleRequest.Tag(key: Self.tagName($0.key), value: $0.value) })
  }

  /// PyIceberg's file and variables have no capitals, and Lake Formation knows its tag by them.
  private static func tagName(_ key: String) -> String {
    key.lowercased() == authorizedCaller.lowercased() ? authorizedCaller : key
  }

  /// Whether the session tag is set that Lake Formation demands.
  var namesAuthorizedCaller: Bool { role.tags.contains { $0.key == Self.authorizedCaller } }
}
