// SPDX-License-Identifier: Apache-2.0

import Logging
import Telemetry
import WireFormats

/// The part of a commit that changes something: upload, lock, conditional write. Runs to its end.
///
/// A failure that is certain takes back what this commit itself uploaded, told by its mark; whatever may be the table's is kept.
struct CommitPublication: Sendable {
  /// The file in the object store.
  private struct Uploaded {
    var object: ObjectAttributes
    /// Of this commit's own upload; nil if the file was there already and is not ours to delete.
    var mark: WriteMark?
  }

  let engine: CommitEngine
  let plan: CommitPlan
  let files: any WritableFileIO
  /// What is left of the longest wait for locks.
  let lockWait: Duration

  private var settings: CommitEngine.Settings { engine.settings }
  private var pointer: String? { plan.base?.metadataLocation }

  func run() async throws(CommitFailure) -> Committed {
    guard plan.base == nil else { return try await published() }
    let reservation: (any TableReservation)?
    do throws(CatalogError) {
      reservation = try await engine.catalog.tableOperations.reserve(plan.table, location: plan.metadata.head.location)
    } catch {
      throw CommitFailure(error, plan.context, base: nil)
    }
    do throws(CommitFailure) {
      return try await published()
    } catch {
      if error.code != .unknown { await reservation?.release() }
      throw error
    }
  }

  private func published() async throws(CommitFailure) -> Committed {
    for warning in plan.warnings { log(.notice, "an unusual commit", ["warning": warning]) }
    let uploaded = try await upload()
    await settings.pause(.afterUpload)
    do throws(CommitFailure) {
      let entry = try await writeLocked(uploaded)
      engine.bases.insert(plan.metadata, at: plan.uri)
      log(.info, "committed", ["base": pointer ?? "none"])
      if let mark = uploaded.mark { await settings.journal?.didEnd(plan.location, mark: mark) }
      let isNew = plan.base == nil
      let outcome: Committed.Outcome = isNew ? (uploaded.mark == nil ? .registered : .created) : .committed
      return Committed(outcome: outcome, entry: entry, object: uploaded.object, metadata: plan.metadata, warnings: plan.warnings)
    } catch {
      if error.code == .unknown {
        log(.error, "nobody knows whether a commit was done; its file is kept", ["reason": error.message])
        var error = error
        error.kept = plan.location
        throw error
      }
      if let mark = uploaded.mark { await takeBack(mark) }
      throw error
    }
  }

  // MARK: Upload

  private func upload() async throws(CommitFailure) -> Uploaded {
    if let existing = plan.existing { return Uploaded(object: existing, mark: nil) }
    await settings.pause(.beforeUpload)
    let mark = WriteMark(settings.uuid())
    let options = WriteOptions(mark: mark, table: plan.table, journal: settings.journal.map { PendingCommitJournal(journal: $0) })
    do throws(FileIOError) {
      return Uploaded(object: try await files.create(plan.location, from: BytesContent(plan.bytes), options: options), mark: mark)
    } catch {
      if error.code != .unknown { await settings.journal?.didEnd(plan.location, mark: mark) }
      switch error.code {
      case .exists: return Uploaded(object: try await adopted(error), mark: nil)
      case .unknown:
        log(.error, "nobody knows whether a metadata file was uploaded; nothing was committed", ["reason": error.message])
        throw CommitFailure(
          code: .unknown, message: "\(plan.context): nothing was committed, but the upload's fate is unknown: \(error.message)",
          requestID: error.requestID, kept: plan.location, base: pointer)
      case .notFound, .changed, .denied, .timedOut, .tooLarge, .failed, .invalid, .unsupported, .cancelled:
        throw CommitFailure(error, plan.context, base: pointer)
      }
    }
  }

  /// A file with the same name and the same bytes is the file, whoever made it.
  private func adopted(_ error: FileIOError) async throws(CommitFailure) -> ObjectAttributes {
    let object: ObjectAttributes?
    do throws(FileIOError) {
      object = try await ObjectReader.attributes(of: plan.location, ifEqualTo: plan.bytes, from: files)
    } catch {
      throw CommitFailure(error, plan.context, base: pointer)
    }
    guard let object else {
      throw CommitFailure(
        code: .exists, message: "\(plan.context): \(plan.location) exists already, with other content.", requestID: error.requestID,
        base: pointer)
    }
    return object
  }

  /// Deletes the file of a commit that is certain not to have taken place.
  private func takeBack(_ mark: WriteMark) async {
    do throws(FileIOError) {
      let isDeleted = try await files.deleteOwn(plan.location, mark: mark)
      if !isDeleted { log(.warning, "the file of a refused commit was gone already", [:]) }
      await settings.journal?.didEnd(plan.location, mark: mark)
    } catch {
      log(.warning, "the file of a refused commit could not be deleted", ["reason": error.message])
    }
  }

  // MARK: Lock

  private func writeLocked(_ uploaded: Uploaded) async throws(CommitFailure) -> TableEntry {
    guard let manager = settings.lockManager else {
      let entry = try await write(uploaded, nil)
      await settings.pause(.afterRelease)
      return entry
    }
    // A name that the user gave may have been an owner before, and an owner's attempts cannot be told apart in the lock table.
    let owner = plan.isNameGiven ? "\(plan.uri)#\(settings.uuid())" : plan.uri
    let start = settings.clock.elapsed()
    let lease: LockLease
    do throws(LockError) {
      lease = try await manager.acquire(settings.lockEntity(plan.table), ownerID: owner, within: lockWait)
      settings.metrics.observe(.lockWaitSeconds, "catalog", settings.clock.elapsed() - start)
    } catch {
      settings.metrics.observe(.lockWaitSeconds, "catalog", settings.clock.elapsed() - start)
      throw CommitFailure(error, plan.context, base: pointer)
    }
    await settings.pause(.afterLock)
    do throws(CommitFailure) {
      let entry = try await write(uploaded, lease)
      await manager.release(lease)
      await settings.pause(.afterRelease)
      return entry
    } catch {
      await manager.release(lease)
      await settings.pause(.afterRelease)
      throw error
    }
  }

  // MARK: Conditional write

  private func write(_ uploaded: Uploaded, _ lease: LockLease?) async throws(CommitFailure) -> TableEntry {
    await settings.pause(.beforeConditionalWrite)
    let table = plan.table
    let commit = TableCommit(
      identifier: table, base: plan.base, metadataLocation: plan.uri, document: TableDocument(plan.metadata.document.root),
      checkLease: {
        guard let lease, lease.isLost else { return }
        throw CatalogError(code: .conflict, message: "the lock on \(table) was lost before the catalog was written")
      })
    let refusal: CommitFailure
    do throws(CatalogError) {
      let outcome = try await engine.catalog.tableOperations.commit(commit)
      await settings.pause(.afterConditionalWrite)
      switch outcome {
      case .committed(let entry): return entry
      case .conflict(let message):
        refusal = CommitFailure(code: .conflict, message: message, base: pointer)
      case .unknown(let message): throw CatalogError(code: .unknown, message: message)
      }
    } catch {
      let failure = CommitFailure(error, plan.context, base: pointer)
      guard failure.code == .conflict || failure.code == .exists else { throw failure }
      refusal = failure
    }
    // The file was there before this commit: an earlier attempt may have got through with it.
    guard uploaded.mark == nil else { throw refusal }
    return try await landed(refusal)
  }

  private func landed(_ refusal: CommitFailure) async throws(CommitFailure) -> TableEntry {
    var unclear = refusal
    unclear.code = .unknown
    do {
      guard let entry = try await engine.catalog.loadTable(plan.table) else { throw refusal }
      let text = try await ObjectReader.readAll(
        try files.location(entry.metadataLocation), limit: Int64(TableMetadataHead.maximumSize), from: files)
      let head = try TableMetadataHead(parsing: text, fileName: entry.metadataLocation)
      let attempt = EarlierAttempt(location: plan.location, bytes: plan.bytes, base: pointer)
      switch try await attempt.finding(pointer: entry.metadataLocation, head, files) {
      case .landed: return TableEntry(identifier: plan.table, metadataLocation: plan.uri, version: nil, modified: nil)
      case .none: throw refusal
      case .unclear: unclear.message += "; " + EarlierAttempt.unclear(plan.location)
      }
    } catch let refusal as CommitFailure {
      throw refusal
    } catch {
      unclear.message += "; an earlier attempt with the same file may have got through, and the table cannot be read: \(error)"
    }
    throw unclear
  }

  private func log(_ level: Logger.Level, _ message: Logger.Message, _ facts: [String: String]) {
    var metadata: Logger.Metadata = ["table": "\(plan.table)", "file": "\(plan.location)"]
    for (name, value) in facts { metadata[name] = "\(value)" }
    settings.logger.log(level: level, message, metadata: metadata)
  }
}
