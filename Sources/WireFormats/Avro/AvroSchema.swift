// SPDX-License-Identifier: Apache-2.0

/// The schema a file was written with, as far as decoding and Iceberg's field ids need it. Source: spec/manifests.md §1.
package indirect enum AvroSchema: Sendable {
  /// One field of a record.
  package struct Field: Sendable {
    package var name: String
    /// Iceberg's id; nil in files of old writers.
    package var fieldID: Int?
    package var schema: AvroSchema
  }

  case null, boolean, int, long, float, double, bytes, string, enumeration
  case fixed(Int)
  case array(AvroSchema)
  case map(AvroSchema)
  case union([AvroSchema])
  case record([Field])

  /// Nesting, references to named types included, beyond which a schema is refused: keeps decoding's recursion small.
  private static let maximumDepth = 64
  private static let maximumFixedSize: Int64 = 1 << 20

  /// Reads the JSON of `avro.schema`. Throws `unsupportedSchema`.
  package init(parsing bytes: [UInt8]) throws(AvroError) {
    let document: JSONDocument
    do {
      document = try JSONDocument(parsing: bytes)
    } catch {
      throw AvroError(code: .unsupportedSchema, message: "the Avro schema is not JSON: \(error)")
    }
    var names: [String: (schema: AvroSchema, height: Int)] = [:]
    self = try Self.read(document.root, &names).schema
  }

  /// - Returns: the schema and how deep it nests.
  private static func read(
    _ node: JSONNode, _ names: inout [String: (schema: AvroSchema, height: Int)]
  ) throws(AvroError) -> (schema: AvroSchema, height: Int) {
    switch node.kind {
    case .string: return try named(node.string ?? "", names)
    case .array:
      var branches: [AvroSchema] = []
      var height = 0
      for element in node.elements {
        let branch = try read(element, &names)
        branches.append(branch.schema)
        height = max(height, branch.height)
      }
      return try limited(.union(branches), height + 1)
    case .object: return try complex(node, &names)
    default: throw unsupported("a type that is no name, object or union")
    }
  }

  private static func complex(
    _ node: JSONNode, _ names: inout [String: (schema: AvroSchema, height: Int)]
  ) throws(AvroError) -> (schema: AvroSchema, height: Int) {
    guard let type = node["type"] else { throw unsupported("an object without a type") }
    let result: (schema: AvroSchema, height: Int)
    switch type.string {
    case nil: return try read(type, &names)
    case "array":
      guard let items = node["items"] else { throw unsupported("an array without items") }
      let element = try read(items, &names)
      result = (.array(element.schema), element.height + 1)
    case "map":
      guard let values = node["values"] else { throw unsupported("a map without values") }
      let value = try read(values, &names)
      result = (.map(value.schema), value.height + 1)
    case "fixed":
      guard let size = node["size"]?.int64, 0...maximumFixedSize ~= size else { throw unsupported("a fixed without a size") }
      result = (.fixed(Int(size)), 0)
    case "enum": result = (.enumeration, 0)
    case "record", "error": result = try record(node, &names)
    case let name?: result = try named(name, names)
    }
    let schema = try limited(result.schema, result.height)
    if let name = node["name"]?.string, ["record", "error", "fixed", "enum"].contains(type.string ?? "") { names[name] = schema }
    return schema
  }

  private static func record(
    _ node: JSONNode, _ names: inout [String: (schema: AvroSchema, height: Int)]
  ) throws(AvroError) -> (schema: AvroSchema, height: Int) {
    guard let list = node["fields"], list.kind == .array else { throw unsupported("a record without fields") }
    var fields: [Field] = []
    var height = 0
    for element in list.elements {
      guard let name = element["name"]?.string, let type = element["type"] else { throw unsupported("a field without name or type") }
      let field = try read(type, &names)
      height = max(height, field.height)
      fields.append(Field(name: name, fieldID: element["field-id"]?.int64.flatMap { Int(exactly: $0) }, schema: field.schema))
    }
    return (.record(fields), height + 1)
  }

  private static func named(
    _ name: String, _ names: [String: (schema: AvroSchema, height: Int)]
  ) throws(AvroError) -> (schema: AvroSchema, height: Int) {
    switch name {
    case "null": return (.null, 0)
    case "boolean": return (.boolean, 0)
    case "int": return (.int, 0)
    case "long": return (.long, 0)
    case "float": return (.float, 0)
    case "double": return (.double, 0)
    case "bytes": return (.bytes, 0)
    case "string": return (.string, 0)
    default:
      guard let known = names[name] else { throw unsupported("the unknown type name \(name.prefix(80))") }
      return known
    }
  }

  private static func limited(_ schema: AvroSchema, _ height: Int) throws(AvroError) -> (schema: AvroSchema, height: Int) {
    guard height <= maximumDepth else { throw unsupported("more than \(maximumDepth) levels") }
    return (schema, height)
  }

  private static func unsupported(_ what: String) -> AvroError {
    AvroError(code: .unsupportedSchema, message: "the Avro schema has \(what)")
  }
}
