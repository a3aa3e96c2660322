// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// A line of `.bergfs/errors.jsonl`.
struct ErrorRecord: Sendable, CustomStringConvertible {
  let time: String
  let path: String
  let operation: String
  let errno: String
  let message: String
  let requestID: String?
  let description: String

  init(_ line: String) throws {
    let root = try JSONDocument(parsing: Array(line.utf8)).root
    time = try root.text("time")
    path = try root.text("path")
    operation = try root.text("operation")
    errno = try root.text("errno")
    message = try root.text("message")
    requestID = root["request-id"]?.string
    description = line
  }
}
