// SPDX-License-Identifier: Apache-2.0

/// A command line that cannot be followed, in one sentence.
package struct UsageError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// What the command line asks for.
package struct ServerOptions: Sendable {
  package struct Generated: Sendable {
    package var bucket: String
    package var key: String
    package var number: Int
    /// Of many objects: in how many directories they lie.
    package var directories = 10
  }

  package var root: String?
  package var port: UInt16 = 0
  package var shape = Shape()
  package var logPath: String?
  package var synthetic: [Generated] = []
  package var syntheticMany: [Generated] = []
  package var tables: [CatalogTable] = []
  package var writableBuckets: [String] = []
  package var dynamoDBTable = "iceberg"
  package var recordings: String?
  package var exitsWithStandardInput = false
  package var printContent: (size: Int, offset: Int)?
  package var showsHelp = false

  /// Parses the arguments after the program's name.
  package init(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      switch option {
      case "--exit-with-stdin": exitsWithStandardInput = true
      case "--help": showsHelp = true
      default:
        guard let value = rest.popFirst() else { throw UsageError("\(option) is unknown or lacks its value") }
        try set(option, value)
      }
    }
  }

  private mutating func set(_ option: String, _ value: String) throws(UsageError) {
    switch option {
    case "--root": root = value
    case "--port": port = UInt16(clamping: try ServerOptions.number(option, value, limit: 65535))
    case "--latency-ms": shape.latency = UInt64(try ServerOptions.number(option, value, limit: 600_000)) * 1_000_000
    case "--bandwidth-mbps":
      let megabytes = try ServerOptions.number(option, value, limit: 1_000_000)
      shape.bytesPerSecond = megabytes > 0 ? megabytes * 1_000_000 : nil
    case "--log": logPath = value
    case "--synthetic": synthetic.append(try ServerOptions.generated(option, value))
    case "--synthetic-many": syntheticMany.append(try ServerOptions.many(option, value))
    case "--writable": writableBuckets.append(value)
    case "--table": tables.append(try ServerOptions.table(value))
    case "--glue-tables": addTables(try ServerOptions.number(option, value, limit: 1_000_000))
    case "--dynamodb-table": dynamoDBTable = value
    case "--answers": recordings = value
    case "--print-content":
      let parts = value.split(separator: "@", maxSplits: 1).map(String.init)
      guard let size = parts.first else { throw UsageError("\(option) wants SIZE[@OFFSET]") }
      printContent = (try ServerOptions.number(option, size), parts.count == 2 ? try ServerOptions.number(option, parts[1]) : 0)
    default: throw UsageError("unknown option \(option)")
    }
  }

  private mutating func addTables(_ count: Int) {
    for index in 0..<count {
      let name = "t" + SyntheticSource.padded(index, width: 6)
      tables.append(CatalogTable(namespace: "many", name: name, location: "s3://bench/many/\(name)"))
    }
  }

  /// `NAMESPACE.TABLE=s3://bucket/location`.
  private static func table(_ value: String) throws(UsageError) -> CatalogTable {
    let sides = value.split(separator: "=", maxSplits: 1).map(String.init)
    let names = sides.first?.split(separator: ".").map(String.init) ?? []
    guard sides.count == 2, names.count == 2, CatalogTable.split(sides[1]) != nil else {
      throw UsageError("--table wants NAMESPACE.TABLE=s3://bucket/location, not \(value)")
    }
    return CatalogTable(namespace: names[0], name: names[1], location: sides[1])
  }

  /// `bucket/key=NUMBER`; the number may have a suffix K, M or G.
  private static func generated(_ option: String, _ value: String) throws(UsageError) -> Generated {
    guard let equals = value.lastIndex(of: "="), let slash = value.firstIndex(of: "/"), slash < equals else {
      throw UsageError("\(option) wants bucket/key=NUMBER, not \(value)")
    }
    let key = value[value.index(after: slash)..<equals]
    let amount = try number(option, String(value[value.index(after: equals)...]))
    return Generated(bucket: String(value[..<slash]), key: String(key), number: amount)
  }

  /// `bucket/prefix=NUMBER` or `bucket/prefix=NUMBER/DIRECTORIES`.
  private static func many(_ option: String, _ value: String) throws(UsageError) -> Generated {
    guard let equals = value.lastIndex(of: "="), let slash = value[equals...].firstIndex(of: "/") else {
      return try generated(option, value)
    }
    var set = try generated(option, String(value[..<slash]))
    set.directories = try number(option, String(value[value.index(after: slash)...]), limit: 1_000)
    guard set.directories > 0 else { throw UsageError("\(option) wants one directory or more") }
    return set
  }

  private static func number(_ option: String, _ text: String, limit: Int = 1 << 50) throws(UsageError) -> Int {
    let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
    let shift = text.last.flatMap { shifts[$0] }
    guard let count = Int(shift == nil ? text[...] : text.dropLast()), count >= 0, count <= limit >> (shift ?? 0) else {
      throw UsageError("\(option) wants a number up to \(limit), with or without K, M or G, not \(text)")
    }
    return count << (shift ?? 0)
  }
}
