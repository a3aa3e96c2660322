// SPDX-License-Identifier: Apache-2.0

/// Keeps the record of a metadata file open beyond its upload: as long as nobody knows whether a commit names it, a killed daemon would
/// leave a file that only the journal tells of.
struct PendingCommitJournal: WriteJournal {
  let journal: any WriteJournal

  func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    try await journal.willWrite(location, mark: mark)
  }

  func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    try await journal.didBegin(upload: id, at: location, mark: mark)
  }

  /// The commit ends the record, once its outcome is known.
  func didEnd(_ location: ObjectLocation, mark: WriteMark) async {}
}
