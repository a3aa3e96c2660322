// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// A file that exists only in this mount: being written, refused, or scratch.
///
/// What decides about it is a value behind one lock; content is read and written outside. Freed when its name is gone and the kernel has
/// forgotten it, which gives its space back.
final class StagedFile: Sendable {
  enum Content: Sendable {
    /// All bytes are in the staging directory.
    case local(StagingFile)
    /// On their way to the object that the file becomes.
    case upload(UploadingFile)
  }

  /// Where it shows.
  struct Place: Sendable {
    var table: TableState
    var parent: Node
    var name: EntryName

    var path: String { parent.path == "/" ? "/\(name)" : "\(parent.path)/\(name)" }
  }

  enum Ending: Sendable {
    /// Not ended: bytes may come.
    case none
    /// Its writer was killed, or its upload failed for good.
    case failed(FilesystemError)
    /// Its name was removed.
    case removed
    /// It is an object now, or has become the table's metadata.
    case published(ObjectAttributes?)
  }

  struct State: Sendable {
    var place: Place
    var role: FileRole
    var content: Content
    /// Grows with every change of the content.
    var generation: UInt64 = 0
    /// The generation of the last finished attempt to publish.
    var attempted: UInt64?
    /// Why that attempt did not succeed.
    var refusal: FilesystemError?
    /// Why a change of the content failed: it is not what its writer meant, and never published. Emptying it begins anew.
    var incomplete: FilesystemError?
    /// The process that opened it for writing.
    var opener: ProcessToken?
    var hasWriter = false
    /// A close by someone whose state could not be seen: then only fsync and rename publish.
    var hasBlindClose = false
    var ending = Ending.none
    /// Nanoseconds since 1970.
    var modified: Int64
    var mode: UInt16
    var publication: SharedFetch<Void>?
    var verdicts: [Verdict] = []
  }

  /// A conflict that needs no second look: the base of unchanged bytes does not come back.
  struct Verdict: Sendable {
    var generation: UInt64
    var target: String
    var error: FilesystemError
  }

  /// Unique in this mount.
  let number: UInt64
  /// Nanoseconds since 1970.
  let created: Int64
  private let state: Mutex<State>

  init(number: UInt64, place: Place, role: FileRole, content: Content, modified: Int64) {
    self.number = number
    created = modified
    state = Mutex(State(place: place, role: role, content: content, modified: modified, mode: 0o644))
  }

  func withState<Result>(_ body: (inout sending State) -> sending Result) -> Result {
    state.withLock(body)
  }

  var place: Place { state.withLock { $0.place } }
  var role: FileRole { state.withLock { $0.role } }
  var content: Content { state.withLock { $0.content } }
  var path: String { place.path }

  /// Bytes.
  var size: Int64 {
    let (content, ending) = state.withLock { ($0.content, $0.ending) }
    if case .published(let object?) = ending { return object.size }
    return switch content {
    case .local(let file): file.size
    case .upload(let upload): upload.size
    }
  }

  /// Makes a handle the only writer. Throws `busy` while there is one, `notPermitted` for what is an object already.
  func beginWriting(opener: ProcessToken?) throws(FilesystemError) {
    let refusal = state.withLock { state -> FilesystemError? in
      switch state.ending {
      case .published: return Self.isImmutable(state.place)
      case .failed(let error): return error
      case .none, .removed: break
      }
      guard !state.hasWriter else {
        return FilesystemError(.busy, "\(state.place.path) is being written by another program: wait until it is closed")
      }
      state.hasWriter = true
      state.opener = opener
      state.hasBlindClose = false
      return nil
    }
    if let refusal { throw refusal }
  }

  func endWriting() {
    state.withLock { $0.hasWriter = false }
  }

  /// Whether its bytes are here no more: an upload that had begun and failed cannot be tried again, and shows no more.
  var isLost: Bool {
    guard case .upload(let upload) = content else { return false }
    do throws(FilesystemError) {
      try upload.checkOpen()
      return false
    } catch {
      return true
    }
  }

  /// Whether bytes have come since the last attempt to publish.
  var hasNewBytes: Bool {
    state.withLock { state in
      guard case .none = state.ending else { return false }
      return state.generation > 0 && state.attempted != state.generation
    }
  }

  /// Changes the content, by the only writer.
  func change(at time: Int64, _ body: () async throws(FilesystemError) -> Void) async throws(FilesystemError) {
    try willChange(at: time)
    do throws(FilesystemError) {
      try await body()
    } catch {
      state.withLock { $0.incomplete = error }
      throw error
    }
  }

  /// Throws what a change of the content failed with.
  func checkComplete() throws(FilesystemError) {
    let (incomplete, place) = state.withLock { ($0.incomplete, $0.place) }
    guard let incomplete else { return }
    let why = incomplete.message.isEmpty ? "" : ": \(incomplete.message)"
    throw FilesystemError(
      incomplete.code, "\(place.path) is not whole, as a write to it failed, so nothing of it is published; write it anew\(why)",
      requestID: incomplete.requestID)
  }

  private func willChange(at time: Int64) throws(FilesystemError) {
    let refusal = state.withLock { state -> FilesystemError? in
      switch state.ending {
      case .published: return Self.isImmutable(state.place)
      case .failed(let error): return error
      case .none, .removed: break
      }
      state.generation += 1
      state.modified = time
      state.refusal = nil
      return nil
    }
    if let refusal { throw refusal }
  }

  private static func isImmutable(_ place: Place) -> FilesystemError {
    FilesystemError(.notPermitted, "\(place.path) is published and cannot change any more: write a new file")
  }

  /// The conflict that these bytes met under this target before.
  func verdict(_ target: String) -> FilesystemError? {
    state.withLock { state in state.verdicts.first { $0.generation == state.generation && $0.target == target }?.error }
  }

  func remember(_ error: FilesystemError, _ target: String) {
    state.withLock { state in
      state.verdicts.removeAll { $0.generation != state.generation || $0.target == target }
      state.verdicts.append(Verdict(generation: state.generation, target: target, error: error))
    }
  }
}

/// What a close means. Source: filesystem contract §4.1 "Who publishes".
enum CloseMeaning: Sendable, Equatable {
  /// Other holders may still write, or nothing was written.
  case nothing
  case publishes
  /// A signal ends the writer: what there is, is not whole.
  case abandons(signal: Int32)
  /// Nobody can say who closes.
  case unseen

  /// - Parameters:
  ///   - closer: nil if it cannot be seen.
  ///   - opener: nil if it could not be seen.
  init(hasNewBytes: Bool, fate: CallerFate, closer: ProcessToken?, opener: ProcessToken?) {
    self =
      switch fate {
      case .killed(let signal): .abandons(signal: signal)
      case .unknown: .unseen
      case .running, .exiting: hasNewBytes && closer != nil && closer == opener ? .publishes : .nothing
      }
  }
}
