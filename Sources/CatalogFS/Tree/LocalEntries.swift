// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// A name that this mount knows better than catalog and S3 do.
enum LocalEntry: Sendable {
  /// Staged or scratch: visible only here.
  case file(StagedFile)
  /// Made by mkdir, or left when its last file was removed: a directory that S3 knows nothing of.
  case directory
  /// Published by this mount at a moment that listings from before do not show.
  case published(ObjectAttributes, at: ContinuousClock.Instant)
  /// A version removed by this mount, which listings from before still show.
  case removed(ObjectAttributes, at: ContinuousClock.Instant)
  /// A table that the catalog does not know yet; its place is in its state.
  case pendingTable(TableState)
}

/// The local names of all directories of a mount. Safe from any thread; nothing is called with the lock held.
final class LocalEntries: Sendable {
  private struct State {
    var directories: [Node.Identity: [EntryName: LocalEntry]] = [:]
    var count = 0

    @discardableResult
    mutating func set(_ entry: LocalEntry?, _ name: EntryName, in directory: Node.Identity) -> LocalEntry? {
      let old = directories[directory]?[name]
      if let entry {
        directories[directory, default: [:]][name] = entry
      } else {
        directories[directory]?[name] = nil
        if directories[directory]?.isEmpty ?? false { directories[directory] = nil }
      }
      count += (entry == nil ? 0 : 1) - (old == nil ? 0 : 1)
      return old
    }
  }

  private let freshness: Freshness
  private let state = Mutex(State())
  /// Read before the lock is taken: on a mount that writes nothing every lookup passes here.
  private let total = Atomic<Int>(0)

  init(freshness: Freshness) {
    self.freshness = freshness
  }

  var isEmpty: Bool { total.load(ordering: .acquiring) == 0 }

  /// What is known of a name here. What only bridges the time until listings show it is gone after the time to live.
  func entry(_ name: EntryName, in directory: Node.Identity) -> LocalEntry? {
    guard !isEmpty else { return nil }
    let now = freshness.now()
    return state.withLock { state in
      guard let entry = state.directories[directory]?[name] else { return nil }
      if isOver(entry, at: now) {
        state.set(nil, name, in: directory)
        total.store(state.count, ordering: .releasing)
        return nil
      }
      return entry
    }
  }

  /// All names of a directory, in no order.
  func entries(of directory: Node.Identity) -> [(name: EntryName, entry: LocalEntry)] {
    guard !isEmpty else { return [] }
    let now = freshness.now()
    return state.withLock { state in
      (state.directories[directory] ?? [:]).filter { !isOver($0.value, at: now) }.map { (name: $0.key, entry: $0.value) }
    }
  }

  func set(_ entry: LocalEntry?, _ name: EntryName, in directory: Node.Identity) {
    let old = state.withLock { state in
      defer { total.store(state.count, ordering: .releasing) }
      return state.set(entry, name, in: directory)
    }
    // Freed here, outside the lock.
    _ = old
  }

  /// Puts a staged file under a name, unless another one is there.
  func insert(_ file: StagedFile, _ name: EntryName, in directory: Node.Identity) -> StagedFile? {
    state.withLock { state in
      if case .file(let known)? = state.directories[directory]?[name] { return known }
      state.set(.file(file), name, in: directory)
      total.store(state.count, ordering: .releasing)
      return nil
    }
  }

  /// Replaces a staged file's entry, if it still is that file's.
  func replace(_ file: StagedFile, _ name: EntryName, in directory: Node.Identity, with entry: LocalEntry?) {
    state.withLock { state in
      guard case .file(let known)? = state.directories[directory]?[name], known === file else { return }
      state.set(entry, name, in: directory)
      total.store(state.count, ordering: .releasing)
    }
  }

  /// All staged and scratch files of the mount.
  var files: [StagedFile] {
    state.withLock { state in
      state.directories.values.flatMap { $0.values.compactMap { if case .file(let file) = $0 { file } else { nil } } }
    }
  }

  /// Whether a table has files that are visible only here.
  func hasFiles(of table: TableState) -> Bool { files.contains { $0.place.table === table } }

  /// Forgets all of a table that is gone or has another name now.
  func forget(_ table: TableIdentifier) {
    let old = state.withLock { state -> [[EntryName: LocalEntry]] in
      let gone = state.directories.filter { $0.key.table == table }
      for (directory, entries) in gone {
        state.directories[directory] = nil
        state.count -= entries.count
      }
      total.store(state.count, ordering: .releasing)
      return Array(gone.values)
    }
    _ = old
  }

  private func isOver(_ entry: LocalEntry, at now: ContinuousClock.Instant) -> Bool {
    switch entry {
    case .published(_, let at): at.duration(to: now) > freshness.timeToLive
    case .removed(_, let at): at.duration(to: now) > max(freshness.timeToLive, Self.longestBelief)
    case .file, .directory, .pendingTable: false
    }
  }

  /// Names that listings of large directories show are believed beyond the time to live: 100 s at a million of them (docs/decisions/0005).
  private static let longestBelief = Duration.seconds(120)
}

extension Node.Identity {
  /// The table that a directory belongs to.
  fileprivate var table: TableIdentifier? {
    switch self {
    case .table(let table), .tableDirectory(let table, _), .objectDirectory(let table, _, _): table.identifier
    default: nil
    }
  }
}
