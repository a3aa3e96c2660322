// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// What a writable mount keeps of its own doings: numbers of staged files, work under way, the objects it made, conflicts just answered.
final class WriteState: Sendable {
  /// Work that an unmount waits for.
  struct Work: Sendable {
    var path: String
    var operation: String
    var fetch: SharedFetch<Void>
  }

  private struct State {
    var nextNumber: UInt64 = 1
    var work: [UInt64: Work] = [:]
    var made: [ObjectLocation: String] = [:]
    var conflicts: [String: (error: FilesystemError, at: ContinuousClock.Instant)] = [:]
  }

  /// Objects of this mount that are remembered: about 200 bytes each. One that was forgotten is judged by its age like any other.
  private static let mostMade = 100_000
  /// The kernel asks again at once after ESTALE; a person or a script takes longer to have read the table anew.
  private static let resendTime = Duration.milliseconds(200)

  private let state = Mutex(State())
  private let now: @Sendable () -> ContinuousClock.Instant
  private let preparation = SharedFetch<Void>()
  private let isPrepared = Atomic<Bool>(false)

  /// Runs the body the first time; everyone waits for its end.
  func prepare(_ body: @escaping @Sendable () async -> Void) async {
    if isPrepared.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged {
      preparation.start {
        await body()
        return .success(())
      }
    }
    _ = try? await preparation.value()
  }

  init(now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.now = now
  }

  func number() -> UInt64 {
    state.withLock { state in
      defer { state.nextNumber += 1 }
      return state.nextNumber
    }
  }

  /// Starts work that goes on whatever becomes of who asked for it, and gives what they wait for.
  func start(
    _ path: String, _ operation: String, _ body: @escaping @Sendable () async throws(FilesystemError) -> Void
  ) -> SharedFetch<Void> {
    let fetch = SharedFetch<Void>()
    let number = number()
    state.withLock { $0.work[number] = Work(path: path, operation: operation, fetch: fetch) }
    fetch.start { [self] in
      let outcome: Result<Void, FilesystemError>
      do throws(FilesystemError) {
        outcome = .success(try await body())
      } catch {
        outcome = .failure(error)
      }
      state.withLock { $0.work[number] = nil }
      return outcome
    }
    return fetch
  }

  var work: [Work] { state.withLock { Array($0.work.values) } }

  // MARK: Objects of this mount

  /// An object that no commit names: it may go at any age.
  func made(_ object: ObjectAttributes) {
    state.withLock { state in
      if state.made.count >= Self.mostMade { state.made.removeAll() }
      state.made[object.location] = object.etag
    }
  }

  func hasMade(_ object: ObjectAttributes) -> Bool {
    state.withLock { $0.made[object.location] == object.etag }
  }

  /// Takes the mark off an object that a commit named.
  func forgetMade(_ object: ObjectAttributes) {
    state.withLock { state in
      if state.made[object.location] == object.etag { state.made[object.location] = nil }
    }
  }

  // MARK: Conflicts

  /// The conflict that this operation met a moment ago: the kernel sends RENAME, MKDIR and RMDIR again when they answer ESTALE.
  func conflict(_ operation: String) -> FilesystemError? {
    let now = now()
    return state.withLock { state in
      state.conflicts = state.conflicts.filter { $0.value.at.duration(to: now) <= Self.resendTime }
      return state.conflicts[operation].map { FilesystemError($0.error.code) }
    }
  }

  func remember(_ error: FilesystemError, _ operation: String) {
    guard error.code == .stale else { return }
    let now = now()
    state.withLock { $0.conflicts[operation] = (error, now) }
  }
}
