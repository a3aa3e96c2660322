// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The program under test as a Debian package, and what it is tried on. Made once, by whoever asks first.
struct TestedPackage: Sendable {
  private static let made = Task { try await TestedPackage() }

  static func shared() async throws -> TestedPackage { try await made.value }

  /// Of the `.deb`.
  let path: String
  /// The tree of a bare Debian.
  let root: String
  let promtool: String

  private init() async throws {
    let directory = ProjectFiles.root + "/.build-tools/tested-package"
    let build = ProjectFiles.bergfs.split(separator: "/").dropLast().joined(separator: "/")
    // 30 s with the download of a bare Debian, 3 s when it is there.
    let result = try await Shell.run(
      ProjectFiles.scripts + "/tested_package", ["/" + build, directory], environment: Self.toolchain, within: .seconds(400)
    ).succeeded()
    let lines = result.lines
    guard lines.count == 3 else { throw HarnessError("not three paths: \(result)") }
    (path, root, promtool) = (lines[0], lines[1], lines[2])
  }

  /// Where this test's own `swiftc` is.
  private static var toolchain: [String: String] {
    ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": "/root"]
  }
}
