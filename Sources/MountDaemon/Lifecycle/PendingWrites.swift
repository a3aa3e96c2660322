// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// What a mount still has to lose, as the member `writing` of its `status.json` tells it.
struct PendingWrites: Sendable, Hashable {
  /// A file that exists in the mount only.
  struct Staged: Sendable, Hashable {
    /// Below the mountpoint.
    var path: String
    var bytes: Int64
    /// Nil if nobody tried to publish it.
    var reason: String?

    var sentence: String {
      "\(path): \(bytes) \(bytes == 1 ? "byte was" : "bytes were") never published: \(reason ?? "the file was not closed with complete content")"
    }
  }

  /// A commit or an upload whose outcome is open.
  struct Work: Sendable, Hashable {
    var path: String
    var operation: String
  }

  /// Without scratch files, which are dropped by design, but for those that somebody tried to publish.
  var staged: [Staged] = []
  var inFlight: [Work] = []

  /// Nothing is pending where the document has no such member (a read-only mount), or is none.
  init(inStatus bytes: [UInt8]) {
    do throws(JSONError) {
      guard let writing = try JSONDocument(parsing: bytes).root["writing"] else { return }
      staged = Self.elements(writing["staged"]).compactMap { file in
        let reason = file["reason"]?.string
        guard let path = file["path"]?.string, file["scratch"]?.bool != true || reason != nil else { return nil }
        return Staged(path: path, bytes: file["bytes"]?.int64 ?? 0, reason: reason)
      }
      inFlight = Self.elements(writing["in-flight"]).compactMap { work in
        work["path"]?.string.map { Work(path: $0, operation: work["operation"]?.string ?? "work") }
      }
    } catch {
      return
    }
  }

  init(staged: [Staged] = [], inFlight: [Work] = []) {
    self.staged = staged
    self.inFlight = inFlight
  }

  /// `commit of sales/orders, upload of web/x and 3 more`.
  var inFlightClause: String {
    let shown = inFlight.prefix(3).map { "\($0.operation) of \($0.path)" }.joined(separator: ", ")
    return inFlight.count > 3 ? "\(shown) and \(inFlight.count - 3) more" : shown
  }

  private static func elements(_ node: JSONNode?) -> [JSONNode] {
    guard let node, node.kind == .array else { return [] }
    return Array(node.elements)
  }
}
