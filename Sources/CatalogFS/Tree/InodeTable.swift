// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization

/// An inode that the kernel is asked to let go of, and where it knows it.
package struct DroppableInode: Sendable {
  package let inode: UInt64
  package let parent: UInt64
  package let name: EntryName
}

/// The nodes that the kernel holds, by inode number, with their lookup counts.
///
/// The kernel keeps what it has looked up until it needs the memory, of which it has more than this process may take. So beyond a number
/// of inodes it is asked to let go of those that came first and were not opened (docs/decisions/0008).
final class InodeTable: Sendable {
  /// How many inodes there may be.
  struct Limits: Sendable {
    /// From so many on the kernel is asked to let go. Some 220 bytes each, its name and etag included.
    var most = 112_000
    /// The last so many stay: what was just listed is looked at next, by find(1) and fts(3) up to 100,000 names later.
    var youngest = 100_000
  }

  private struct Entry {
    let node: Node
    var lookups: UInt64
    /// Counts up with each new inode, and with each open.
    var used: UInt64
    /// The kernel may have pages of it.
    var wasOpened = false
  }

  private struct State {
    var entries: [UInt64: Entry]
    var clock: UInt64 = 0
    /// As many inodes as make the next round of asking.
    var nextRound: Int
    var isAsking = false

    /// Of the object that came last: the next one mostly lies beside it.
    var lastPrefix: ObjectPrefix?

    mutating func prefix(of kind: Node.Kind) -> ObjectPrefix? {
      switch kind {
      case .object(_, let object), .snapshotFile(_, let object):
        if let lastPrefix, lastPrefix.holds(object.location) { return lastPrefix }
        lastPrefix = ObjectPrefix(of: object.location)
        return lastPrefix
      default: return nil
      }
    }

    /// What is to be let go of now, if anything.
    mutating func crowd(_ limits: Limits) -> [DroppableInode] {
      guard !isAsking, entries.count >= nextRound, clock > limits.youngest else { return [] }
      let newest = clock - UInt64(limits.youngest)
      var unopened: [DroppableInode] = []
      var opened: [DroppableInode] = []
      for (inode, entry) in entries where entry.used < newest && entry.node.isDroppable {
        let droppable = DroppableInode(inode: inode, parent: entry.node.parent?.inode ?? 1, name: entry.node.name)
        if entry.wasOpened { opened.append(droppable) } else { unopened.append(droppable) }
      }
      let chosen = unopened.count >= opened.count ? unopened : unopened + opened
      isAsking = !chosen.isEmpty
      return chosen
    }
  }

  private let limits: Limits
  /// Returns when the kernel was told.
  private let drop: (@Sendable ([DroppableInode]) async -> Void)?
  private let state: Mutex<State>

  /// The root is always there.
  ///
  /// - Parameter drop: asks the kernel to let go of inodes; nil if it cannot be asked.
  init(root: Node, limits: Limits = Limits(), drop: (@Sendable ([DroppableInode]) async -> Void)? = nil) {
    self.limits = limits
    self.drop = drop
    state = Mutex(State(entries: [root.inode: Entry(node: root, lookups: 1, used: 0)], nextRound: limits.most))
  }

  subscript(inode: UInt64) -> Node? {
    state.withLock { $0.entries[inode]?.node }
  }

  /// The number that the kernel has for an identity, or would get.
  func number(of identity: Node.Identity) -> UInt64 {
    var inode = identity.preferredInode
    return state.withLock { state in
      while let entry = state.entries[inode] {
        if entry.node.kind.identity == identity { return inode }
        inode = inode &+ 1 > 1 ? inode &+ 1 : 2
      }
      return inode
    }
  }

  var count: Int { state.withLock { $0.entries.count } }

  /// The node of this identity, made if it is new, with its lookup count raised by one.
  func reference(_ kind: Node.Kind, parent: Node, name: EntryName) -> Node {
    var inode = kind.identity.preferredInode
    let (node, crowd) = state.withLock { state -> (Node, [DroppableInode]) in
      while let entry = state.entries[inode] {
        if entry.node.isSame(as: kind) {
          state.entries[inode]?.lookups += 1
          return (entry.node, [])
        }
        inode = inode &+ 1 > 1 ? inode &+ 1 : 2
      }
      let node = Node(kind: kind, inode: inode, parent: parent, name: name, prefix: state.prefix(of: kind))
      state.clock += 1
      state.entries[inode] = Entry(node: node, lookups: 1, used: state.clock)
      return (node, drop == nil ? [] : state.crowd(limits))
    }
    if !crowd.isEmpty { relieve(of: crowd) }
    return node
  }

  /// Takes note that the kernel opens a file: it may keep pages of it, which would go with the inode.
  func opened(_ inode: UInt64) {
    state.withLock { state in
      state.clock += 1
      state.entries[inode]?.used = state.clock
      state.entries[inode]?.wasOpened = true
    }
  }

  /// Lowers a lookup count; at zero the node is gone. The root stays.
  func forget(_ inode: UInt64, count: UInt64) {
    let gone = state.withLock { state -> Node? in
      guard inode != 1, var entry = state.entries[inode] else { return nil }
      entry.lookups -= min(count, entry.lookups)
      if entry.lookups == 0 {
        state.entries[inode] = nil
        if state.entries.count < limits.most / 4 * 3 { state.nextRound = limits.most }
        return entry.node
      }
      state.entries[inode] = entry
      return nil
    }
    // Freed here, outside the lock.
    _ = gone
  }

  private func relieve(of crowd: [DroppableInode]) {
    Task.detached { [self] in
      await drop?(crowd)
      state.withLock { state in
        state.isAsking = false
        // What is in use stays: it is not asked about again for each inode that comes.
        state.nextRound = max(limits.most, state.entries.count + limits.most / 8)
      }
    }
  }
}

extension Node {
  /// Whether listings answer for it again without a request.
  fileprivate var isDroppable: Bool {
    if objectFacts != nil { return true }
    return switch kind {
    case .object, .objectDirectory, .snapshotFile, .view: true
    case .root, .namespace, .table, .tableDirectory, .currentLink, .versionHint, .controlDirectory, .control, .viewsDirectory,
      .locationText,
      .staged:
      false
    }
  }
}
