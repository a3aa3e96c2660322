// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import WireFormats

/// The text of `files.jsonl`, which is never in memory as a whole: where it can be gone on with, and how long it is once that is known.
///
/// The same manifests give the same bytes each time, so a text that was gone over once can be read from any place.
final class FilesText: Sendable {
  /// Where a row begins.
  struct Checkpoint: Sendable {
    /// Bytes of the text before it.
    var offset: Int64 = 0
    /// Manifests before it.
    var manifest = 0
    /// Entries of the manifest before it, deleted ones too.
    var entry = 0
  }

  private struct State {
    var checkpoints = [Checkpoint()]
    var size: Int64?
  }

  /// Bytes of text between two checkpoints, at least: going on from one takes going over the manifest up to it.
  private static let distance: Int64 = 1 << 20

  let format: FileRows
  let place: SnapshotPlace
  let reader: SnapshotReader
  let manifests: @Sendable () async throws(FilesystemError) -> [ManifestFile]
  private let completed: @Sendable () -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - manifests: those of the snapshot.
  ///   - completed: called when the size has become known.
  init(
    format: FileRows, place: SnapshotPlace, reader: SnapshotReader,
    manifests: @escaping @Sendable () async throws(FilesystemError) -> [ManifestFile], completed: @escaping @Sendable () -> Void
  ) {
    self.format = format
    self.place = place
    self.reader = reader
    self.manifests = manifests
    self.completed = completed
  }

  /// Bytes; nil until somebody has read to the end.
  var size: Int64? { state.withLock { $0.size } }

  /// The last known place that is not behind an offset.
  func checkpoint(before offset: Int64) -> Checkpoint {
    state.withLock { state in state.checkpoints.last { $0.offset <= offset } ?? Checkpoint() }
  }

  func note(_ checkpoint: Checkpoint) {
    state.withLock { state in
      guard let last = state.checkpoints.last, checkpoint.offset >= last.offset + Self.distance else { return }
      state.checkpoints.append(checkpoint)
    }
  }

  func noteEnd(_ size: Int64) {
    let isNews = state.withLock { state in
      defer { state.size = size }
      return state.size == nil
    }
    if isNews { completed() }
  }
}

extension FilesText: ViewCached {
  var cost: Int { 1024 + state.withLock { $0.checkpoints.count } * MemoryLayout<Checkpoint>.stride }
}

/// Content that is made as it is read.
protocol ViewStream: AnyObject, Sendable {
  /// Bytes from an offset on; none at the end.
  ///
  /// - Parameter isWhole: whether fewer than asked may only come at the end. Else what is there is answered at once.
  func read(offset: Int64, size: Int, isWhole: Bool) async throws(FilesystemError) -> FileBytes
}

/// Reads a ``FilesText`` for one open file: row by row as the reader goes on, a few manifests ahead, from a checkpoint where it jumps.
final class FilesStream: ViewStream {
  private struct Position: Sendable {
    var manifests: [ManifestFile]?
    /// Of the next row, or of the next manifest where there is no cursor.
    var next = FilesText.Checkpoint()
    var cursor: ManifestEntries?
    /// Rows made last, and where they begin.
    var chunk: [UInt8] = []
    var start: Int64 = 0
    var ahead: [Int: SharedFetch<[UInt8]>] = [:]
  }

  /// Bytes of rows made at a time.
  private static let chunkSize = 128 << 10
  /// Manifests asked for before they are needed.
  private static let manifestsAhead = 3
  /// Bytes of manifests on their way.
  private static let bytesAhead: Int64 = 32 << 20

  private let text: FilesText
  private let turn = TurnQueue()
  /// Taken out by whoever has the turn.
  private let position = Mutex(Position())

  init(_ text: FilesText) {
    self.text = text
  }

  func read(offset: Int64, size: Int, isWhole: Bool) async throws(FilesystemError) -> FileBytes {
    guard await turn.enter() else { throw FilesystemError(.interrupted) }
    defer { turn.leave() }
    var current = position.withLock { position in
      defer { position = Position() }
      return position
    }
    var answer: [UInt8] = []
    while answer.count < size {
      let wanted = offset + Int64(answer.count)
      if wanted < current.start { restart(&current, at: wanted) }
      if wanted < current.start + Int64(current.chunk.count) {
        let from = Int(wanted - current.start)
        answer += current.chunk[from..<min(current.chunk.count, from + size - answer.count)]
        if !isWhole { break }
      } else {
        jump(&current, to: wanted)
        guard try await advance(&current) else { break }
      }
    }
    position.withLock { [current] in $0 = current }
    return ContentBuffer(answer).slice(offset: 0, size: answer.count)
  }

  private func restart(_ current: inout Position, at offset: Int64) {
    let checkpoint = text.checkpoint(before: offset)
    current = Position(manifests: current.manifests, next: checkpoint, start: checkpoint.offset)
  }

  /// Goes on from a checkpoint if one lies well ahead.
  private func jump(_ current: inout Position, to offset: Int64) {
    let checkpoint = text.checkpoint(before: offset)
    if checkpoint.offset > current.next.offset { restart(&current, at: offset) }
  }

  /// Makes the next rows; false at the end of the text.
  private func advance(_ current: inout Position) async throws(FilesystemError) -> Bool {
    let manifests: [ManifestFile]
    if let known = current.manifests { manifests = known } else { manifests = try await text.manifests() }
    current.manifests = manifests
    var rows: [UInt8] = []
    let start = current.next.offset
    while rows.count < Self.chunkSize {
      guard current.next.manifest < manifests.count else { break }
      let manifest = manifests[current.next.manifest]
      if manifest.isKnownEmpty {
        current.next = .init(offset: current.next.offset, manifest: current.next.manifest + 1)
        continue
      }
      // What is there is shown before the next manifest is waited for.
      if current.cursor == nil, !rows.isEmpty { break }
      var cursor = try await cursor(&current, manifest, manifests)
      do throws(SnapshotError) {
        if try add(to: &rows, from: &cursor, &current.next, manifest) {
          current.cursor = cursor
        } else {
          current.next = .init(offset: current.next.offset, manifest: current.next.manifest + 1)
        }
      } catch {
        throw FilesystemError(error, text.place)
      }
    }
    guard !rows.isEmpty else {
      text.noteEnd(start)
      return false
    }
    (current.chunk, current.start) = (rows, start)
    text.note(current.next)
    return true
  }

  /// Adds rows until there are enough; false at the end of the manifest.
  private func add(
    to rows: inout [UInt8], from cursor: inout ManifestEntries, _ next: inout FilesText.Checkpoint, _ manifest: ManifestFile
  ) throws(SnapshotError) -> Bool {
    let format = text.format
    do throws(AvroError) {
      while rows.count < Self.chunkSize {
        var row: [UInt8] = []
        let isThere = try cursor.next { entry throws(AvroError) in
          if entry.status != .deleted { row = format.line(entry, spec: manifest.specID) }
        }
        guard isThere else { return false }
        rows += row
        next.offset += Int64(row.count)
        next.entry += 1
      }
      return true
    } catch {
      throw SnapshotError(error, "manifest", manifest.path)
    }
  }

  /// The entries that come next, of a manifest that is read if it was not begun.
  private func cursor(
    _ current: inout Position, _ manifest: ManifestFile, _ manifests: [ManifestFile]
  ) async throws(FilesystemError) -> ManifestEntries {
    if let cursor = current.cursor {
      current.cursor = nil
      return cursor
    }
    let index = current.next.manifest
    fetchAhead(&current, from: index, manifests)
    let bytes = try await current.ahead.removeValue(forKey: index)?.value() ?? []
    do throws(SnapshotError) {
      var cursor = try SnapshotReader.entries(in: bytes, of: manifest, columns: .all)
      do throws(AvroError) {
        for _ in 0..<current.next.entry { _ = try cursor.next(isSkipped: true) { _ in } }
      } catch {
        throw SnapshotError(error, "manifest", manifest.path)
      }
      return cursor
    } catch {
      throw FilesystemError(error, text.place)
    }
  }

  private func fetchAhead(_ current: inout Position, from index: Int, _ manifests: [ManifestFile]) {
    var bytes: Int64 = 0
    for next in index..<min(manifests.count, index + 1 + Self.manifestsAhead) where !manifests[next].isKnownEmpty {
      bytes += max(0, manifests[next].length)
      if next > index, bytes > Self.bytesAhead { return }
      guard current.ahead[next] == nil else { continue }
      let fetch = SharedFetch<[UInt8]>()
      current.ahead[next] = fetch
      let (text, manifest) = (text, manifests[next])
      fetch.start {
        do throws(SnapshotError) {
          return .success(try await text.reader.bytes(of: manifest))
        } catch {
          return .failure(FilesystemError(error, text.place))
        }
      }
    }
  }
}

/// Reads a text that is made as a whole when its first byte is asked for.
final class TextStream: ViewStream {
  private let make: @Sendable () async throws(FilesystemError) -> ViewText
  private let made = Mutex<ViewText?>(nil)

  init(_ make: @escaping @Sendable () async throws(FilesystemError) -> ViewText) {
    self.make = make
  }

  func read(offset: Int64, size: Int, isWhole: Bool) async throws(FilesystemError) -> FileBytes {
    let text: ViewText
    if let known = made.withLock({ $0 }) { text = known } else { text = try await make() }
    made.withLock { $0 = text }
    guard offset >= 0, offset < Int64(text.bytes.count) else { return FileBytes(segments: [], owner: nil) }
    let part = Array(text.bytes[Int(offset)..<Int(offset) + min(size, text.bytes.count - Int(offset))])
    return ContentBuffer(part).slice(offset: 0, size: part.count)
  }
}
