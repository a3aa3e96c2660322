// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg

/// Writing only where there is nothing yet.
extension S3FileIO {
  /// Sends a write on the condition that there is no object; where the server does not keep it, after looking.
  ///
  /// - Parameter send: sends it with a condition or without; may be called twice.
  func ifAbsent(
    _ location: ObjectLocation, _ send: (S3WriteCondition?) async throws(AWSError) -> S3WriteResult
  ) async throws(AWSError) -> S3WriteResult {
    if conditions.areLookedUp {
      try await lookFirst(location)
      return try await send(nil)
    }
    do {
      return try await send(.absent)
    } catch let refusal where S3Conditions.isRefusal(refusal) {
      var refusal = refusal
      refusal.isDefinite = true
      try await lookFirst(location)
      let result: S3WriteResult
      do {
        result = try await send(nil)
      } catch  where S3Conditions.isRefusal(error) {
        // It was not the condition.
        throw refusal
      } catch {
        // It may have been taken without the condition, which whoever settles it must know.
        if !error.isDefinite { conditions.giveUp(Self.reason(refusal)) }
        throw error
      }
      conditions.giveUp(Self.reason(refusal))
      return result
    }
  }

  private static func reason(_ refusal: AWSError) -> String {
    "\(refusal.operation) with If-None-Match was answered by \(refusal.status) \(refusal.code)"
  }

  /// Throws `conditionFailed` if there is an object. Every error is definite: nothing was written.
  private func lookFirst(_ location: ObjectLocation) async throws(AWSError) {
    do {
      _ = try await client.headObject(bucket: target(location.bucket), key: location.key, headers: encryptionHeaders)
    } catch {
      if error.status == 404 { return }
      var definite = error
      definite.isDefinite = true
      throw definite
    }
    throw AWSError(
      kind: .conditionFailed, code: "PreconditionFailed", message: "There is an object of this name.", operation: "S3.HeadObject",
      status: 412)
  }
}

/// Finding out. Source: spec/s3fileio.md §11, conditional writes.
extension S3FileIO {
  package func probeConditionalWrites(in location: ObjectLocation) async -> ConditionalWrites {
    // Not to be left in the middle, with an object of no use in the bucket.
    let found = await Task { [self] in await probe(in: location) }.value
    switch found {
    case .ignored: conditions.giveUp("If-None-Match is ignored")
    case .refused: conditions.giveUp("If-None-Match is refused")
    case .kept, .unknown: break
    }
    return found
  }

  private func probe(in location: ObjectLocation) async -> ConditionalWrites {
    guard write.isDeleteEnabled else {
      return .unknown(FileIOError(code: .unsupported, message: "s3.delete-enabled=false: what is written to find out could not be deleted"))
    }
    let probe = location.appending(".bergfs-probe-\(RandomUUID.text())")
    let (bucket, key) = (target(probe.bucket), probe.key)
    if let reason = await refusesDeletion(bucket, key) {
      return .unknown(FileIOError(reason, listing: "deleting is not possible there", bucket: bucket))
    }
    var versions: [String?] = []
    let found = await writeTwice(bucket, key, &versions)
    for version in Set(versions) { await remove(bucket, key, version) }
    return found
  }

  /// Why objects may not be deleted there; nil if they may. Asked for by a condition that cannot hold, so that no delete marker comes of it.
  private func refusesDeletion(_ bucket: String, _ key: String) async -> AWSError? {
    do {
      try await client.deleteObject(bucket: bucket, key: key, ifMatch: "\"bergfs-probe\"")
      return nil
    } catch {
      if error.kind == .conditionFailed { return nil }
      guard S3Conditions.isRefusal(error) else { return error }
    }
    do {
      try await client.deleteObject(bucket: bucket, key: key, ifMatch: nil)
      return nil
    } catch {
      return error
    }
  }

  private func writeTwice(_ bucket: String, _ key: String, _ versions: inout [String?]) async -> ConditionalWrites {
    let headers = objectHeaders(WriteOptions())
    func unknown(_ error: AWSError) -> ConditionalWrites {
      .unknown(FileIOError(error, listing: "writing is not possible there", bucket: bucket))
    }
    func put(_ condition: S3WriteCondition?) async throws(AWSError) -> String? {
      try await client.putObject(
        bucket: bucket, key: key, body: [], condition: condition, isChecksummed: isChecksummed, headers: headers
      ).versionID
    }
    do throws(AWSError) {
      versions.append(try await put(.absent))
    } catch {
      // An answer that was lost may stand for an object.
      if !error.isDefinite { versions.append(nil) }
      guard S3Conditions.isRefusal(error) else { return unknown(error) }
      let refusal = error
      do throws(AWSError) {
        versions.append(try await put(nil))
        return .refused
      } catch {
        if !error.isDefinite { versions.append(nil) }
        return unknown(refusal)
      }
    }
    do throws(AWSError) {
      versions.append(try await put(.absent))
      return .ignored
    } catch {
      return error.kind == .conditionFailed ? .kept : unknown(error)
    }
  }

  private func remove(_ bucket: String, _ key: String, _ version: String?) async {
    do {
      let marker = try await client.deleteObject(bucket: bucket, key: key, ifMatch: nil, versionID: version)
      if version == nil, let marker { try await client.deleteObject(bucket: bucket, key: key, ifMatch: nil, versionID: marker) }
    } catch {
      // To remove versions takes another right than to hide them.
      if version != nil { await remove(bucket, key, nil) }
    }
  }
}
