// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Memory of one block: whole pages from the kernel, contents undefined.
struct BlockRegion: @unchecked Sendable {
  // SAFETY: an address and a length; who may touch the memory is settled by Block, which owns the region alone.
  let base: UnsafeMutableRawPointer
  /// Bytes.
  let capacity: Int
}

/// Maps the memory of blocks and keeps what is free of full size for reuse.
///
/// Mapped rather than malloc'ed: freed memory really goes back, and glibc's arenas cannot fragment around it. Reuse matters: a fresh mapping
/// costs 256 page faults a MiB, about as much as copying the MiB. Mapped bytes, free ones included, stay within the limit.
final class BlockPool: Sendable {
  private struct State {
    var free: [BlockRegion] = []
    var mapped = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: bytes, the budget's.
  init(limit: Int) {
    self.limit = limit
  }

  deinit {
    trim()
  }

  /// Bytes mapped now, free ones included.
  var mappedBytes: Int { state.withLock { $0.mapped } }

  /// Memory of `capacity` bytes, a multiple of the page size, already reserved from the budget. Nil when the kernel has none.
  func take(_ capacity: Int) -> BlockRegion? {
    let (reused, surplus) = state.withLock { state -> (BlockRegion?, [BlockRegion]) in
      if capacity == BlockGeometry.blockSize, let region = state.free.popLast() { return (region, []) }
      var surplus: [BlockRegion] = []
      state.mapped += capacity
      while state.mapped > limit, let region = state.free.popLast() {
        state.mapped -= region.capacity
        surplus.append(region)
      }
      return (nil, surplus)
    }
    if let reused { return reused }
    surplus.forEach(Self.unmap)
    let base = mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let base, base != MAP_FAILED else {
      state.withLock { $0.mapped -= capacity }
      return nil
    }
    return BlockRegion(base: base, capacity: capacity)
  }

  /// Takes memory back; to be called before the reservation is released.
  func give(_ region: BlockRegion) {
    let isKept = state.withLock { state in
      if region.capacity == BlockGeometry.blockSize {
        state.free.append(region)
        return true
      }
      state.mapped -= region.capacity
      return false
    }
    if !isKept { Self.unmap(region) }
  }

  /// Returns all free memory to the kernel.
  func trim() {
    let free = state.withLock { state -> [BlockRegion] in
      state.mapped -= state.free.count * BlockGeometry.blockSize
      defer { state.free.removeAll() }
      return state.free
    }
    free.forEach(Self.unmap)
  }

  private static func unmap(_ region: BlockRegion) {
    munmap(region.base, region.capacity)
  }
}
