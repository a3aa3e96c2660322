// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// How much there is: the directory itself is the index, since other mounts add to it and take from it. All of it runs on the thread that writes.
extension DiskBlockStore {
  /// Bytes, where no limit was given.
  static let defaultLimit: Int64 = 10 << 30
  /// Files; bounds the memory that a look at the directory takes, 32 bytes a file.
  static let maximumFiles = 1 << 18
  /// Seconds. No write of a block takes as long, so a temporary file older than this has no writer.
  static let temporaryAge: Int64 = 3600
  /// The share of the limit that may be written, by this mount, between two looks, and that is made free at a time.
  static let step: Int64 = 10
  /// How long nothing is written after a failure.
  static let pause = Duration.seconds(60)
  /// How long the log is silent about further failures: on a disk that others fill, writing succeeds and fails by turns.
  static let silence = Duration.seconds(3600)

  func isLookDue(_ state: State) -> Bool {
    guard let limit = state.limit else { return true }
    return state.bytes > limit || state.writtenBytes > limit / Self.step || state.writtenFiles > Self.maximumFiles / Int(Self.step)
  }

  /// Looks at all files, and removes those that were not used for longest if there is too much.
  ///
  /// - Parameter share: of what there is, to be removed at least; 0 if only the limit counts.
  func makeRoom(givingBack share: Int64 = 0) {
    var entries: [DiskDirectory.Entry] = []
    do throws(DiskFailure) {
      try directory.scan(removingTemporariesOlderThan: Self.temporaryAge) { entries.append($0) }
    } catch {
      fail(error)
    }
    var bytes = entries.reduce(0) { $0 + $1.bytes }
    let limit = givenLimit ?? min(Self.defaultLimit, (min(directory.freeBytes ?? .max, .max / 2) + bytes) / 2)
    let target = min(bytes > limit ? limit / Self.step * (Self.step - 1) : .max, bytes - share)
    var files = entries.count
    // As with bytes, a step more than needed, so that it is not needed again at once.
    let filesTarget = files > Self.maximumFiles ? Self.maximumFiles / Int(Self.step) * Int(Self.step - 1) : .max
    if bytes > target || files > filesTarget { entries.sort { $0.modified < $1.modified } }
    for entry in entries {
      guard bytes > target || files > filesTarget else { break }
      do throws(DiskFailure) {
        try directory.remove(entry.name.fileName)
      } catch {
        fail(error)
        break
      }
      bytes -= entry.bytes
      files -= 1
    }
    state.withLock { state in
      state.bytes = bytes
      state.limit = limit
      state.writtenBytes = 0
      state.writtenFiles = 0
    }
    publishSize()
  }

  /// Nothing is written for a while; the log tells of it once an hour at most. A full disk gets something back.
  func pause(_ failure: DiskFailure) {
    let now = parts.now()
    let (isNew, bytes) = state.withLock { state in
      state.resumption = now + Self.pause
      let isNew = state.reported.map { $0 + Self.silence <= now } ?? true
      if isNew { state.reported = now }
      return (isNew, state.bytes)
    }
    if isNew {
      logger.warning(
        "the disk cache cannot be written: the mount goes on without it", metadata: ["directory": "\(path)", "reason": "\(failure)"])
    }
    if failure.isFull { makeRoom(givingBack: bytes / Self.step) }
  }
}
