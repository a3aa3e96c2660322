// SPDX-License-Identifier: Apache-2.0

/// Finds out whether a file that is to be committed has been committed before: by an attempt whose answer was lost.
struct EarlierAttempt {
  enum Finding: Sendable, Hashable {
    /// It is or was the table's current file.
    case landed(ObjectAttributes)
    /// The table's log no longer reaches back to where the file would stand, and the file exists.
    case unclear
    /// No attempt with this file has taken effect.
    case none
  }

  /// With the scheme that the catalog holds.
  let location: ObjectLocation
  let bytes: [UInt8]
  /// Full URI of the file that the document was made from; nil if it names none.
  let base: String?

  /// - Parameters:
  ///   - pointer: of the table's entry.
  ///   - head: of the pointer's file.
  func finding(
    pointer: String, _ head: TableMetadataHead, _ files: any FileIO
  ) async throws(FileIOError) -> Finding {
    func isPast(_ file: String) -> Bool {
      pointer.hasSameBytes(as: file) || head.metadataLog.contains { $0.file.hasSameBytes(as: file) }
    }
    let isNamed = isPast("\(location)")
    guard isNamed || base.map({ !isPast($0) }) == true else { return .none }
    guard let object = try await ObjectReader.attributes(of: location, ifEqualTo: bytes, from: files) else { return .none }
    return isNamed ? .landed(object) : .unclear
  }

  static func unclear(_ location: ObjectLocation) -> String {
    "others have committed since, their log does not reach back to the file this one was made from, and \(location) exists with these bytes: "
      + "whether it was committed before cannot be told; look at the table before you try again."
  }
}
