// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Another program, run from a test with a clean environment.
package enum ChildProcess {
  package struct Output: Sendable {
    package var status: Int32
    package var standardOutput: [UInt8]
    package var standardError: String
  }

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - environment: all that the program sees beside `PATH`.
  package static func run(
    _ executable: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
  ) async throws -> Output {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bergfs-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Files instead of pipes: no side can block the other.
    let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
    try Data(input).write(to: files[0])
    for file in files.dropFirst() { try Data().write(to: file) }
    let handles = try [
      FileHandle(forReadingFrom: files[0]), FileHandle(forWritingTo: files[1]), FileHandle(forWritingTo: files[2]),
    ]
    let environment = environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own }
    let process = try EmulatorProcess.spawn(
      executable, arguments, environment: environment, descriptors: handles.map(\.fileDescriptor))
    // By its number, on a thread of its own: Foundation's Process learns of an end by a descriptor that other children may have inherited.
    let status = await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: EmulatorProcess.wait(process)) }
    }
    return Output(
      status: status, standardOutput: [UInt8](try Data(contentsOf: files[1])),
      standardError: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
  }
}
