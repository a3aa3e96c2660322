// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WireFormats

/// The container by itself; files of real writers stand in IcebergTests.
@Suite struct AvroContainerTests {
  private static let sync = Array(UInt8(100)..<116)

  private static func string(_ text: String) -> [UInt8] {
    // Three bytes, whatever the length.
    let length = text.utf8.count << 1
    return [UInt8(length & 0x7F) | 0x80, UInt8(length >> 7 & 0x7F) | 0x80, UInt8(length >> 14 & 0x7F)] + text.utf8
  }

  /// A file with one block.
  private static func file(_ schema: String, codec: String? = nil, count: [UInt8], _ block: [UInt8], sync: [UInt8] = sync) -> [UInt8] {
    var header: [UInt8] = codec == nil ? [2] : [4]
    header += string("avro.schema") + string(schema)
    if let codec { header += string("avro.codec") + string(codec) }
    return Array("Obj".utf8) + [1] + header + [0] + Self.sync + count + [UInt8(block.count << 1)] + block + sync
  }

  private static let schema = """
    {"type":"record","name":"r","fields":[{"name":"a","type":"int","field-id":7},{"name":"skip","type":{"type":"map","values":\
    {"type":"record","name":"e","fields":[{"name":"f","type":"double"},{"name":"x","type":{"type":"fixed","name":"z","size":2}}]}}},\
    {"name":"s","type":["null","string"],"field-id":8},{"name":"again","type":"z"},{"name":"b","type":"boolean","field-id":9}]}
    """
  private static let record: [UInt8] = [3, 2, 2, 0x6B] + Array(repeating: 0, count: 10) + [0, 2, 4, 0x68, 0x69, 1, 2, 1]
  private static let paths: [[AvroContainer.Selection]] = [[.init(7, "a")], [.init(8, "s")], [.init(9, "b")], [.init(99, "absent")]]

  private func records(_ bytes: [UInt8], limit: Int = 1 << 20) throws(AvroError) -> [[AvroValue]] {
    var records: [[AvroValue]] = []
    try AvroContainer(parsing: bytes).forEachRecord(Self.paths, limit: limit) { record throws(AvroError) in
      var values: [AvroValue] = []
      for slot in Self.paths.indices { values.append(try record.value(slot)) }
      records.append(values)
    }
    return records
  }

  private func code(_ bytes: [UInt8], limit: Int = 1 << 20) -> AvroError.Code? {
    do throws(AvroError) {
      _ = try records(bytes, limit: limit)
      return nil
    } catch {
      return error.code
    }
  }

  @Test("Selected fields are read, all others read over, named types resolved")
  func record() throws {
    let bytes = Self.file(Self.schema, count: [4], Self.record + Self.record)
    #expect(try AvroContainer(parsing: bytes).codec == "null")
    #expect(try records(bytes) == Array(repeating: [.long(-2), .bytes(Array("hi".utf8)), .boolean(true), .null], count: 2))
  }

  @Test("Without field ids, names count")
  func names() throws {
    let schema = Self.schema.replacing(",\"field-id\":7", with: "").replacing(",\"field-id\":8", with: "").replacing(
      ",\"field-id\":9", with: "")
    #expect(try records(Self.file(schema, count: [2], Self.record)).first?[0] == .long(-2))
  }

  @Test("Faults are told apart")
  func faults() {
    #expect(code(Self.file(Self.schema, count: [2], Self.record)) == nil)
    #expect(code([]) == .notAvro)
    #expect(code(Array("PAR1".utf8)) == .notAvro)
    #expect(code(Self.file(Self.schema, count: [2], Self.record, sync: Array(repeating: 0, count: 16))) == .corrupt)
    #expect(code(Self.file(Self.schema, count: [2], Self.record + [0])) == .corrupt)
    #expect(code(Self.file(Self.schema, count: [4], Self.record)) == .truncated)
    #expect(code(Self.file(Self.schema, count: [1], Self.record)) == .corrupt)
    #expect(code(Self.file(Self.schema, codec: "snappy", count: [2], Self.record)) == .corrupt)
    #expect(code(Self.file(Self.schema, codec: "zstandard", count: [2], Self.record)) == .corrupt)
    #expect(code(Self.file(Self.schema, codec: "deflate", count: [2], Self.record)) == .corrupt)
    #expect(code(Self.file(Self.schema, codec: "bzip2", count: [2], Self.record)) == .unsupportedCodec)
    #expect(code(Self.file("\"nothing\"", count: [2], [0])) == .unsupportedSchema)
    #expect(code(Self.file("\"int\"", count: [2], [0])) == .unsupportedSchema)
    #expect(code(Self.file("{", count: [2], [0])) == .unsupportedSchema)
    let whole = Self.file(Self.schema, count: [2], Self.record)
    for end in 0..<whole.count where end != whole.count - 16 - Self.record.count - 2 { #expect(code(Array(whole[..<end])) != nil) }
  }

  @Test("Records cut at any byte are refused at a byte of their block, in one go and step by step")
  func places() throws {
    let records = Self.record + Self.record
    for end in records.indices {
      let bytes = Self.file(Self.schema, count: [4], Array(records[..<end]))
      let block = bytes.count - Self.sync.count - end
      let error = #expect(throws: AvroError.self) { try self.records(bytes) }
      #expect(error?.code == .truncated && (block...block + end).contains(error?.offset ?? 0), "\(end): \(error?.offset ?? -1)")
      let stepwise = #expect(throws: AvroError.self) {
        var records = try AvroContainer(parsing: bytes).records(Self.paths)
        while try records.next({ _ in }) {}
      }
      #expect(stepwise == error)
    }
  }

  @Test("Empty values repeated or nested without end stop")
  func bombs() {
    let endless = "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"null\"}}]}"
    #expect(code(Self.file(endless, count: [2], Array(repeating: 0xFE, count: 8) + [0x7F, 0])) == .overLimit)
    #expect(code(Self.file("{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}", count: [0xFE, 0xFF, 0xFF, 0xFF, 0x7F], [])) == .overLimit)
    var fields = "{\"name\":\"f\",\"type\":{\"type\":\"record\",\"name\":\"t0\",\"fields\":[]}}"
    for level in 1..<60 {
      fields += ",{\"name\":\"f\",\"type\":{\"type\":\"record\",\"name\":\"t\(level)\",\"fields\":["
      fields += "{\"name\":\"l\",\"type\":\"t\(level - 1)\"},{\"name\":\"r\",\"type\":\"t\(level - 1)\"}]}}"
    }
    #expect(code(Self.file("{\"type\":\"record\",\"name\":\"r\",\"fields\":[\(fields)]}", count: [2], [])) == .overLimit)
    for level in 60..<80 {
      fields +=
        ",{\"name\":\"f\",\"type\":{\"type\":\"record\",\"name\":\"t\(level)\",\"fields\":[{\"name\":\"l\",\"type\":\"t\(level - 1)\"}]}}"
    }
    #expect(code(Self.file("{\"type\":\"record\",\"name\":\"r\",\"fields\":[\(fields)]}", count: [2], [])) == .unsupportedSchema)
  }
}
