// SPDX-License-Identifier: Apache-2.0

import Processes

/// What became of a write that a dead daemon left.
package struct CleanedWrite: Sendable {
  package enum Outcome: Sendable {
    /// There is nothing of it.
    case nothingLeft
    /// Its upload was given up.
    case abandoned(upload: String)
    /// The object is whole and stays: only its writer was not told. A metadata file may even be committed.
    case kept(ObjectAttributes)
    /// Uploads at its place that may be another writer's were left alone, and why.
    case left(uploads: [String], why: String)
    /// To be tried again at the next start.
    case failed(FileIOError)
  }

  package var write: AbandonedWrite
  package var outcome: Outcome

  /// Whether the journal may forget it.
  package var isDone: Bool { if case .failed = outcome { false } else { true } }

  /// One sentence for the log.
  package var sentence: String {
    switch outcome {
    case .nothingLeft: "\(write.location): a write of an ended mount has left nothing."
    case .abandoned(let upload): "\(write.location): the upload \(upload) of an ended mount was given up."
    case .kept(let object):
      "\(write.location): an ended mount wrote this object (\(object.size) bytes, etag \(object.etag)) and did not learn of it; it stays."
    case .left(let uploads, let why):
      "\(write.location): \(uploads.isEmpty ? "what an ended mount left" : "the uploads \(uploads.joined(separator: ", "))") stayed: \(why)."
    case .failed(let error): "\(write.location): what an ended mount left could not be cleaned up and will be at the next start: \(error)"
    }
  }
}

/// Cleans up after dead daemons: gives up their uploads. It deletes no object.
///
/// An upload that the journal has by its id is ours and is given up. A write without an id was one request, or died between the begin of its
/// upload and the answer; S3's list of uploads does not show the mark, so that upload can only be told by its place and time. It is given up if it is
/// the only one at exactly that place, began within ``window`` after the record, and no living daemon that shares the directory writes
/// there. What is risked: an upload that a program which keeps no journal here began at the very same key within those two minutes; its writer
/// gets NoSuchUpload, no object is lost. Anything less certain is left alone, and named.
package struct WriteCleaning: Sendable {
  /// The longest time from the record of a write to the begin of its upload: the deadline of that call. Milliseconds.
  static let window: Int64 = 120_000

  private let directory: String

  /// - Parameter directory: of the journals.
  package init(directory: String) {
    self.directory = directory
  }

  /// Cleans up one write after the other, and lets the journals forget those that are done. Ends early when its task is cancelled: the rest is
  /// left for the next start.
  ///
  /// - Parameter files: reaches the places of these writes.
  package func cleanUp(_ writes: [AbandonedWrite], using files: any WritableFileIO) async -> [CleanedWrite] {
    var cleaned: [CleanedWrite] = []
    for write in writes {
      if Task.isCancelled { break }
      cleaned.append(CleanedWrite(write: write, outcome: await outcome(of: write, files)))
    }
    let done = cleaned.filter(\.isDone).map(\.write)
    _ = await NamedThread.run(FileWriteJournal.threadName) { FileWriteJournal.forget(done) }
    return cleaned
  }

  private func outcome(of write: AbandonedWrite, _ files: any WritableFileIO) async -> CleanedWrite.Outcome {
    do throws(FileIOError) {
      if let upload = write.upload { try await files.abandon(upload: upload, at: write.location) }
      if let object = try await files.ownObject(at: write.location, mark: write.mark) { return .kept(object) }
      if let upload = write.upload { return .abandoned(upload: upload) }
      return try await unknownUpload(of: write, files)
    } catch {
      return .failed(error)
    }
  }

  private func unknownUpload(of write: AbandonedWrite, _ files: any WritableFileIO) async throws(FileIOError) -> CleanedWrite.Outcome {
    let pending: [PendingUpload]
    do {
      pending = try await files.pendingUploads(at: write.location)
    } catch  where error.code == .denied {
      // The object could be asked for, so this right is missing for good.
      return .left(uploads: [], why: "the uploads there may not be listed (\(error))")
    }
    // The service's times are cut to seconds.
    let earliest = write.time / 1000 * 1_000_000_000
    let candidates = pending.filter { (earliest...(write.time + Self.window) * 1_000_000).contains($0.initiated) }
    guard let candidate = candidates.first else { return .nothingLeft }
    guard pending.count == 1 else {
      return .left(uploads: pending.map(\.id), why: "there are \(pending.count) of them, and one may be another writer's")
    }
    // Asked for after the list: who began an upload before the list had it in a journal by then.
    guard let isInUse = await isInUse(write.location), !isInUse else {
      return .left(uploads: [candidate.id], why: "another mount may be writing there")
    }
    try await files.abandon(upload: candidate.id, at: write.location)
    return .abandoned(upload: candidate.id)
  }

  /// Nil if it cannot be found out.
  private func isInUse(_ location: ObjectLocation) async -> Bool? {
    let directory = directory
    return await NamedThread.run(FileWriteJournal.threadName) { (try? FileWriteJournal.placesInUse(in: directory))?.contains(location) }
      ?? nil
  }
}
