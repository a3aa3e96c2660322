// SPDX-License-Identifier: Apache-2.0

import HTTP
import Telemetry

/// Takes what must not be shown out of other people's words.
struct RestSecrets: Sendable {
  /// Longest text that goes into a message, in characters.
  private static let limit = 500
  /// Headers whose values are secrets in any request, lower case.
  private static let secretHeaders: Set<String> = [
    "authorization", "original-authorization", "proxy-authorization", "cookie", "x-amz-security-token", "x-amz-s3session-token",
    "x-amz-server-side-encryption-customer-key", "x-amz-copy-source-server-side-encryption-customer-key",
  ]

  private var texts: [String] = []

  /// - Parameter configured: values of configured headers: any of them may be a key.
  init(of headers: [(name: String, value: String)], configured: [(name: String, value: String)] = [], further: [Secret] = []) {
    for (name, value) in headers where Self.secretHeaders.contains(name.lowercased()) {
      add(value)
      // A scheme is no secret; what follows it is one by itself.
      for word in value.split(separator: " ").dropFirst() { add(String(word)) }
    }
    for (_, value) in configured where value.utf8.count >= 4 { add(value) }
    for secret in further { add(secret.reveal()) }
    // The longer first, as a shorter one may be a part of it.
    texts.sort { $0.utf8.count > $1.utf8.count }
  }

  /// The secrets among some headers.
  static func values(of headers: [(name: String, value: String)]) -> [Secret] {
    headers.filter { secretHeaders.contains($0.name.lowercased()) }.map { Secret($0.value) }
  }

  private mutating func add(_ text: String) {
    if !text.isEmpty { texts.append(text) }
  }

  /// The text without secrets and control characters, and not longer than a message may be.
  func clean(_ text: String) -> String {
    var clean = text
    for secret in texts where clean.contains(secret) {
      clean = clean.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "****")
    }
    let line = String(String.UnicodeScalarView(clean.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    return line.count > Self.limit ? line.prefix(Self.limit) + "…" : line
  }
}
