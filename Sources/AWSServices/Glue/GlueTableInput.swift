// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// A column as Glue shows it.
package struct GlueColumn: Sendable, Hashable {
  package var name: String
  package var type: String
  package var comment: String?
  package var parameters: [String: String]

  package init(name: String, type: String, comment: String? = nil, parameters: [String: String] = [:]) {
    self.name = name
    self.type = type
    self.comment = comment
    self.parameters = parameters
  }

  var json: JSONValue {
    var members: [(key: String, value: JSONValue)] = [("Name", .string(name)), ("Type", .string(type))]
    if let comment { members.append(("Comment", .string(comment))) }
    members.append(("Parameters", GlueTableInput.object(parameters)))
    return .object(JSONMembers(members))
  }
}

/// The definition of a table as CreateTable and UpdateTable take it: all members that Iceberg sends. Source: spec/glue.md §5, §9.
///
/// UpdateTable puts it in place of the whole entry.
package struct GlueTableInput: Sendable, Hashable {
  package struct Storage: Sendable, Hashable {
    package var columns: [GlueColumn]
    package var location: String
    package var additionalLocations: [String]?

    package init(columns: [GlueColumn], location: String, additionalLocations: [String]?) {
      self.columns = columns
      self.location = location
      self.additionalLocations = additionalLocations
    }
  }

  package var name: String
  package var description: String?
  package var storage: Storage
  package var parameters: [String: String]

  package init(name: String, description: String?, storage: Storage, parameters: [String: String]) {
    self.name = name
    self.description = description
    self.storage = storage
    self.parameters = parameters
  }

  /// An entry without a pointer, as Iceberg makes one for a table that Lake Formation is to know before it has files.
  package init(reserving name: String, at location: String) {
    self.init(
      name: name, description: nil, storage: Storage(columns: [], location: location, additionalLocations: nil),
      parameters: ["table_type": "iceberg"])
  }

  var json: JSONValue {
    var members: [(key: String, value: JSONValue)] = [("Name", .string(name))]
    if let description { members.append(("Description", .string(description))) }
    guard let additional = storage.additionalLocations else {
      members += [("StorageDescriptor", ["Location": .string(storage.location)]), ("Parameters", Self.object(parameters))]
      return .object(JSONMembers(members))
    }
    members.append(
      (
        "StorageDescriptor",
        [
          "Columns": .array(storage.columns.map(\.json)), "Location": .string(storage.location),
          "AdditionalLocations": .array(additional.map { .string($0) }),
        ]
      ))
    members += [("TableType", "EXTERNAL_TABLE"), ("Parameters", Self.object(parameters))]
    return .object(JSONMembers(members))
  }

  /// Texts by key, sorted, so that a request is the same however often it is made.
  static func object(_ texts: [String: String]) -> JSONValue {
    .object(JSONMembers(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }
}

/// A table entry with what a change of it needs.
package struct GlueTableDefinition: Sendable, Hashable {
  package var table: GlueTable
  package var description: String?
  /// Comments of the columns by name, the first of each.
  package var columnComments: [String: String]
  package var copy: GlueTableCopy

  init?(_ node: JSONNode) {
    guard let table = GlueTable(node) else { return nil }
    self.table = table
    description = node["Description"]?.string
    columnComments = [:]
    if let columns = node["StorageDescriptor"]?["Columns"] {
      for column in columns.elements {
        guard let name = column["Name"]?.string, let comment = column["Comment"]?.string, columnComments[name] == nil else { continue }
        columnComments[name] = comment
      }
    }
    copy = GlueTableCopy(node)
  }
}

/// An entry as CreateTable and UpdateTable take it, member for member as it stands.
package struct GlueTableCopy: Sendable, Hashable {
  /// What a rename carries over to the new entry. Source: spec/glue.md §14.
  static let renamedMembers = ["Description", "Owner", "TableType", "Parameters", "StorageDescriptor"]
  /// What an update has to carry so as not to lose it: TableInput in AWS's Glue API but for the name.
  static let members =
    renamedMembers + [
      "LastAccessTime", "LastAnalyzedTime", "Retention", "PartitionKeys", "ViewOriginalText", "ViewExpandedText", "TargetTable",
    ]

  private let carried: [JSONMembers.Member]

  init(_ node: JSONNode) {
    carried = Self.members.compactMap { name in
      node[name].flatMap { $0.isNull ? nil : (name, JSONValue($0)) }
    }
  }

  /// For a new entry under another name.
  func json(renamed name: String) -> JSONValue {
    .object(JSONMembers([("Name", .string(name))] + carried.filter { Self.renamedMembers.contains($0.key) }))
  }

  /// For an update in place.
  ///
  /// - Parameter parameters: instead of those of the entry; nil for its own.
  func json(name: String, parameters: [String: String]?) -> JSONValue {
    guard let parameters else { return .object(JSONMembers([("Name", .string(name))] + carried)) }
    let rest = carried.filter { $0.key != "Parameters" }
    return .object(JSONMembers([("Name", .string(name))] + rest + [("Parameters", GlueTableInput.object(parameters))]))
  }

  package static func == (left: GlueTableCopy, right: GlueTableCopy) -> Bool {
    JSONMembers(left.carried) == JSONMembers(right.carried)
  }

  package func hash(into hasher: inout Hasher) {
    JSONMembers(carried).hash(into: &hasher)
  }
}
