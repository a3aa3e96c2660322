// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// An upload under way: bytes go to the writer in order, what is written ahead of them waits in a staging file.
///
/// Calls come one after another; only ``abort()`` may come beside one.
final class UploadStream: Sendable {
  /// Pieces written ahead, with gaps between them, that are kept in mind: their list takes a megabyte.
  static let mostPieces = 65_536

  private struct State {
    /// Bytes given to the writer.
    var end: Int64 = 0
    /// Bytes of the whole file.
    var size: Int64
    /// Holds what is not yet given to the writer, at its place; what was never written there is zeros.
    var file: StagingFile?
    /// What of it was written.
    var ahead = WrittenRanges()
    /// An error of the writer is final.
    var failure: FilesystemError?
  }

  private let writer: any ObjectWriter
  private let staging: StagingArea
  private let state: Mutex<State>

  /// - Parameter head: the file up to now, all of it written.
  init(writer: any ObjectWriter, staging: StagingArea, head: StagingFile?) {
    self.writer = writer
    self.staging = staging
    var state = State(size: head?.size ?? 0, file: head)
    state.ahead.insert(0..<state.size)
    self.state = Mutex(state)
  }

  var size: Int64 { state.withLock { $0.size } }

  /// Throws what the writer failed with, if it has.
  func checkOpen() throws(FilesystemError) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Gives the writer what follows on the bytes that it has, and frees it here.
  func drain() async throws(FilesystemError) {
    while let next = state.withLock({ state in state.ahead.first.flatMap { $0.lowerBound == state.end ? $0 : nil } }) {
      try await feed(through: next.upperBound)
    }
  }

  func write(_ bytes: [UInt8], at offset: Int64) async throws(FilesystemError) {
    let end = try StagingFile.end(of: bytes, at: offset)
    let taken = state.withLock { $0.end }
    guard offset >= taken else { throw Self.behind(taken) }
    guard offset == taken else { return try keep(bytes, at: offset, end: end, taken: taken) }
    try await append(bytes)
    try await drain()
  }

  /// - Parameter size: not 0, which begins the file anew.
  func truncate(to size: Int64) throws(FilesystemError) {
    let (taken, current) = state.withLock { ($0.end, $0.size) }
    guard size != current else { return }
    guard size >= taken else { throw Self.behind(taken) }
    try staging(through: size, taken: taken) { file throws(FilesystemError) in
      try file.truncate(to: size)
    }
    state.withLock { state in
      state.ahead.drop(from: size)
      state.size = size
    }
  }

  /// Publishes the object; gaps are zeros.
  func finish() async throws(FilesystemError) -> ObjectAttributes {
    try await feed(through: size)
    do throws(FileIOError) {
      let attributes = try await writer.finish()
      state.withLock { $0.file = nil }
      return attributes
    } catch {
      throw await fail(FilesystemError(error))
    }
  }

  func abort() async {
    await writer.abort()
    state.withLock { $0.file = nil }
  }

  /// Gives the writer the staged bytes from where it is, gaps as zeros.
  private func feed(through end: Int64) async throws(FilesystemError) {
    while let (file, range) = state.withLock({ state -> (StagingFile, Range<Int64>)? in
      guard state.end < end, let file = state.file else { return nil }
      return (file, state.end..<min(end, state.end + StagingFile.chunk))
    }) {
      let bytes: [UInt8]
      do throws(FilesystemError) {
        bytes = try file.read(range)
      } catch {
        throw await fail(error)
      }
      guard bytes.count == range.count else {
        throw await fail(FilesystemError(.failed, "bytes \(range) of an upload are missing in the staging directory"))
      }
      try await append(bytes)
    }
  }

  private func append(_ bytes: [UInt8]) async throws(FilesystemError) {
    do throws(FileIOError) {
      try await writer.append(bytes)
    } catch {
      throw await fail(FilesystemError(error))
    }
    let (file, end) = state.withLock { state in
      state.end += Int64(bytes.count)
      state.size = max(state.size, state.end)
      state.ahead.drop(before: state.end)
      return (state.file, state.end)
    }
    file?.discard(before: end)
  }

  private func keep(_ bytes: [UInt8], at offset: Int64, end: Int64, taken: Int64) throws(FilesystemError) {
    let hasRoom = state.withLock { $0.ahead.count < Self.mostPieces || !$0.ahead.grows(by: offset..<end) }
    guard hasRoom else {
      throw FilesystemError(
        .tooLarge, "more than \(Self.mostPieces) separate pieces were written ahead of byte \(taken): write the file in order")
    }
    try staging(through: end, taken: taken) { file throws(FilesystemError) in
      try file.write(bytes, at: offset)
    }
    state.withLock { state in
      state.ahead.insert(offset..<end)
      state.size = max(state.size, end)
    }
  }

  /// Runs a change of the staging file that reaches up to an end.
  private func staging(
    through end: Int64, taken: Int64, _ change: (StagingFile) throws(FilesystemError) -> Void
  ) throws(FilesystemError) {
    guard end - taken <= staging.capacity else { throw UploadingFile.outOfOrder(through: end - taken, staging) }
    let file: StagingFile
    if let present = state.withLock({ $0.file }) {
      file = present
    } else {
      file = try staging.makeFile()
      file.discard(before: taken)
      state.withLock { $0.file = file }
    }
    try change(file)
  }

  /// Notes the failure; nothing is left of the upload.
  private func fail(_ error: FilesystemError) async -> FilesystemError {
    let first = state.withLock { state in
      state.failure = state.failure ?? error
      state.file = nil
      return state.failure ?? error
    }
    await writer.abort()
    return first
  }

  private static func behind(_ taken: Int64) -> FilesystemError {
    FilesystemError(.tooLarge, "bytes before \(taken) are uploaded already: write the file in order, or copy the finished file in")
  }
}
