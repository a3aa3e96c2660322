// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Iceberg

/// Reads what a change has left behind whose answer was lost.
struct ReadBack {
  /// Between attempts, each of which has the client's own retries: a service that comes back within some ten seconds saves its caller from
  /// an error that only a person can settle.
  private static let waits: [Duration] = [1, 2, 4].map { .seconds($0) }

  let clock: any AWSClock

  /// The first answer there is; throws the last attempt's error.
  func callAsFunction<Value>(_ read: () async throws(CatalogError) -> Value) async throws(CatalogError) -> Value {
    for wait in Self.waits {
      do throws(CatalogError) {
        return try await read()
      } catch {
        try? await clock.sleep(for: wait * (1 + clock.random() / 10))
      }
    }
    return try await read()
  }
}

/// What became of a removal.
enum Removal: Sendable {
  case done
  /// There was nothing to remove, and this removal was not the reason.
  case wasAbsent
  /// Nothing was removed, and nothing will be.
  case refused(CatalogError)
  /// It may have been made, or may still be.
  case open(CatalogError)
}

extension CatalogError {
  /// A change of which nobody can say whether it was made.
  ///
  /// - Parameters:
  ///   - problem: what was tried.
  ///   - advice: what to look at, as a sentence's second half.
  static func open(_ problem: String, _ error: AWSError, _ advice: String) -> CatalogError {
    CatalogError(
      code: .unknown, message: "\(problem) has an unknown outcome (\(error.operation): \(error.code)): \(advice)",
      requestID: error.requestID)
  }
}
