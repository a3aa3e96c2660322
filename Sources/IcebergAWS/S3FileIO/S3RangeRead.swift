// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Iceberg

/// One read of a byte range: asks, checks, and after a broken body asks again for the bytes that are missing, of the same version.
struct S3RangeRead {
  let files: S3FileIO
  let location: ObjectLocation
  let range: Range<Int64>
  let sink: any RangeSink

  /// A request may take this long, and longer for large ranges: a line of 64 KiB/s shall not run into it.
  private static let baseDeadline = Duration.seconds(60)
  private static let slowestBytesPerSecond: Int64 = 64 * 1024

  /// Returns the bytes delivered: fewer than asked only if the object ends, or the sink wants no more.
  func run(etag: String?) async throws(FileIOError) -> Int64 {
    var delivered: Int64 = 0
    var retries = 0
    // Once bytes of a version were delivered, the rest must come from it too.
    var version = etag
    while true {
      let missing = (range.lowerBound + delivered)..<range.upperBound
      let adapter = S3RangeSink(range: missing, etag: version, sink: sink)
      let outcome = await attempt(missing, etag: version, adapter)
      delivered += adapter.delivered
      if adapter.delivered > 0, version == nil, let seen = adapter.etag, !seen.isEmpty { version = seen }
      switch adapter.stop {
      case .complete, .refused: return delivered
      case .otherVersion: throw FileIOError(changed: location, requestID: outcome.requestID)
      case .malformed(let problem):
        throw FileIOError(code: .failed, message: "\(location): \(problem).", requestID: outcome.requestID)
      case .damaged(let header):
        // What was handed on cannot be taken back.
        guard adapter.delivered == 0, retries < S3FileIO.streamRetries else {
          throw FileIOError(
            code: .failed, message: "\(location): the bytes that came do not match the object's \(header).", requestID: outcome.requestID)
        }
        retries += 1
        continue
      case nil: break
      }
      if let error = outcome.error {
        if error.status == 416 { return delivered }
        guard error.isRetryable, adapter.hasBegun, retries < S3FileIO.streamRetries else {
          throw FileIOError(error, reading: location, etag: version)
        }
      } else if adapter.isComplete, !adapter.hasMore {
        return delivered
      } else if retries >= S3FileIO.streamRetries {
        throw FileIOError(
          code: .failed, message: "\(location): the body ended after \(delivered) of \(range.count) bytes, \(retries + 1) times.",
          requestID: outcome.requestID)
      }
      retries += 1
    }
  }

  private func attempt(
    _ missing: Range<Int64>, etag: String?, _ adapter: S3RangeSink
  ) async -> (error: AWSError?, requestID: String?) {
    do {
      let head = try await files.client.getObject(
        bucket: files.target(location.bucket), key: location.key, range: missing, ifMatch: etag, headers: files.encryptionHeaders,
        deadline: Self.baseDeadline + .seconds(Int64(missing.count) / Self.slowestBytesPerSecond), sink: adapter)
      return (nil, head.requestID)
    } catch {
      return (error, error.requestID)
    }
  }
}
