// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// What `bergfs status` needs of a mount's `status.json`. What an older daemon does not tell is nil.
struct MountFacts: Sendable {
  /// A file on its way to S3.
  struct Transfer: Sendable, Hashable {
    var path: String
    /// Bytes.
    var written: Int64
    var sent: Int64
    /// Nil while its writer goes on.
    var total: Int64?
    var age: Duration
    var writer: Int32?

    /// Bytes that count as gone: a file that goes in one piece has not sent anything before its end.
    var done: Int64 { total == nil && sent == 0 ? written : sent }
  }

  /// A file that is read from front to back.
  struct Reading: Sendable, Hashable {
    var path: String
    /// Bytes.
    var read: Int64
    var total: Int64
    var age: Duration
  }

  var catalog: String
  var catalogType: String
  var version: String
  var process: Int64?
  var uptime: Duration
  var requests: Int64?
  var errors: Int64?
  /// Bytes.
  var residentMemory: Int64?
  var isReadOnly: Bool
  var credentials: [(service: String, source: String, expires: String?)]
  var pending: PendingWrites
  var transfers: [Transfer]
  var readings: [Reading]
  let document: JSONValue

  /// Nil if the bytes are no status document.
  init?(status bytes: [UInt8]) {
    let root: JSONNode
    let parsed: JSONDocument
    do throws(JSONError) {
      parsed = try JSONDocument(parsing: bytes)
      root = parsed.root
    } catch {
      return nil
    }
    guard let name = root["catalog"]?["name"]?.string else { return nil }
    catalog = name
    catalogType = root["catalog"]?["type"]?.string ?? ""
    version = root["version"]?.string ?? ""
    process = root["pid"]?.int64
    uptime = .seconds(root["uptime-seconds"]?.int64 ?? 0)
    requests = root["requests"]?.int64
    errors = root["errors-logged"]?.int64
    residentMemory = root["memory"]?["resident-bytes"]?.int64
    isReadOnly = root["options"]?["read-only"]?.bool ?? false
    credentials = Self.elements(root["credentials"]).map { node in
      (node["service"]?.string ?? "", node["source"]?.string ?? "", node["expires"]?.string)
    }
    pending = PendingWrites(inStatus: bytes)
    transfers = Self.elements(root["writing"]?["transfers"]).compactMap { node in
      guard let path = node["path"]?.string else { return nil }
      return Transfer(
        path: path, written: node["written-bytes"]?.int64 ?? 0, sent: node["sent-bytes"]?.int64 ?? 0, total: node["total-bytes"]?.int64,
        age: .milliseconds(node["age-milliseconds"]?.int64 ?? 0), writer: node["writer"]?.int64.flatMap { Int32(exactly: $0) })
    }
    readings = Self.elements(root["reading"]).compactMap { node in
      guard let path = node["path"]?.string, let read = node["read-bytes"]?.int64, let total = node["total-bytes"]?.int64 else {
        return nil
      }
      return Reading(path: path, read: read, total: total, age: .milliseconds(node["age-milliseconds"]?.int64 ?? 0))
    }
    document = JSONValue(root)
  }

  private static func elements(_ node: JSONNode?) -> [JSONNode] {
    guard let node, node.kind == .array else { return [] }
    return Array(node.elements)
  }
}
