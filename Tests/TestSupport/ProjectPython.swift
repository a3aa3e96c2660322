// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Scripts below `Tests/`, run by the Python that has the third-party clients.
package enum ProjectPython {
  /// What a script failed with.
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  /// The interpreter: `BERGFS_TEST_PYTHON`, else that of `.build-tools/clients`.
  package static func interpreter() throws -> String {
    let path =
      ProcessInfo.processInfo.environment["BERGFS_TEST_PYTHON"] ?? root.appendingPathComponent(".build-tools/clients/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: path) else { throw Failure(description: "no Python with the clients at \(path)") }
    return path
  }

  /// Absolute path of a file below `Tests/`.
  package static func path(_ file: String) -> String { root.appendingPathComponent("Tests/\(file)").path }

  /// Runs a script to its end.
  ///
  /// - Parameter file: below `Tests/`.
  /// - Returns: what it wrote to standard output.
  package static func run(_ file: String, _ arguments: [String] = [], input: [UInt8] = []) async throws -> String {
    let output = try await ChildProcess.run(try interpreter(), [path(file)] + arguments, input: input)
    guard output.status == 0 else { throw Failure(description: "\(file) ended with \(output.status): \(output.standardError)") }
    return String(decoding: output.standardOutput, as: UTF8.self)
  }

  private static var root: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }
}
