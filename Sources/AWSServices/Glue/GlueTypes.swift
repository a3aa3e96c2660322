// SPDX-License-Identifier: Apache-2.0

import AWSCore
import WireFormats

/// A database of the Glue Data Catalog. Source: spec/glue.md §1, §4.
package struct GlueDatabase: Sendable, Hashable {
  package var name: String
  package var description: String?
  package var locationURI: String?
  package var parameters: [String: String]
  /// Nanoseconds since 1970.
  package var createTime: Int64?

  init?(_ node: JSONNode) {
    guard let name = node["Name"]?.string else { return nil }
    self.name = name
    description = node["Description"]?.string
    locationURI = node["LocationUri"]?.string
    parameters = GlueTable.parameters(of: node)
    createTime = node["CreateTime"]?.double.flatMap(Timestamp.nanoseconds(epochSeconds:))
  }
}

/// A table entry of the Glue Data Catalog, of any kind. Source: spec/glue.md §5.
package struct GlueTable: Sendable, Hashable {
  package var name: String
  package var databaseName: String?
  package var parameters: [String: String]
  /// Opaque: changes with every UpdateTable.
  package var versionID: String?
  /// Nanoseconds since 1970.
  package var updateTime: Int64?
  /// Nanoseconds since 1970.
  package var createTime: Int64?
  /// Absent in answers: no.
  package var isRegisteredWithLakeFormation: Bool

  init?(_ node: JSONNode) {
    guard let name = node["Name"]?.string else { return nil }
    self.name = name
    isRegisteredWithLakeFormation = node["IsRegisteredWithLakeFormation"]?.bool ?? false
    databaseName = node["DatabaseName"]?.string
    parameters = Self.parameters(of: node)
    versionID = node["VersionId"]?.string
    updateTime = node["UpdateTime"]?.double.flatMap(Timestamp.nanoseconds(epochSeconds:))
    createTime = node["CreateTime"]?.double.flatMap(Timestamp.nanoseconds(epochSeconds:))
  }

  fileprivate static func parameters(of node: JSONNode) -> [String: String] {
    guard let object = node["Parameters"], object.kind == .object else { return [:] }
    var parameters: [String: String] = [:]
    for (key, value) in object.members {
      parameters[key] = value.string
    }
    return parameters
  }
}

/// One page of a Glue listing. A page may be empty and still have a next one.
package struct GluePage<Element: Sendable>: Sendable {
  package var elements: [Element]
  package var nextToken: String?
}
