// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WireFormats

/// The metadata documents that were last a base, parsed: the next commit's base is mostly the last one's result.
///
/// By location alone: a metadata file never changes once a table has pointed at it (spec/table-metadata.md §5), and asking for its etag would
/// cost each commit a request.
final class BaseDocuments: Sendable {
  /// Bytes of text: a few documents of tables with many snapshots. Parsed, a document takes a few times as much.
  private static let limit = 64 << 20

  private struct State {
    /// Latest used last.
    var documents: [(location: [UInt8], metadata: TableMetadata)] = []
    var bytes = 0
  }

  private let state = Mutex(State())

  func find(_ location: String) -> TableMetadata? {
    let key = Array(location.utf8)
    return state.withLock { state in
      guard let index = state.documents.firstIndex(where: { $0.location == key }) else { return nil }
      let found = state.documents.remove(at: index)
      state.documents.append(found)
      return found.metadata
    }
  }

  func insert(_ metadata: TableMetadata, at location: String) {
    let key = Array(location.utf8)
    let size = metadata.document.bytes.count
    guard size <= Self.limit else { return }
    state.withLock { state in
      if let index = state.documents.firstIndex(where: { $0.location == key }) {
        state.bytes -= state.documents.remove(at: index).metadata.document.bytes.count
      }
      state.documents.append((key, metadata))
      state.bytes += size
      while state.bytes > Self.limit, let oldest = state.documents.first {
        state.bytes -= oldest.metadata.document.bytes.count
        state.documents.removeFirst()
      }
    }
  }
}
