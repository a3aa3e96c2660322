// SPDX-License-Identifier: Apache-2.0

import ObjectCache
import Synchronization
import Telemetry

/// Open files and directories by the number the kernel holds.
final class HandleTable: Sendable {
  enum Handle: Sendable {
    case object(ObjectReader, Opening)
    case snapshotFile(SnapshotFileReader, Opening)
    /// Content that is made as it is read; whether fewer bytes than asked may only come at the end.
    case stream(any ViewStream, isWhole: Bool)
    /// Content that was made at open.
    case content(ContentBuffer)
    case directory(DirectoryHandle)
    case staged(StagedHandle)
  }

  /// What was opened, and when.
  struct Opening: Sendable {
    let node: Node
    let time = ContinuousClock.now
  }

  private struct State {
    var handles: [UInt64: Handle] = [:]
    var next: UInt64 = 1
  }

  private let state = Mutex(State())
  private let metrics: Metrics

  init(metrics: Metrics) {
    self.metrics = metrics
  }

  var count: Int { state.withLock { $0.handles.count } }

  /// All that are open now, in no order.
  var open: [Handle] { state.withLock { Array($0.handles.values) } }

  func insert(_ handle: Handle) -> UInt64 {
    metrics.add(.openHandles)
    return state.withLock { state in
      let number = state.next
      state.next += 1
      state.handles[number] = handle
      return number
    }
  }

  subscript(number: UInt64) -> Handle? {
    state.withLock { $0.handles[number] }
  }

  func remove(_ number: UInt64) -> Handle? {
    let handle = state.withLock { $0.handles.removeValue(forKey: number) }
    if handle != nil { metrics.add(.openHandles, by: -1) }
    return handle
  }
}

/// Bytes made by the daemon, for as long as a file is open.
final class ContentBuffer: Sendable {
  // SAFETY: written once in init, freed in deinit, read-only between.
  nonisolated(unsafe) private let memory: UnsafeMutableRawBufferPointer

  init(_ bytes: [UInt8]) {
    memory = .allocate(byteCount: bytes.count, alignment: 1)
    memory.copyBytes(from: bytes)
  }

  deinit {
    memory.deallocate()
  }

  func slice(offset: Int64, size: Int) -> FileBytes {
    guard offset >= 0, offset < Int64(memory.count), size > 0 else { return FileBytes(segments: [], owner: nil) }
    let start = Int(offset)
    return FileBytes(segments: [UnsafeRawBufferPointer(rebasing: memory[start..<start + min(memory.count - start, size)])], owner: self)
  }
}
