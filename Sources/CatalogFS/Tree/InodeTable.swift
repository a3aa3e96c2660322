// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The nodes that the kernel holds, by inode number, with their lookup counts.
final class InodeTable: Sendable {
  private struct Entry {
    let node: Node
    var lookups: UInt64
  }

  private let entries: Mutex<[UInt64: Entry]>

  /// The root is always there.
  init(root: Node) {
    entries = Mutex([root.inode: Entry(node: root, lookups: 1)])
  }

  subscript(inode: UInt64) -> Node? {
    entries.withLock { $0[inode]?.node }
  }

  /// The number that the kernel has for an identity, or would get.
  func number(of identity: Node.Identity) -> UInt64 {
    var inode = identity.preferredInode
    return entries.withLock { entries in
      while let entry = entries[inode] {
        if entry.node.kind.identity == identity { return inode }
        inode = inode &+ 1 > 1 ? inode &+ 1 : 2
      }
      return inode
    }
  }

  var count: Int { entries.withLock { $0.count } }

  /// The node of this identity, made if it is new, with its lookup count raised by one.
  func reference(_ kind: Node.Kind, parent: Node, name: EntryName) -> Node {
    let identity = kind.identity
    var inode = identity.preferredInode
    return entries.withLock { entries in
      while let entry = entries[inode] {
        if entry.node.kind.identity == identity {
          entries[inode]?.lookups += 1
          return entry.node
        }
        inode = inode &+ 1 > 1 ? inode &+ 1 : 2
      }
      let node = Node(kind: kind, inode: inode, parent: parent, name: name)
      entries[inode] = Entry(node: node, lookups: 1)
      return node
    }
  }

  /// Lowers a lookup count; at zero the node is gone. The root stays.
  func forget(_ inode: UInt64, count: UInt64) {
    let gone = entries.withLock { entries -> Node? in
      guard inode != 1, var entry = entries[inode] else { return nil }
      entry.lookups -= min(count, entry.lookups)
      if entry.lookups == 0 {
        entries[inode] = nil
        return entry.node
      }
      entries[inode] = entry
      return nil
    }
    // Freed here, outside the lock.
    _ = gone
  }
}
