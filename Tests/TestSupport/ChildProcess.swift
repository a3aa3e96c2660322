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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      // `waitUntilExit` would hold a thread of the pool, and on Linux may never return there.
      process.terminationHandler = { _ in continuation.resume() }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    return Output(
      status: process.terminationStatus, standardOutput: [UInt8](try Data(contentsOf: files[1])),
      standardError: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
  }
}
