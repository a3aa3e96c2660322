// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Testing

@testable import CatalogFS

@Suite("Failures of the filesystem")
struct FilesystemErrorTests {
  @Test(
    "Every failure of file access is one of the filesystem",
    arguments: [
      (FileIOError.Code.notFound, FilesystemError.Code.notFound), (.changed, .stale), (.denied, .denied), (.timedOut, .timedOut),
      (.failed, .failed), (.invalid, .failed), (.cancelled, .interrupted), (.exists, .exists), (.tooLarge, .tooLarge), (.unknown, .failed),
      (.unsupported, .notSupported),
    ])
  func files(code: FileIOError.Code, expected: FilesystemError.Code) {
    let error = FilesystemError(FileIOError(code: code, message: "why", requestID: "id"))
    #expect(error.code == expected)
    #expect(error.message == "why" && error.requestID == "id")
  }

  @Test(
    "Every failure of a catalog is one of the filesystem",
    arguments: [
      (CatalogError.Code.namespaceNotFound, FilesystemError.Code.notFound), (.catalogNotFound, .failed), (.denied, .denied),
      (.timedOut, .timedOut), (.failed, .failed), (.cancelled, .interrupted), (.tableNotFound, .notFound), (.conflict, .stale),
      (.invalid, .invalid), (.alreadyExists, .exists), (.notEmpty, .notEmpty), (.unknown, .failed),
    ])
  func catalogs(code: CatalogError.Code, expected: FilesystemError.Code) {
    let error = FilesystemError(CatalogError(code: code, message: "why", requestID: "id"))
    #expect(error.code == expected)
    #expect(error.message == "why" && error.requestID == "id")
  }

  @Test("The journal keeps the last 1,000 failures, oldest first")
  func journal() {
    let journal = ErrorJournal()
    for number in 0..<2_345 {
      journal.append(
        ErrorJournal.Record(time: Int64(number), path: "/", operation: "read", errno: "EIO", message: "\(number)", requestID: nil))
    }
    #expect(journal.records.map(\.time) == Array(1_345..<2_345))
  }
}
