// SPDX-License-Identifier: Apache-2.0

import Iceberg

extension CatalogFilesystem {
  /// A close of one descriptor. Publishes if it is the opener's and bytes have come since the last time.
  ///
  /// - Throws: why the file could not be published; it stays staged then.
  package func flush(handle: UInt64, thread: Int32) async throws(FilesystemError) {
    guard case .staged(let staged) = handles[handle], staged.isWriter, let writing else { return }
    let file = staged.file
    let opener = file.withState { $0.opener }
    let meaning = CloseMeaning(
      hasNewBytes: file.hasNewBytes, fate: writing.processes.fate(ofThread: thread),
      closer: writing.processes.process(ofThread: thread), opener: opener)
    switch meaning {
    case .nothing: break
    case .unseen: file.withState { $0.hasBlindClose = true }
    case .abandons(let signal): await abandon(file, signal: signal, writing)
    case .publishes: try await publish(file, writing)
    }
  }

  /// Publishes what there is, also what was refused before.
  package func fsync(handle: UInt64, thread: Int32) async throws(FilesystemError) {
    guard case .staged(let staged) = handles[handle], let writing else { return }
    if case .killed(let signal) = writing.processes.fate(ofThread: thread) {
      return await abandon(staged.file, signal: signal, writing)
    }
    try await publish(staged.file, writing)
  }

  /// The last descriptor of a staged file is gone: bytes that nobody published yet are, as a last resort.
  func released(_ staged: StagedHandle) {
    guard staged.isWriter, let writing else { return }
    let file = staged.file
    file.endWriting()
    guard file.hasNewBytes else { return }
    guard !file.withState({ $0.hasBlindClose }) else {
      return writing.report(
        file.path, "release",
        FilesystemError(.invalid, "\(file.path) was closed by a process that /proc does not show: publish it by `sync FILE` or mv"))
    }
    _ = writes.start(file.path, "release") { [self] () async throws(FilesystemError) in
      do throws(FilesystemError) {
        try await exclusively(file, "publish", writing) { [self] () async throws(FilesystemError) in try await publishOnce(file, writing) }
      } catch {
        writing.report(file.path, "release", error)
      }
    }
  }

  // MARK: Publishing

  private func publish(_ file: StagedFile, _ writing: CatalogWriting) async throws(FilesystemError) {
    switch file.role {
    case .scratch, .refused: return
    // The rename completes it; it would not be worth a word that it is not there yet.
    case .renamed: return
    case .object, .fullForm: break
    }
    try await exclusively(file, "publish", writing) { [self] () async throws(FilesystemError) in try await publishOnce(file, writing) }
  }

  /// Runs what changes the fate of a staged file, one at a time, to its end even if the caller leaves.
  func exclusively(
    _ file: StagedFile, _ operation: String, _ writing: CatalogWriting, _ body: @escaping @Sendable () async throws(FilesystemError) -> Void
  ) async throws(FilesystemError) {
    while true {
      let (running, own) = file.withState { state -> (SharedFetch<Void>?, SharedFetch<Void>?) in
        if let running = state.publication { return (running, nil) }
        let gate = SharedFetch<Void>()
        state.publication = gate
        return (nil, gate)
      }
      if let running {
        _ = try? await running.value()
        if Task.isCancelled { throw FilesystemError(.interrupted) }
        continue
      }
      guard let own else { continue }
      let work = writes.start(file.path, operation) { [writes] () async throws(FilesystemError) in
        defer {
          file.withState { $0.publication = nil }
          own.start { .success(()) }
        }
        await writes.prepare(writing.beforeFirstWrite)
        try await body()
      }
      return try await work.value()
    }
  }

  private func publishOnce(_ file: StagedFile, _ writing: CatalogWriting) async throws(FilesystemError) {
    let (generation, ending, place, role) = file.withState { ($0.generation, $0.ending, $0.place, $0.role) }
    switch ending {
    case .published, .removed: return
    case .failed(let error): throw error
    case .none: break
    }
    do throws(FilesystemError) {
      switch role {
      case .object:
        guard case .upload(let upload) = file.content else { return }
        try file.checkComplete()
        let object = try await upload.finish()
        published(file, as: object, at: place)
      case .fullForm:
        try await commitFullForm(of: file, as: place, writing)
      case .scratch, .renamed, .refused: return
      }
    } catch {
      let isLost = file.isLost
      file.withState { state in
        state.attempted = generation
        state.refusal = error
        if isLost { state.ending = .failed(error) }
      }
      if isLost { local.replace(file, place.name, in: place.parent.kind.identity, with: nil) }
      throw error
    }
    file.withState { $0.attempted = generation }
  }

  /// A staged file has become an object: its name is the object's now, for everyone.
  ///
  /// - Parameter isCommitted: whether a commit has named it: then it is as old as it is, though this mount made it.
  func published(_ file: StagedFile, as object: ObjectAttributes, at place: StagedFile.Place, isCommitted: Bool = false) {
    let old = file.place
    if !isCommitted { writes.made(object) }
    file.withState { state in
      state.ending = .published(object)
      state.place = place
    }
    local.replace(file, old.name, in: old.parent.kind.identity, with: nil)
    local.set(.published(object, at: freshness.now()), place.name, in: place.parent.kind.identity)
  }

  /// A killed writer publishes nothing, whoever else holds the file.
  private func abandon(_ file: StagedFile, signal: Int32, _ writing: CatalogWriting) async {
    let error = FilesystemError(.failed, "\(file.path): its writer was killed by signal \(signal), so nothing of it is published")
    let content = file.withState { state -> StagedFile.Content? in
      guard case .none = state.ending else { return nil }
      switch state.content {
      case .upload:
        state.ending = .failed(error)
        return state.content
      // Scratch and metadata files stay for whoever wants to see them; these bytes are never published by a close.
      case .local:
        state.attempted = state.generation
        state.refusal = error
        return nil
      }
    }
    let place = file.place
    guard case .upload(let upload) = content else {
      if case .fullForm = file.role { writing.report(place.path, "close", error) }
      return
    }
    local.replace(file, place.name, in: place.parent.kind.identity, with: nil)
    if let object = await upload.abort() { return published(file, as: object, at: place) }
    writing.report(place.path, "close", error)
  }

  // MARK: Commits

  /// Makes a staged metadata file of full form the table's current one, under the name of this place.
  func commitFullForm(of file: StagedFile, as place: StagedFile.Place, _ writing: CatalogWriting) async throws(FilesystemError) {
    let table = place.table
    let target = try await target(place.name, in: place.parent)
    let name = "full form \(place.path)"
    if let known = file.verdict(name) { throw FilesystemError(known.code) }
    let bytes = try localBytes(of: file)
    let commit: Committed
    do throws(CommitFailure) {
      commit = try await writing.engine.commit(
        fullForm: bytes, at: target.location, table: table.identifier, known: table.knownEntry, creates: table.pending)
    } catch {
      let refusal = refused(error, file, name, table)
      await endPendingIfOthersCreated(table)
      throw refusal
    }
    await committed(commit, of: table, writing)
    guard let object = commit.object else { return }
    published(file, as: object, at: place, isCommitted: true)
  }

  /// Makes a staged copy of the current metadata file, with its changes, the next one.
  func commitEditedForm(of file: StagedFile, to table: TableState, _ writing: CatalogWriting) async throws(FilesystemError) {
    let name = "edited form of \(table.identifier)"
    if let known = file.verdict(name) { throw FilesystemError(known.code) }
    let bytes = try localBytes(of: file)
    let commit: Committed
    do throws(CommitFailure) {
      commit = try await writing.engine.commit(editedForm: bytes, table: table.identifier, known: table.knownEntry)
    } catch {
      throw refused(error, file, name, table)
    }
    let place = file.place
    await committed(commit, of: table, writing)
    file.withState { $0.ending = .published(nil) }
    local.replace(file, place.name, in: place.parent.kind.identity, with: nil)
  }

  private func refused(_ failure: CommitFailure, _ file: StagedFile, _ target: String, _ table: TableState) -> FilesystemError {
    let error = FilesystemError(failure)
    if error.code == .stale { file.remember(error, target) }
    // Whoever derives anew must not be shown the old file, or none, for the rest of its time to live.
    if error.code == .stale || error.code == .exists { table.expire() }
    file.withState { $0.refusal = error }
    return error
  }

  /// A pending table that somebody else was quicker to create is an ordinary one from now on.
  private func endPendingIfOthersCreated(_ table: TableState) async {
    guard table.pending != nil, let _ = try? await table.entry() else { return }
    table.endsPending()
    tableAppeared(table)
  }

  /// Shows the table as the commit left it, before the caller's call returns.
  private func committed(_ commit: Committed, of table: TableState, _ writing: CatalogWriting) async {
    guard commit.outcome != .unchanged else { return }
    var entry = commit.entry
    entry.modified = entry.modified ?? writing.now()
    let wasPending = table.pending != nil
    table.committed(entry, at: freshness.now(), epoch: freshness.epoch)
    if wasPending { tableAppeared(table) }
    for location in commit.removed { forgetListing(of: location.parent) }
    await writing.invalidate([inode(of: .table(table.key)), inode(of: .tableDirectory(table.key, .metadata))])
  }

  private func localBytes(of file: StagedFile) throws(FilesystemError) -> [UInt8] {
    try file.checkComplete()
    guard case .local(let content) = file.content else {
      throw FilesystemError(.invalid, "\(file.path) is on its way to S3 as a data file: write the metadata under a name in metadata/")
    }
    guard content.size <= options.largestMetadata else {
      throw FilesystemError(
        .tooLarge, "\(file.path) has \(content.size) bytes; a metadata file may have \(options.largestMetadata) at the most")
    }
    return try content.read(0..<content.size)
  }
}
