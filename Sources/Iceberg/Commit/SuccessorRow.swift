// SPDX-License-Identifier: Apache-2.0

/// The rows of the check list for a legal successor; the raw value is the row's name. Source: spec/table-metadata.md §7.
package enum SuccessorRow: String, Sendable, Hashable, CaseIterable {
  case document = "1"
  case uuid = "2"
  case formatVersion = "3"
  case baseBinding = "4"
  case metadataLog = "5"
  case lastUpdated = "6"
  case lastSequenceNumber = "7"
  case keptSnapshots = "8"
  case newSnapshots = "9"
  case sequenceWithoutSnapshot = "10"
  case manifestList = "11"
  case manifests = "12"
  case removedSnapshots = "13"
  case references = "14"
  case currentSnapshot = "15"
  case snapshotLog = "16"
  case schemas = "17"
  case lastColumn = "18"
  case schemaEvolution = "19"
  case partitionSpecs = "20"
  case sortOrders = "21"
  case reservedProperties = "22"
  case rowIDs = "23"
  case deleteFiles = "24"
  case location = "25"
  case statistics = "26"
  case encryptionKeys = "27"
  case objectLocation = "28"
  case create = "C1"
}

/// Why a document may not become the table's metadata.
package struct SuccessorRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// What the refusal means to the writer.
  package enum Kind: Sendable, Hashable {
    /// The document is wrong whatever the table is now: EINVAL.
    case invalid
    /// The document was made from a base that is not the current one; derive it anew: ESTALE.
    case conflict
    /// A file the check needs could not be read, with the errno of its code; nothing is said about the document.
    case unavailable(FileIOError.Code)
  }

  package var row: SuccessorRow
  package var kind: Kind
  /// Where in the document: `snapshots[2].summary.operation`. Empty for the document as a whole.
  package var path: String
  package var expected: String
  package var found: String

  package init(row: SuccessorRow, kind: Kind = .invalid, path: String, expected: String, found: String) {
    self.row = row
    self.kind = kind
    self.path = path
    self.expected = expected
    self.found = found
  }

  /// One sentence for a person, naming row, path, expected and found.
  package var message: String {
    let place = path.isEmpty ? "" : " at `\(path)`"
    return "check \(row.rawValue)\(place): expected \(expected), found \(found)"
  }

  package var description: String { message }
}

/// Something unusual in a document that is accepted.
package struct SuccessorWarning: Sendable, Hashable, CustomStringConvertible {
  package var row: SuccessorRow
  package var path: String
  /// One sentence for a person.
  package var message: String

  package var description: String { "check \(row.rawValue) at `\(path)`: \(message)" }
}
