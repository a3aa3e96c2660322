// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport

/// A catalog whose answers to `loadTable` come when the test gives them, in the order it wants.
final class AnswerLater: Catalog {
  private struct State {
    var calls: [CheckedContinuation<TableEntry?, Never>] = []
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())
  private let files = InMemoryFileIO()

  var kind: String { "later" }
  var nestsNamespaces: Bool { false }

  /// Waits until `loadTable` was called so often.
  func waitForCalls(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.calls.count >= count { return true }
        state.waiting.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Answers a call, counted from 0; each once.
  func answer(_ call: Int, _ entry: TableEntry?) {
    state.withLock { $0.calls[call] }.resume(returning: entry)
  }

  func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> TableEntry? {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        state.calls.append(continuation)
        let ready = state.waiting.filter { $0.count <= state.calls.count }
        state.waiting.removeAll { $0.count <= state.calls.count }
        return ready
      }
      for waiter in ready { waiter.continuation.resume() }
    }
  }

  func listNamespaces(under parent: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<NamespaceEntry> {
    CatalogPage(entries: [], next: nil)
  }

  func listTables(in namespace: Namespace, after token: String?) async throws(CatalogError) -> CatalogPage<TableEntry> {
    CatalogPage(entries: [], next: nil)
  }

  func loadNamespace(_ namespace: Namespace) async throws(CatalogError) -> NamespaceEntry? { nil }

  func fileIO(for identifier: TableIdentifier) -> any FileIO { files }
}
