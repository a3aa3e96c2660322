// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import WireFormats

/// A reader of foreign bytes, and what must hold whatever those are: it answers or refuses with a sentence, and two ways of reading agree.
package enum FuzzTarget: String, CaseIterable, Sendable {
  case avro, json, manifests, metadata

  /// What was wrong with how an input was read; nil if nothing. A trap ends the program.
  package func problem(with input: [UInt8]) -> String? {
    switch self {
    case .avro: Self.avro(input)
    case .json: Self.json(input)
    case .manifests: Self.manifest(input) ?? Self.manifestList(input)
    case .metadata: Self.metadata(input)
    }
  }

  // MARK: Targets

  private static let paths: [[AvroContainer.Selection]] = [
    [.init(0, "status")], [.init(2, "data_file"), .init(100, "file_path")], [.init(2, "data_file"), .init(102, "partition")],
    [.init(2, "data_file"), .init(125, "lower_bounds")], [.init(500, "manifest_path")], [.init(507, "partitions")],
  ]

  /// In one go and record by record gives the same.
  private static func avro(_ input: [UInt8]) -> String? {
    var whole: [String] = []
    var stepwise: [String] = []
    do throws(AvroError) {
      try AvroContainer(parsing: input).forEachRecord(paths, limit: 1 << 22) { record throws(AvroError) in
        whole.append(try text(record))
      }
    } catch {
      if error.message.isEmpty { return "an error without a sentence" }
      whole.append("\(error)")
    }
    do throws(AvroError) {
      var records = try AvroContainer(parsing: input).records(paths, limit: 1 << 22)
      while try records.next({ record throws(AvroError) in stepwise.append(try text(record)) }) {}
    } catch {
      stepwise.append("\(error)")
    }
    return whole == stepwise ? nil : "read at once and step by step differ: \(whole.last ?? "") and \(stepwise.last ?? "")"
  }

  private static func text(_ record: borrowing AvroRecord) throws(AvroError) -> String {
    var text = ""
    for slot in paths.indices { text += "\(try record.value(slot)) " }
    return String(text.prefix(2_000))
  }

  /// What was read is written as a text that reads the same.
  private static func json(_ input: [UInt8]) -> String? {
    let document: JSONDocument
    do throws(JSONError) {
      document = try JSONDocument(parsing: input)
    } catch {
      return "\(error)".isEmpty ? "an error without a sentence" : nil
    }
    let value = JSONValue(document.root)
    do throws(JSONError) {
      for isPretty in [false, true] {
        let again = JSONValue(try JSONDocument(parsing: value.serialized(pretty: isPretty)).root)
        guard again == value else { return "written and read again it differs" }
      }
      return nil
    } catch {
      return "what was read is written as no JSON: \(error)"
    }
  }

  /// Rows made of whatever a manifest holds are lines of JSON.
  private static func manifest(_ input: [UInt8]) -> String? {
    guard let table = FuzzTable.metadata else { return "no table" }
    let rows = FileRows(table)
    var partitions = PartitionRows(table)
    var text: [UInt8] = []
    do throws(AvroError) {
      try ManifestReader(parsing: input).forEachEntry(of: FuzzTable.manifest, columns: .all) { entry throws(AvroError) in
        if text.count < 1 << 20 { text += rows.line(entry, spec: 0) }
        partitions.add(entry, spec: entry.recordCount % 3)
      }
    } catch {
      if error.message.isEmpty { return "an error without a sentence" }
    }
    return noJSON(in: text + partitions.text())
  }

  private static func manifestList(_ input: [UInt8]) -> String? {
    guard let table = FuzzTable.metadata else { return "no table" }
    do throws(AvroError) {
      return noJSON(in: MetadataRows(table).manifests(try ManifestList(parsing: input).manifests(summaries: true)))
    } catch {
      return error.message.isEmpty ? "an error without a sentence" : nil
    }
  }

  private static func metadata(_ input: [UInt8]) -> String? {
    let table: TableMetadata
    do throws(TableMetadataError) {
      table = try TableMetadata(parsing: input, fileName: "00001-fuzzed.metadata.json")
    } catch {
      return error.message.isEmpty ? "an error without a sentence" : nil
    }
    let rows = MetadataRows(table)
    _ = PartitionColumns(table)
    return noJSON(in: rows.history() + rows.snapshots() + rows.refs() + rows.metadataLog(location: "s3://lake/m"))
  }

  private static func noJSON(in lines: [UInt8]) -> String? {
    for line in lines.split(separator: UInt8(ascii: "\n")) {
      do throws(JSONError) {
        _ = try JSONDocument(parsing: Array(line))
      } catch {
        return "a row is no JSON: \(error): \(String(decoding: line.prefix(400), as: UTF8.self))"
      }
    }
    return nil
  }
}

/// A table of every type and transform, whose manifests the inputs are taken for.
enum FuzzTable {
  static let manifest: ManifestFile? = {
    var entry = TestManifestList.Entry("s3://lake/m.avro", length: 1, addedBy: 9)
    entry.firstRowID = 5
    return try? ManifestList(parsing: TestManifestList(version: 3, snapshotID: 9, [entry]).bytes).manifests().first
  }()

  static let metadata = try? TableMetadata(parsing: document, fileName: "00000-fuzzed.metadata.json")

  private static let types = [
    "boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "string", "uuid", "binary", "fixed[4]",
    "decimal(9, 2)", "timestamp_ns", "timestamptz_ns",
  ]
  private static let transforms = [
    "identity", "bucket[4]", "truncate[3]", "identity", "identity", "year", "identity", "month", "day", "truncate[2]", "identity",
    "identity",
    "bucket[2]", "truncate[5]", "hour", "void",
  ]

  /// Of format version 3.
  static let document: [UInt8] = {
    let columns = types.enumerated().map { "{\"id\":\($0 + 1),\"name\":\"c\($0 + 1)\",\"required\":false,\"type\":\"\($1)\"}" }
    let fields = transforms.enumerated().map {
      "{\"source-id\":\($0 + 1),\"field-id\":\(1000 + $0),\"name\":\"p\($0)\",\"transform\":\"\($1)\"}"
    }
    return Array(
      """
      {"format-version":3,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"s3://lake/t","last-sequence-number":9,\
      "last-updated-ms":1700000000000,"last-column-id":99,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,\
      "fields":[\(columns.joined(separator: ","))]}],"default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[\(fields.joined(separator: ","))]},\
      {"spec-id":1,"fields":[]}],"last-partition-id":1099,"default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],\
      "next-row-id":99,"properties":{"k":"v"},"current-snapshot-id":9,"refs":{"main":{"snapshot-id":9,"type":"branch"},\
      "t":{"snapshot-id":9,"type":"tag","max-ref-age-ms":5}},"snapshots":[{"snapshot-id":9,"sequence-number":9,"timestamp-ms":1700000000000,\
      "summary":{"operation":"append","x":"y"},"manifest-list":"s3://lake/l.avro","schema-id":0,"first-row-id":0,"added-rows":9}],\
      "snapshot-log":[{"timestamp-ms":1700000000000,"snapshot-id":9}],"metadata-log":[{"timestamp-ms":1,"metadata-file":"s3://lake/m0"}]}
      """.utf8)
  }()
}
