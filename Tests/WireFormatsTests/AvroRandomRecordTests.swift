// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import WireFormats

/// Records of schemas made at random: what a program keeps of them, against decoding them in full.
@Suite struct AvroRandomRecordTests {
  private var random = SeededGenerator(seed: 17)

  // MARK: Schemas

  private mutating func schema(_ depth: Int) -> AvroSchema {
    let simple: [AvroSchema] = [.null, .boolean, .int, .long, .float, .double, .bytes, .string, .enumeration, .fixed(3)]
    guard depth > 0 else { return simple.randomElement(using: &random) ?? .null }
    // Iceberg's own shapes often: maps of counts, of bounds, and what may be missing.
    switch Int.random(in: 0..<12, using: &random) {
    case 0...2: return simple.randomElement(using: &random) ?? .null
    case 3: return .array(.record([.init(name: "k", schema: .int), .init(name: "v", schema: .long)]))
    case 4: return .array(.record([.init(name: "k", schema: .int), .init(name: "v", schema: .bytes)]))
    case 5, 6: return .array(schema(depth - 1))
    case 7: return .map(schema(depth - 1))
    case 8: return .union([.null, schema(depth - 1)])
    case 9: return .union([.long, schema(depth - 1), .null])
    default: return record(depth - 1)
    }
  }

  private mutating func record(_ depth: Int) -> AvroSchema {
    let count = Int.random(in: 1...5, using: &random)
    var fields: [AvroSchema.Field] = []
    for index in 0..<count { fields.append(.init(name: "f\(index)", schema: schema(depth))) }
    return .record(fields)
  }

  /// The way to a field of the schema, at any depth.
  private mutating func path(_ schema: AvroSchema) -> [String] {
    switch schema {
    case .record(let fields):
      guard let field = fields.randomElement(using: &random) else { return [] }
      return [field.name] + (Bool.random(using: &random) ? path(field.schema) : [])
    case .union(let branches): return branches.randomElement(using: &random).map { path($0) } ?? []
    default: return []
    }
  }

  // MARK: Values

  private mutating func long() -> [UInt8] {
    AvroBytes.long(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random))
  }

  private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0x20...0x7E, using: &random) } }

  private mutating func prefixed() -> [UInt8] {
    let count = Int.random(in: 0...9, using: &random) * (Int.random(in: 0..<8, using: &random) == 0 ? 20 : 1)
    return AvroBytes.long(Int64(count)) + bytes(count)
  }

  private mutating func encoding(_ schema: AvroSchema) -> [UInt8] {
    switch schema {
    case .null: return []
    case .boolean: return [UInt8.random(in: 0...1, using: &random)]
    case .int, .long, .enumeration: return long()
    case .float: return bytes(4)
    case .double: return bytes(8)
    case .fixed(let size): return bytes(size)
    case .bytes, .string: return prefixed()
    case .union(let branches):
      let index = Int.random(in: branches.indices, using: &random)
      return AvroBytes.long(Int64(index)) + encoding(branches[index])
    case .record(let fields):
      var encoded: [UInt8] = []
      for field in fields { encoded += encoding(field.schema) }
      return encoded
    case .array(let item): return items(of: item, hasKeys: false)
    case .map(let values): return items(of: values, hasKeys: true)
    }
  }

  /// In blocks, some of which say how many bytes they take.
  private mutating func items(of schema: AvroSchema, hasKeys: Bool) -> [UInt8] {
    var encoded: [UInt8] = []
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let count = Int.random(in: 1...12, using: &random)
      var content: [UInt8] = []
      for _ in 0..<count { content += (hasKeys ? prefixed() : []) + encoding(schema) }
      let isSized = Bool.random(using: &random)
      encoded += AvroBytes.long(Int64(isSized ? -count : count)) + (isSized ? AvroBytes.long(Int64(content.count)) : []) + content
    }
    return encoded + [0]
  }

  private func value(_ path: ArraySlice<String>, of value: AvroValue) -> AvroValue {
    guard let name = path.first else {
      // A string that is kept is told as its bytes.
      if case .string(let text) = value { return .bytes(Array(text.utf8)) }
      return value
    }
    return value.record?.first { $0.name == name }.map { self.value(path.dropFirst(), of: $0.value) } ?? .null
  }

  private func fault(_ read: () throws(AvroError) -> Void) -> AvroError? {
    do throws(AvroError) {
      try read()
      return nil
    } catch {
      return error
    }
  }

  // MARK: Tests

  @Test("What is kept is what decoding everything gives, and ends at the same byte; cut anywhere, a record is refused")
  mutating func records() throws {
    var (kept, cuts) = (0, 0)
    for _ in 0..<1_000 {
      let schema = record(3)
      // One path a field, so that none goes on below another's end.
      var paths: [String: [String]] = [:]
      for _ in 0..<3 {
        let path = path(schema)
        paths[path[0]] = path
      }
      let wanted = paths.values.sorted { $0[0] < $1[0] }
      let record = encoding(schema)
      // Bytes around it that a reader must not take for the record's.
      let before = [UInt8](repeating: 0x80, count: 11)
      let text = before + record + [UInt8](repeating: 0, count: 40)
      let program = try AvroProgram(schema, keeping: wanted.map { $0.map { .init(0, $0) } })
      var decoder = AvroDecoder(range: before.count..<(before.count + record.count))
      let whole = try decoder.value(schema, text.span)
      #expect(decoder.isAtEnd)
      decoder = AvroDecoder(range: before.count..<(before.count + record.count))
      var fast = AvroRecord(block: text, schemas: program.schemas)
      try fast.read(&decoder, program, text.span)
      #expect(decoder.isAtEnd, "\(schema)")
      for (slot, path) in wanted.enumerated() {
        let expected = value(path[...], of: whole)
        #expect(value([], of: try fast.value(slot)) == expected, "\(path) of \(schema)")
        if expected != .null { kept += 1 }
      }
      // Every place of most records; of the long ones, which are gone over again each time, the first.
      for end in record.indices.prefix(200) {
        decoder = AvroDecoder(range: before.count..<(before.count + end))
        let error = fault { () throws(AvroError) in try fast.read(&decoder, program, text.span) }
        let isInside = (before.count...before.count + end).contains(decoder.position)
        if error?.code != .truncated || !isInside { Issue.record("\(end): \(String(describing: error)), \(schema)") }
        cuts += 1
      }
    }
    #expect(kept > 1_000 && cuts > 100_000, "\(kept) values, \(cuts) cuts")
  }
}
