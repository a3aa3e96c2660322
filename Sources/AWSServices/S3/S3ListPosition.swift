// SPDX-License-Identifier: Apache-2.0

/// Where a page of ListObjectsV2 begins.
package enum S3ListPosition: Sendable, Hashable {
  case start
  /// The token of the page before.
  case continuationToken(String)
  /// After this key; `start-after`.
  case startAfter(String)
}
