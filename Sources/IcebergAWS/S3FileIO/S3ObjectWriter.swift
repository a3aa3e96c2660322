// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Iceberg
import Synchronization

/// Writes one object of unknown size: one request if it stays below the threshold, parts as they fill otherwise.
///
/// Lock order: only one, never held over a call.
final class S3ObjectWriter: ObjectWriter {
  private enum Phase {
    case open, finishing, ended
  }

  private struct State {
    var phase = Phase.open
    var count: Int64 = 0
    /// What was taken and not yet handed to the upload.
    var buffer: [UInt8] = []
    /// Bytes of memory that the buffer may fill.
    var reserved = 0
    var isSmallPiece = false
    var write: S3MultipartWrite?
  }

  /// What has to be done before the next byte can be taken.
  private enum Step {
    case take(Int)
    case reserveFirst
    case reserve(Int)
    case begin
    case send(S3MultipartWrite)
  }

  private let files: S3FileIO
  private let location: ObjectLocation
  private let options: WriteOptions
  private let plan: PartPlan
  private let threshold: Int
  private let state = Mutex(State())

  init(_ files: S3FileIO, _ location: ObjectLocation, expectedSize: Int64?, _ options: WriteOptions) {
    self.files = files
    self.location = location
    self.options = options
    // An expectation may be wrong: the plan keeps growing then, from a size that would have done.
    let sized = files.plan(expectedSize: expectedSize)
    let first = sized.size(ofPart: 1) ?? files.write.partSize
    plan = PartPlan(partSize: first, largestPart: files.uploads.largestPart, expectedSize: nil)
    threshold = max(first, min(files.write.threshold, first + first / 2))
  }

  deinit {
    giveBackMemory()
  }

  var count: Int64 { state.withLock { $0.count } }

  func append(_ bytes: [UInt8]) async throws(FileIOError) {
    guard count + Int64(bytes.count) <= plan.capacity else {
      throw FileIOError(
        code: .tooLarge, message: "\(location): an upload of at most \(PartPlan.maximumParts) parts holds \(plan.capacity) bytes.")
    }
    var offset = 0
    while offset < bytes.count {
      switch try step() {
      case .take(let room):
        let end = min(offset + room, bytes.count)
        state.withLock { state in
          state.buffer.append(contentsOf: bytes[offset..<end])
          state.count += Int64(end - offset)
        }
        offset = end
      case .reserveFirst: try await reserveFirst()
      case .reserve(let bytes): try await reserve(bytes)
      case .begin: try await begin()
      case .send(let write): try await sendBuffer(to: write)
      }
    }
  }

  func finish() async throws(FileIOError) -> ObjectAttributes {
    let (write, size) = try state.withLock { state throws(FileIOError) in
      guard state.phase == .open else { throw Self.ended(location) }
      state.phase = .finishing
      return (state.write, state.count)
    }
    defer { end() }
    guard let write else {
      let body = state.withLock { state in
        defer { state.buffer = [] }
        return state.buffer
      }
      return try await files.put(body, at: location, options)
    }
    if state.withLock({ !$0.buffer.isEmpty }) {
      do {
        try await sendBuffer(to: write)
      } catch {
        await write.abort()
        throw error
      }
    }
    return try await write.complete(size: size)
  }

  func abort() async {
    let write = state.withLock { state -> S3MultipartWrite? in
      guard state.phase == .open else { return nil }
      state.phase = .ended
      return state.write
    }
    guard state.withLock({ $0.phase == .ended }) else { return }
    giveBackMemory()
    await write?.abort()
  }

  private func step() throws(FileIOError) -> Step {
    try state.withLock { state throws(FileIOError) in
      guard state.phase == .open else { throw Self.ended(location) }
      let full = state.write.flatMap { plan.size(ofPart: $0.nextNumber) } ?? threshold
      if state.buffer.count < min(state.reserved, full) { return .take(min(state.reserved, full) - state.buffer.count) }
      if state.reserved == 0 { return state.write == nil ? .reserveFirst : .reserve(full) }
      if let write = state.write, state.buffer.count >= full { return .send(write) }
      if state.write == nil, state.buffer.count >= full { return .begin }
      return .reserve(full - state.reserved)
    }
  }

  private func reserveFirst() async throws(FileIOError) {
    let isSmall = threshold > UploadAdmission.smallPiece && files.uploads.admitSmallPiece()
    let bytes = isSmall ? UploadAdmission.smallPiece : threshold
    do {
      try await files.uploads.reserve(bytes, for: location)
    } catch {
      if isSmall { files.uploads.endSmallPiece() }
      throw error
    }
    let isOpen = state.withLock { state in
      guard state.phase == .open else { return false }
      state.reserved = bytes
      state.isSmallPiece = isSmall
      return true
    }
    guard isOpen else {
      files.uploads.memory.release(bytes)
      if isSmall { files.uploads.endSmallPiece() }
      throw Self.ended(location)
    }
  }

  private func reserve(_ bytes: Int) async throws(FileIOError) {
    try await files.uploads.reserve(bytes, for: location)
    let (isOpen, wasSmall) = state.withLock { state in
      guard state.phase == .open else { return (false, false) }
      defer { state.isSmallPiece = false }
      state.reserved += bytes
      // Pages that are never written cost nothing; growing in steps would copy the whole each time.
      state.buffer.reserveCapacity(state.reserved)
      return (true, state.isSmallPiece)
    }
    if wasSmall { files.uploads.endSmallPiece() }
    guard isOpen else {
      files.uploads.memory.release(bytes)
      throw Self.ended(location)
    }
  }

  /// Begins the upload with a buffer that has reached the threshold: the first part goes, the rest stays.
  private func begin() async throws(FileIOError) {
    try await files.announce(location, options)
    let write = try await S3MultipartWrite.begin(files, location, options, isChecksummed: files.isChecksummed)
    let first = plan.size(ofPart: 1) ?? threshold
    // The rest is to grow into a part, too. If there is no memory for that now, the first part's is used again when it has gone: to wait
    // with some in hand could last for ever.
    let missing = first - (threshold - first)
    let hasMore = files.uploads.memory.tryReserve(missing)
    let part = state.withLock { state -> [UInt8]? in
      guard state.phase == .open else { return nil }
      let rest = Array(state.buffer[first...])
      var part = state.buffer
      state.buffer = rest
      part.removeLast(rest.count)
      state.write = write
      state.reserved = hasMore ? first : state.reserved
      return part
    }
    guard let part else {
      if hasMore { files.uploads.memory.release(missing) }
      await write.abort()
      throw Self.ended(location)
    }
    try await write.submit(part, reserved: hasMore ? first : 0)
    if hasMore { return }
    await write.drain()
    let excess = state.withLock { state -> Int in
      guard state.phase == .open else { return 0 }
      defer { state.reserved = first }
      return state.reserved - first
    }
    files.uploads.memory.release(excess)
  }

  private func sendBuffer(to write: S3MultipartWrite) async throws(FileIOError) {
    let (part, reserved) = state.withLock { state in
      defer {
        state.buffer = []
        state.reserved = 0
      }
      return (state.buffer, state.reserved)
    }
    try await write.submit(part, reserved: reserved)
  }

  private func end() {
    state.withLock { $0.phase = .ended }
    giveBackMemory()
  }

  private func giveBackMemory() {
    let (bytes, wasSmall) = state.withLock { state in
      defer {
        state.reserved = 0
        state.isSmallPiece = false
        state.buffer = []
      }
      return (state.reserved, state.isSmallPiece)
    }
    if bytes > 0 { files.uploads.memory.release(bytes) }
    if wasSmall { files.uploads.endSmallPiece() }
  }

  private static func ended(_ location: ObjectLocation) -> FileIOError {
    FileIOError(code: .cancelled, message: "\(location): the upload has ended.")
  }
}
