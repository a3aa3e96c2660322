// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file with one line a request: method, target, range, status, body bytes, X-Amz-Target, microseconds; `-` for what is absent.
package struct RequestLog: Sendable {
  private let file: OwnedDescriptor

  /// Creates or empties the file at `path`.
  package init(path: String) throws(SystemFailure) {
    let raw = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
    guard raw >= 0 else { throw SystemFailure("open \(path)") }
    file = OwnedDescriptor(raw: raw)
  }

  func write(_ request: HTTPRequest, status: Int, bytes: Int, microseconds: Int) {
    let range = request.range ?? "-"
    let line = "\(request.method) \(request.target) \(range) \(status) \(bytes) \(request.amzTarget ?? "-") \(microseconds)\n"
    // One write a line on an O_APPEND file: lines of several connections do not mix.
    _ = Array(line.utf8).withUnsafeBytes { Glibc.write(file.raw, $0.baseAddress, $0.count) }
  }
}
