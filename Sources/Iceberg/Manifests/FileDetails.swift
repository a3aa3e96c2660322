// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// Which columns of an entry are decoded beyond those that finding its file takes.
package enum ManifestColumns: Sendable, Hashable {
  case files
  /// The partition too.
  case partitions
  /// Partition, statistics and the rest, which takes many times longer.
  case all
}

/// What a manifest says of a file beyond what finding it takes. Source: spec/manifests.md §3.
package struct FileDetails: Sendable, Hashable {
  /// The values of the partition fields, by their ids and names, in the order of the spec.
  package var partition: [AvroValue.Field] = []
  /// Bytes on disk, by column.
  package var columnSizes: [Int: Int64] = [:]
  package var valueCounts: [Int: Int64] = [:]
  package var nullValueCounts: [Int: Int64] = [:]
  package var nanValueCounts: [Int: Int64] = [:]
  /// Serialised single values, by column.
  package var lowerBounds: [Int: [UInt8]] = [:]
  package var upperBounds: [Int: [UInt8]] = [:]
  package var keyMetadata: [UInt8]?
  package var splitOffsets: [Int64] = []
  package var equalityIDs: [Int] = []
  package var sortOrderID: Int64?
  /// Full URI.
  package var referencedDataFile: String?
  package var contentOffset: Int64?
  package var contentSize: Int64?
}

extension FileDetails {
  private static let fields: [AvroContainer.Selection] = [
    .init(102, "partition"), .init(108, "column_sizes"), .init(109, "value_counts"), .init(110, "null_value_counts"),
    .init(137, "nan_value_counts"), .init(125, "lower_bounds"), .init(128, "upper_bounds"), .init(131, "key_metadata"),
    .init(132, "split_offsets"), .init(135, "equality_ids"), .init(140, "sort_order_id"), .init(143, "referenced_data_file"),
    .init(144, "content_offset"), .init(145, "content_size_in_bytes"),
  ]
  /// In the order in which they are read below.
  private static let paths: [[AvroContainer.Selection]] = fields.map { [.init(2, "data_file"), $0] }

  static func paths(_ columns: ManifestColumns) -> [[AvroContainer.Selection]] {
    switch columns {
    case .files: []
    case .partitions: Array(paths.prefix(1))
    case .all: paths
    }
  }

  /// - Parameters:
  ///   - first: the slot of the first of the paths.
  ///   - columns: not `files`.
  init(_ record: borrowing AvroRecord, from first: Int, _ columns: ManifestColumns) throws(AvroError) {
    partition = try record.value(first).record ?? []
    guard columns == .all else { return }
    columnSizes = try Self.map(record, first + 1) { $0.long }
    valueCounts = try Self.map(record, first + 2) { $0.long }
    nullValueCounts = try Self.map(record, first + 3) { $0.long }
    nanValueCounts = try Self.map(record, first + 4) { $0.long }
    lowerBounds = try Self.map(record, first + 5) { if case .bytes(let bytes) = $0 { bytes } else { nil } }
    upperBounds = try Self.map(record, first + 6) { if case .bytes(let bytes) = $0 { bytes } else { nil } }
    keyMetadata = record.bytes(first + 7).map { Array($0) }
    splitOffsets = try Self.numbers(record, first + 8)
    equalityIDs = try Self.numbers(record, first + 9).map { Int($0) }
    sortOrderID = record.long(first + 10)
    referencedDataFile = try record.string(first + 11)
    contentOffset = record.long(first + 12)
    contentSize = record.long(first + 13)
  }

  /// An array of records of key and value, as Iceberg writes maps whose keys are no strings.
  private static func map<Value>(
    _ record: borrowing AvroRecord, _ slot: Int, _ read: (AvroValue) -> Value?
  ) throws(AvroError) -> [Int: Value] {
    var map: [Int: Value] = [:]
    for item in try record.value(slot).array ?? [] {
      guard let fields = item.record, fields.count == 2, let key = fields[0].value.long, let value = read(fields[1].value) else {
        throw AvroError(code: .corrupt, message: "a manifest has a map of columns with something else in it")
      }
      map[Int(key)] = value
    }
    return map
  }

  private static func numbers(_ record: borrowing AvroRecord, _ slot: Int) throws(AvroError) -> [Int64] {
    var numbers: [Int64] = []
    for item in try record.value(slot).array ?? [] {
      guard let number = item.long else {
        throw AvroError(code: .corrupt, message: "a manifest has a list of numbers with something else in it")
      }
      numbers.append(number)
    }
    return numbers
  }
}
