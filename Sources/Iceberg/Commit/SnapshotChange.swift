// SPDX-License-Identifier: Apache-2.0

/// What two successive documents have in snapshots: kept, new, removed.
struct SnapshotChange {
  let base: TableMetadata
  let next: TableMetadata
  let baseByID: [Int64: Snapshot]
  let nextByID: [Int64: Snapshot]
  /// In the order of the new list, with their places in it.
  let added: [(index: Int, snapshot: Snapshot)]
  let removed: Set<Int64>

  init(_ base: TableMetadata, _ next: TableMetadata) {
    self.base = base
    self.next = next
    let baseByID = Dictionary(base.snapshots.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let nextByID = Dictionary(next.snapshots.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    added = next.snapshots.enumerated().compactMap { baseByID[$0.element.id] == nil ? ($0.offset, $0.element) : nil }
    removed = Set(baseByID.keys.filter { nextByID[$0] == nil })
    self.baseByID = baseByID
    self.nextByID = nextByID
  }

  /// Whether `ancestor` is reached from `descendant` by parents, through removed snapshots too.
  func isAncestor(_ ancestor: Int64, of descendant: Int64) -> Bool {
    var seen: Set<Int64> = []
    var step: Int64? = descendant
    while let id = step, seen.insert(id).inserted {
      if id == ancestor { return true }
      step = (nextByID[id] ?? baseByID[id])?.parentID
    }
    return false
  }
}
