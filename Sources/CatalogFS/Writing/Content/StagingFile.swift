// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
package import Iceberg
import Synchronization

/// One file of the staging area: the content of a scratch or metadata file, or the part of an upload that is still here.
///
/// Calls may come from any task. Those that write hold one lock over their system call, so that size, reservation and file agree; they
/// reach the page cache of a local disk only, a megabyte at a time.
package final class StagingFile: ObjectContent {
  /// Bytes read in one call before others get their turn.
  static let chunk: Int64 = 1 << 20

  private struct State {
    var size: Int64 = 0
    /// What lies before this was given back.
    var floor: Int64 = 0
    /// Bytes counted in the area.
    var reserved: Int64 = 0
  }

  private let descriptor: Int32
  private let area: StagingArea
  private let state = Mutex(State())

  /// - Parameter descriptor: of an empty file, owned from now on.
  init(descriptor: Int32, area: StagingArea) {
    self.descriptor = descriptor
    self.area = area
  }

  deinit {
    close(descriptor)
    area.release(state.withLock { $0.reserved })
  }

  /// Bytes.
  package var size: Int64 { state.withLock { $0.size } }

  /// Writes bytes; a gap before them reads as zeros. After an error the content is what it was, but for the written range.
  ///
  /// - Throws: `noSpace` (ENOSPC) if the area or the disk is full, `tooLarge` (EFBIG) beyond 2^63 - 1 bytes, `failed` (EIO).
  package func write(_ bytes: [UInt8], at offset: Int64) throws(FilesystemError) {
    let end = try Self.end(of: bytes, at: offset)
    if bytes.isEmpty { return }
    try state.withLock { state throws(FilesystemError) in
      try checkFloor(offset, state)
      try reserve(through: max(end, state.size), &state)
      do throws(FilesystemError) {
        try put(bytes, at: offset)
      } catch {
        // Bytes past the end must not show when the file grows again.
        if end > state.size { ftruncate(descriptor, off_t(state.size)) }
        giveBackExcess(&state)
        throw error
      }
      state.size = max(state.size, end)
    }
  }

  /// The bytes of a range, cut at the end of the file.
  package func read(_ range: Range<Int64>) throws(FilesystemError) -> [UInt8] {
    let (size, floor) = state.withLock { ($0.size, $0.floor) }
    let end = min(range.upperBound, size)
    guard range.lowerBound < end else { return [] }
    guard range.lowerBound >= floor else {
      throw FilesystemError(.busy, "bytes before \(floor) are no longer in the staging directory")
    }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(end - range.lowerBound)) { buffer, count in
      while count < buffer.count {
        let got = pread(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count, off_t(range.lowerBound) + off_t(count))
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        guard got > 0 else { break }
        count += got
      }
    }
    guard failure == 0 else { throw FilesystemError(failure, "a staged file cannot be read") }
    return bytes
  }

  /// Cuts the file, or makes it longer by zeros, which count as space.
  package func truncate(to size: Int64) throws(FilesystemError) {
    guard size >= 0 else { throw FilesystemError(.invalid, "a file cannot have \(size) bytes") }
    try state.withLock { state throws(FilesystemError) in
      try checkFloor(size, state)
      try reserve(through: max(size, state.size), &state)
      guard ftruncate(descriptor, off_t(size)) == 0 else {
        let reason = errno
        giveBackExcess(&state)
        throw FilesystemError(reason, "a staged file cannot be set to \(size) bytes")
      }
      state.size = size
      giveBackExcess(&state)
    }
  }

  /// Gives back the space of everything before an offset, which nobody reads or writes again. The file has at least that size then.
  func discard(before offset: Int64) {
    state.withLock { state in
      guard offset > state.floor else { return }
      let start = state.floor / StagingArea.block * StagingArea.block
      let isFreed =
        if offset < state.size {
          bergfs_free_range(descriptor, start, offset - start) == 0
        } else {
          state.floor >= state.size || ftruncate(descriptor, 0) == 0
        }
      state.floor = offset
      state.size = max(state.size, offset)
      // Where the disk cannot give back, the cap counts what it still holds.
      if isFreed { giveBackExcess(&state) }
    }
  }

  /// For an upload, in steps between which others get their turn.
  package func bytes(_ range: Range<Int64>) async throws(FileIOError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var next = range.lowerBound
    while next < range.upperBound {
      let part: [UInt8]
      do throws(FilesystemError) {
        part = try read(next..<min(next + Self.chunk, range.upperBound))
      } catch {
        throw FileIOError(code: .failed, message: error.message)
      }
      guard !part.isEmpty else {
        throw FileIOError(code: .invalid, message: "bytes \(range) are not within a staged file of \(size) bytes")
      }
      bytes += part
      next += Int64(part.count)
      await Task.yield()
    }
    return bytes
  }

  static func end(of bytes: [UInt8], at offset: Int64) throws(FilesystemError) -> Int64 {
    guard offset >= 0 else { throw FilesystemError(.invalid, "there is no offset \(offset)") }
    let (end, isTooFar) = offset.addingReportingOverflow(Int64(bytes.count))
    guard !isTooFar else { throw FilesystemError(.tooLarge, "no file reaches to byte \(offset)") }
    return end
  }

  private func put(_ bytes: [UInt8], at offset: Int64) throws(FilesystemError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { buffer in
        pwrite(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset) + off_t(done))
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw FilesystemError(written < 0 ? errno : EIO, "a staged file cannot be written") }
      done += written
    }
  }

  private func checkFloor(_ offset: Int64, _ state: borrowing State) throws(FilesystemError) {
    guard offset >= state.floor else {
      throw FilesystemError(.tooLarge, "bytes before \(state.floor) are no longer in the staging directory")
    }
  }

  private func reserve(through end: Int64, _ state: inout State) throws(FilesystemError) {
    let wanted = Self.blocks(end - state.floor)
    guard wanted > state.reserved else { return }
    // A cap need not be a whole number of blocks.
    for total in [wanted, end - state.floor] where total <= state.reserved || area.reserve(total - state.reserved) {
      state.reserved = max(total, state.reserved)
      return
    }
    throw FilesystemError(
      .noSpace, "the staging directory holds at most \(area.capacity) bytes, \(area.used) are taken: finish or remove other files first")
  }

  private func giveBackExcess(_ state: inout State) {
    let excess = state.reserved - Self.blocks(state.size - state.floor)
    guard excess > 0 else { return }
    state.reserved -= excess
    area.release(excess)
  }

  /// Bytes rounded up to whole blocks.
  private static func blocks(_ bytes: Int64) -> Int64 {
    let (sum, isTooFar) = bytes.addingReportingOverflow(StagingArea.block - 1)
    return isTooFar ? .max : sum / StagingArea.block * StagingArea.block
  }
}
