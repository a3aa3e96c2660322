// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The kernel's list of mounts.
enum MountTableFile {
  /// Mountpoints, dead ones too.
  static func mountpoints() -> [String] {
    let text = String(decoding: readFile("/proc/self/mountinfo"), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      return fields.count > 4 ? String(fields[4]).replacing("\\040", with: " ") : nil
    }
  }
}

/// The kernel's list of processes.
enum ProcessList {
  /// Live processes whose command line fits.
  static func processes(where fits: ([String]) -> Bool) -> [pid_t] {
    guard let directory = opendir("/proc") else { return [] }
    defer { closedir(directory) }
    var found: [pid_t] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let pid = pid_t(name), fits(arguments(of: pid)) { found.append(pid) }
    }
    return found
  }

  /// Empty for a process that has ended, also if nobody has waited for it.
  static func arguments(of pid: pid_t) -> [String] {
    readFile("/proc/\(pid)/cmdline").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }
}

/// The content of a small file outside of any mount; empty if it cannot be read.
func readFile(_ path: String) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return [] }
  defer { close(descriptor) }
  var content: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return content }
    content += buffer[..<count]
  }
}

/// Lets a few tests go on at once, in the order in which they came: the machine is small. A test that has its slot needs no second one.
final class TestSlots: Sendable {
  /// For mounts.
  static let mounts = TestSlots(2)
  /// For clients in Python, which take a second of processor time to start. Nobody waits for a mount while holding one of these.
  static let clients = TestSlots(2)
  @TaskLocal private static var occupied: Set<ObjectIdentifier> = []

  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  private init(_ count: Int) {
    state = Mutex(State(free: count))
  }

  func occupied<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    if Self.occupied.contains(ObjectIdentifier(self)) { return try await body() }
    await acquire()
    defer { release() }
    return try await Self.$occupied.withValue(Self.occupied.union([ObjectIdentifier(self)])) { try await body() }
  }

  private func acquire() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  private func release() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
