// SPDX-License-Identifier: Apache-2.0

import Glibc
import Processes
import Synchronization

/// The journal of one daemon on disk: a file of JSON lines, locked for the daemon's life, that the next daemon reads if this one is killed.
///
/// Beginnings are on disk before they are acknowledged. What comes while a sync runs goes into the next one, so that many writers share it. The end
/// of a write is only written, not synced: losing it costs the next start two requests. The file never holds more than ``largestFile`` of
/// ended writes: it is begun anew with the open ones.
///
/// Blocking calls run on a short-lived thread of the journal's own, at most one at a time. A journal that is let go without
/// ``close()`` looks as after a kill.
package final class FileWriteJournal: WriteJournal {
  private struct Entry {
    let record: JournalRecord
    /// Nil where nobody waits for the disk.
    let waiter: CheckedContinuation<FileIOError?, Never>?
  }

  private struct State {
    var pending: [Entry] = []
    var isFlushing = false
    var isClosing = false
    var idle: [CheckedContinuation<Void, Never>] = []
    /// Why nothing can be kept any more.
    var failure: FileIOError?
  }

  /// Bytes of a file after which it is begun anew: some 15,000 lines, which are read in a tenth of a second.
  package static let largestFile: Int64 = 4 << 20
  /// Of the threads on which calls block.
  static let threadName = "bergfs-journal"

  private let directory: String
  private let label: String
  private let rotation: Int64
  private let now: @Sendable () -> Int64
  private let state = Mutex(State())
  /// Locked over calls to the disk, by the one thread that makes them; by a task only when that has ended for good.
  private let file: Mutex<JournalFile?>

  /// Begins a journal. Blocks: not to be called on the cooperative pool.
  ///
  /// - Parameters:
  ///   - directory: is made with mode 0700 if it is not there; its parent must exist.
  ///   - label: the catalog's name; only journals of the same label are cleaned up after.
  ///   - largestFile: bytes after which the file is begun anew.
  ///   - now: the wall clock in milliseconds since 1970.
  /// - Throws: `failed` with what is wrong with the directory: unwritable, full, of another user.
  package init(
    directory: String, label: String, largestFile: Int64 = FileWriteJournal.largestFile,
    now: @escaping @Sendable () -> Int64 = wallMilliseconds
  ) throws(FileIOError) {
    try JournalFile.prepare(directory: directory)
    file = Mutex(try JournalFile.create(in: directory, [JournalRecord(.journal, time: now(), label: label)]))
    self.directory = directory
    self.label = label
    rotation = largestFile
    self.now = now
  }

  package func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    try await keep(.write, location, mark)
  }

  package func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
    try await keep(.upload, location, mark, upload: id)
  }

  package func didEnd(_ location: ObjectLocation, mark: WriteMark) async {
    submit(Entry(record: record(.end, location, mark), waiter: nil))
  }

  /// Ends the journal; its file is removed if no write is open. Later writes are refused.
  package func close() async {
    let isIdle = state.withLock { state in
      state.isClosing = true
      return !state.isFlushing
    }
    if !isIdle {
      await withCheckedContinuation { continuation in
        let isIdle = state.withLock { state in
          if state.isFlushing { state.idle.append(continuation) }
          return !state.isFlushing
        }
        if isIdle { continuation.resume() }
      }
    }
    // Nothing flushes any more: the file is ours.
    file.withLock { file in
      if let open = file?.replay.open, open.isEmpty { file?.remove() }
      file = nil
    }
  }

  private func keep(
    _ event: JournalRecord.Event, _ location: ObjectLocation, _ mark: WriteMark, upload: String? = nil
  ) async throws(FileIOError) {
    let record = record(event, location, mark, upload: upload)
    let failure = await withCheckedContinuation { continuation in
      submit(Entry(record: record, waiter: continuation))
    }
    if let failure { throw failure }
  }

  private func record(
    _ event: JournalRecord.Event, _ location: ObjectLocation, _ mark: WriteMark, upload: String? = nil
  ) -> JournalRecord {
    JournalRecord(event, location: location.description, mark: mark.text, upload: upload, time: now(), label: label)
  }

  private func submit(_ entry: Entry) {
    let (isFirst, refusal) = state.withLock { state -> (Bool, FileIOError?) in
      if let failure = state.failure { return (false, failure) }
      if state.isClosing, entry.record.event != .end || !state.isFlushing { return (false, Self.closed(directory)) }
      state.pending.append(entry)
      defer { state.isFlushing = true }
      return (!state.isFlushing, nil)
    }
    if let refusal {
      entry.waiter?.resume(returning: refusal)
    } else if isFirst, !NamedThread.start(Self.threadName, { self.flush() }) {
      abandonPending(
        FileIOError(code: .failed, message: "The journal of writes in \(directory) cannot be written: the system has no thread left."))
    }
  }

  /// On the journal's thread: until nothing is pending.
  private func flush() {
    while let batch = nextBatch() {
      var failure = file.withLock { file in
        do throws(FileIOError) {
          try file?.append(batch.map(\.record))
          return nil as FileIOError?
        } catch {
          return error
        }
      }
      if failure == nil, batch.contains(where: { $0.waiter != nil }) {
        failure = file.withLock { file in
          do throws(FileIOError) {
            try file?.sync()
            return nil as FileIOError?
          } catch {
            return error
          }
        }
        // What the system could not write it may forget, and call the next sync a success: from here on nothing is sure.
        if let failure { state.withLock { $0.failure = failure } }
      }
      for entry in batch { entry.waiter?.resume(returning: failure) }
      if failure == nil { rotateIfLarge() }
    }
  }

  private func nextBatch() -> [Entry]? {
    let (batch, idle) = state.withLock { state -> ([Entry]?, [CheckedContinuation<Void, Never>]) in
      guard state.pending.isEmpty else {
        defer { state.pending = [] }
        return (state.pending, [])
      }
      state.isFlushing = false
      defer { state.idle = [] }
      return (nil, state.idle)
    }
    for continuation in idle { continuation.resume() }
    return batch
  }

  private func abandonPending(_ error: FileIOError) {
    let (pending, idle) = state.withLock { state in
      state.isFlushing = false
      defer {
        state.pending = []
        state.idle = []
      }
      return (state.pending, state.idle)
    }
    for entry in pending { entry.waiter?.resume(returning: error) }
    for continuation in idle { continuation.resume() }
  }

  /// Begins a new file with the open writes, and removes the old one. Killed in between, both say the same.
  private func rotateIfLarge() {
    file.withLock { file in
      guard let size = file?.size, size > rotation, let open = file?.replay.open.values.sorted(by: { $0.time < $1.time }) else { return }
      // As long as most of it is open there is nothing to win.
      guard open.reduce(0, { $0 + Int64($1.line.count) }) * 2 < size else { return }
      let header = JournalRecord(.journal, time: now(), label: label)
      guard let fresh = try? JournalFile.create(in: directory, [header] + open) else { return }
      file?.remove()
      file = consume fresh
    }
  }

  private static func closed(_ directory: String) -> FileIOError {
    FileIOError(code: .cancelled, message: "The journal of writes in \(directory) has been closed: the mount is ending.")
  }

  /// The system's wall clock in milliseconds since 1970.
  package static func wallMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
