// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How the content of manifests is kept: the catalog's `io.manifest.cache` keys. Source: spec/properties.md §1.
package struct ManifestCacheSettings: Sendable, Hashable {
  /// Whether any is.
  package var isEnabled = false
  /// After its last use; zero: until the room is needed.
  package var expiration = Duration.milliseconds(60_000)
  /// Bytes.
  package var maximumTotal: Int64 = 104_857_600
  /// Bytes; longer files are not kept.
  package var maximumLength: Int64 = 8_388_608

  package init() {}

  /// Throws for a value that Iceberg refuses.
  package init(_ properties: EffectiveProperties) throws(PropertyValueError) {
    isEnabled = try properties.boolean(CatalogKeys.manifestCacheEnabled) ?? false
    if let milliseconds = try properties.int64(CatalogKeys.manifestCacheExpirationIntervalMs) {
      expiration = .milliseconds(milliseconds)
    }
    maximumTotal = try properties.int64(CatalogKeys.manifestCacheMaxTotalBytes) ?? maximumTotal
    maximumLength = try properties.int64(CatalogKeys.manifestCacheMaxContentLength) ?? maximumLength
  }
}

/// Keeps bytes of manifests and manifest lists, which never change, those of longest disuse leaving first.
///
/// Safe from any thread.
package final class ManifestContents: Sendable {
  private struct Entry {
    var bytes: [UInt8]
    var used: ContinuousClock.Instant
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var total: Int64 = 0
  }

  private let settings: ManifestCacheSettings
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state = Mutex(State())

  package init(_ settings: ManifestCacheSettings, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.settings = settings
    self.now = now
  }

  /// Bytes kept.
  package var total: Int64 { state.withLock { $0.total } }

  func bytes(of location: String) -> [UInt8]? {
    guard settings.isEnabled else { return nil }
    let now = now()
    sweep(at: now)
    return state.withLock { state in
      state.entries[location]?.used = now
      return state.entries[location]?.bytes
    }
  }

  func keep(_ bytes: [UInt8], of location: String) {
    let length = Int64(bytes.count)
    guard settings.isEnabled, length <= settings.maximumLength, length <= settings.maximumTotal else { return }
    let now = now()
    let gone = state.withLock { state -> [Entry] in
      var gone: [Entry] = []
      if let old = state.entries.removeValue(forKey: location) {
        state.total -= Int64(old.bytes.count)
        gone.append(old)
      }
      if state.total + length > settings.maximumTotal {
        for (key, _) in state.entries.map({ ($0.key, $0.value.used) }).sorted(by: { $0.1 < $1.1 }) {
          guard state.total + length > settings.maximumTotal, let old = state.entries.removeValue(forKey: key) else { break }
          state.total -= Int64(old.bytes.count)
          gone.append(old)
        }
      }
      state.entries[location] = Entry(bytes: bytes, used: now)
      state.total += length
      return gone
    }
    // Freed here, outside the lock.
    _ = gone
  }

  /// Lets go of what was not used for long enough.
  package func sweep() { sweep(at: now()) }

  private func sweep(at now: ContinuousClock.Instant) {
    guard settings.expiration > .zero else { return }
    let gone = state.withLock { state -> [Entry] in
      let keys = state.entries.filter { $0.value.used.duration(to: now) > settings.expiration }.map(\.key)
      return keys.compactMap { key in
        let old = state.entries.removeValue(forKey: key)
        state.total -= Int64(old?.bytes.count ?? 0)
        return old
      }
    }
    _ = gone
  }
}
