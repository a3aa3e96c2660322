// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
package import Iceberg
import Logging

/// Deleting, and looking for what uploads left. Source: spec/s3fileio.md §7.
extension S3FileIO {
  package func delete(_ location: ObjectLocation, etag: String?) async throws(FileIOError) {
    try Self.checkKey(location)
    if !write.deleteTags.isEmpty { await addDeleteTags(location) }
    guard write.isDeleteEnabled else { return }
    try await deleteUntagged(location, etag: etag)
  }

  package func deleteAll(_ locations: [ObjectLocation]) async -> [FileIOError?] {
    var errors = [FileIOError?](repeating: nil, count: locations.count)
    var sound: [Int] = []
    for (index, location) in locations.enumerated() {
      do throws(FileIOError) {
        try Self.checkKey(location)
        sound.append(index)
      } catch {
        errors[index] = error
      }
    }
    if !write.deleteTags.isEmpty {
      await inParallel(sound) { index in await self.addDeleteTags(locations[index]) }
    }
    guard write.isDeleteEnabled else { return errors }
    for failure in await inParallel(batches(of: locations, sound), { batch in await self.delete(batch, of: locations) }).flatMap({ $0 }) {
      errors[failure.index] = failure.error
    }
    return errors
  }

  package func deleteOwn(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> Bool {
    guard let object = try await ownObject(at: location, mark: mark), !object.etag.isEmpty else { return false }
    do {
      try await delete(location, etag: object.etag)
      return true
    } catch {
      // Replaced since: by another one.
      guard error.code != .changed else { return false }
      throw error
    }
  }

  package func ownObject(at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) -> ObjectAttributes? {
    try Self.checkKey(location)
    let head: S3ObjectHead
    do {
      head = try await client.headObject(bucket: target(location.bucket), key: location.key, headers: encryptionHeaders)
    } catch {
      guard error.status != 404 else { return nil }
      throw FileIOError(error, reading: location, etag: nil)
    }
    guard head.metadata[WriteMark.metadataName] == mark.text else { return nil }
    return ObjectAttributes(location: location, size: head.contentLength ?? 0, etag: head.etag, modified: head.lastModified)
  }

  package func pendingUploads(at location: ObjectLocation) async throws(FileIOError) -> [PendingUpload] {
    try Self.checkKey(location)
    do {
      let uploads = try await client.listMultipartUploads(bucket: target(location.bucket), key: location.key)
      return uploads.map { PendingUpload(id: $0.id, initiated: $0.initiated) }
    } catch {
      throw FileIOError(error, listing: "\(location)", bucket: location.bucket)
    }
  }

  package func abandon(upload id: String, at location: ObjectLocation) async throws(FileIOError) {
    try Self.checkKey(location)
    do {
      try await client.abortMultipartUpload(S3MultipartUpload(bucket: target(location.bucket), key: location.key, id: id))
    } catch {
      throw FileIOError(error, listing: "\(location)", bucket: location.bucket)
    }
  }

  // MARK: many at once

  private struct Batch: Sendable {
    let bucket: String
    /// Places in the caller's list by key; a key may be named twice. Grouped by bytes: two Unicode forms of one name are two objects.
    var keys: [[UInt8]: [Int]] = [:]
  }

  private typealias Failure = (index: Int, error: FileIOError)

  private func batches(of locations: [ObjectLocation], _ indices: [Int]) -> [Batch] {
    var byBucket: [String: Batch] = [:]
    for index in indices {
      let location = locations[index]
      byBucket[location.bucket, default: Batch(bucket: location.bucket)].keys[Array(location.key.utf8), default: []].append(index)
    }
    var full: [Batch] = []
    for whole in byBucket.values {
      var batch = Batch(bucket: whole.bucket)
      for (key, places) in whole.keys.sorted(by: { ($0.value.first ?? 0) < ($1.value.first ?? 0) }) {
        // What XML cannot hold goes alone, as a request of another kind.
        guard S3Client.isKeyForXML(String(decoding: key, as: UTF8.self)) else {
          full.append(Batch(bucket: whole.bucket, keys: [key: places]))
          continue
        }
        batch.keys[key] = places
        guard batch.keys.count == write.deleteBatchSize else { continue }
        full.append(batch)
        batch.keys = [:]
      }
      if !batch.keys.isEmpty { full.append(batch) }
    }
    return full
  }

  private func delete(_ batch: Batch, of locations: [ObjectLocation]) async -> [Failure] {
    let keys = batch.keys.keys.map { String(decoding: $0, as: UTF8.self) }
    guard keys.count > 1 else { return await deleteSingly(batch, of: locations) }
    do {
      let refused = try await client.deleteObjects(bucket: target(batch.bucket), keys: keys)
      return refused.flatMap { key, error in
        (batch.keys[Array(key.utf8)] ?? []).map { index in
          (index, FileIOError(error, listing: "\(locations[index])", bucket: batch.bucket))
        }
      }
    } catch {
      // Some servers have no DeleteObjects.
      if error.status == 501 || error.status == 405 { return await deleteSingly(batch, of: locations) }
      return batch.keys.values.joined().map { index in
        (index, FileIOError(error, listing: "\(locations[index])", bucket: batch.bucket))
      }
    }
  }

  private func deleteSingly(_ batch: Batch, of locations: [ObjectLocation]) async -> [Failure] {
    var failures: [Failure] = []
    for indices in batch.keys.values {
      guard let first = indices.first else { continue }
      do throws(FileIOError) {
        try await deleteUntagged(locations[first], etag: nil)
      } catch {
        failures += indices.map { ($0, error) }
      }
    }
    return failures
  }

  private func deleteUntagged(_ location: ObjectLocation, etag: String?) async throws(FileIOError) {
    do {
      try await client.deleteObject(bucket: target(location.bucket), key: location.key, ifMatch: etag)
    } catch {
      guard error.kind != .conditionFailed else { throw FileIOError(changed: location, requestID: error.requestID) }
      throw FileIOError(error, listing: "\(location)", bucket: location.bucket)
    }
  }

  /// Best effort, as in Iceberg: what cannot be tagged is deleted all the same.
  private func addDeleteTags(_ location: ObjectLocation) async {
    let bucket = target(location.bucket)
    do {
      let present = try await client.getObjectTagging(bucket: bucket, key: location.key)
      let tags = present.filter { write.deleteTags[$0.key] == nil } + write.deleteTags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      try await client.putObjectTagging(bucket: bucket, key: location.key, tags: tags)
    } catch {
      conditions.logger.warning(
        "an object could not be tagged before it is deleted", metadata: ["object": "\(location)", "reason": "\(error)"])
    }
  }

  @discardableResult
  private func inParallel<Item: Sendable, Value: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) async -> Value
  ) async -> [Value] {
    await withTaskGroup(of: Value.self) { group in
      var values: [Value] = []
      for (number, item) in items.enumerated() {
        if number >= write.deletesInFlight, let value = await group.next() { values.append(value) }
        group.addTask { await body(item) }
      }
      for await value in group { values.append(value) }
      return values
    }
  }
}
