// SPDX-License-Identifier: Apache-2.0

import HTTP
import Synchronization

/// Signatures that their signer lets be used again, for half a minute. Source: spec/remote-signer.md §4.
final class SignatureCache: Sendable {
  static let capacity = 100
  static let life = Duration.seconds(30)

  /// What a signature was asked for, but for the headers that are not signed.
  struct Key: Hashable, Sendable {
    private let method: String
    private let region: String
    private let endpoint: HTTPEndpoint
    private let target: String
    private let headers: [String]

    /// Whether both are the same request, whatever their headers.
    func isSameRequest(as other: Key) -> Bool {
      method == other.method && region == other.region && endpoint == other.endpoint && target == other.target
    }

    init(_ request: HTTPRequest, region: String) {
      method = request.method
      self.region = region
      endpoint = request.endpoint
      target = request.target
      headers = request.headers.compactMap { header in
        let name = header.name.lowercased()
        return RemoteSignature.unsignedHeaders.contains(name) ? nil : "\(name):\(header.value)"
      }.sorted()
    }
  }

  private struct Entry {
    let signature: RemoteSignature
    let time: Duration
  }

  private let entries = Mutex([Key: Entry]())

  /// - Parameter now: elapsed time of the signer's clock.
  func signature(_ key: Key, for request: HTTPRequest, now: Duration) -> RemoteSignature? {
    entries.withLock { entries in
      guard let entry = entries[key] else { return nil }
      if now - entry.time >= Self.life {
        entries[key] = nil
        return nil
      }
      return entry.signature.covers(request) ? entry.signature : nil
    }
  }

  func store(_ signature: RemoteSignature, for key: Key, now: Duration) {
    entries.withLock { entries in
      if entries[key] == nil, entries.count >= Self.capacity {
        entries = entries.filter { now - $0.value.time < Self.life }
        if entries.count >= Self.capacity, let oldest = entries.min(by: { $0.value.time < $1.value.time }) { entries[oldest.key] = nil }
      }
      entries[key] = Entry(signature: signature, time: now)
    }
  }

  func removeAll() {
    entries.withLock { $0 = [:] }
  }

  /// Drops what was given for a request, with any headers: the next attempt has others. Whether there was anything.
  func drop(_ key: Key) -> Bool {
    entries.withLock { entries in
      let count = entries.count
      entries = entries.filter { !$0.key.isSameRequest(as: key) }
      return entries.count < count
    }
  }
}
