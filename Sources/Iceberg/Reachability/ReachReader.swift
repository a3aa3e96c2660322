// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WireFormats

/// Reads metadata files, manifest lists and manifests, each once for as long as the cache keeps what it says.
struct ReachReader: Sendable {
  enum Kind: Sendable {
    case metadata, manifestList, manifest
  }

  struct Request: Sendable {
    var location: String
    var kind: Kind
    var files: any FileIO
    /// Bytes that the file has at least, if known: one that was cut short at the end of a block would look whole.
    var length: Int64?
  }

  enum Outcome: Sendable {
    case facts(ReachFacts)
    /// Not this time; why, as a clause.
    case failed(String)
  }

  private enum Fetched: Sendable {
    case bytes([UInt8])
    case missing
    case invalid(String)
    case failed(String)
  }

  /// Files on their way at once. Each is at most ``largestFile``, 8 MiB as Iceberg's writers make manifests.
  private static let readsInFlight = 8
  /// Bytes. A manifest of 2,000,000 entries; a larger one is not read.
  private static let largestFile: Int64 = 512 << 20

  let cache: ReachCache

  /// Calls the body for each file, the cached ones first, the others as they arrive; ends early when the body returns false.
  ///
  /// Files are taken apart one after the other: that leaves threads of the pool to others.
  func read(_ requests: [Request], _ body: (Int, Outcome) -> Bool) async {
    var waiting: [Int] = []
    for (index, request) in requests.enumerated() {
      guard let facts = cache.facts(request.location) else {
        waiting.append(index)
        continue
      }
      guard body(index, .facts(facts)) else { return }
    }
    await withTaskGroup(of: (Int, Fetched).self) { group in
      var next = waiting.makeIterator()
      func startNext() {
        guard let index = next.next() else { return }
        let request = requests[index]
        group.addTask { (index, await Self.fetch(request.location, request.files)) }
      }
      for _ in 0..<Self.readsInFlight { startNext() }
      while let (index, fetched) = await group.next() {
        startNext()
        guard body(index, outcome(of: fetched, requests[index])) else {
          group.cancelAll()
          return
        }
        await Task.yield()
      }
    }
  }

  private func outcome(of fetched: Fetched, _ request: Request) -> Outcome {
    let facts: ReachFacts
    switch fetched {
    case .failed(let reason): return .failed(reason)
    case .missing: facts = .missing
    case .invalid(let reason): facts = .unreadable(reason)
    case .bytes(let bytes): facts = Self.parse(bytes, request)
    }
    cache.keep(facts, of: request.location)
    return .facts(facts)
  }

  private static func parse(_ bytes: [UInt8], _ request: Request) -> ReachFacts {
    if let length = request.length, Int64(bytes.count) < length {
      return .unreadable("it has \(bytes.count) bytes and should have \(length)")
    }
    do {
      switch request.kind {
      case .metadata: return .metadata(try MetadataReach(parsing: bytes, location: request.location))
      case .manifestList:
        return .manifestList(
          try ManifestList(parsing: bytes).manifests().map {
            ReachFacts.Manifest(path: $0.path, length: $0.length, isEncrypted: $0.isEncrypted)
          })
      case .manifest: return .manifest(try liveFiles(in: bytes))
      }
    } catch let error as MetadataReach.Unreadable {
      return .unreadable(error.reason)
    } catch {
      return .unreadable("\(error)")
    }
  }

  /// The files that a manifest holds as live: data files, delete files, the Puffin files of deletion vectors.
  private static func liveFiles(in bytes: [UInt8]) throws(AvroError) -> DigestSet {
    var digests: [PathDigest] = []
    try ManifestReader(parsing: bytes).forEachEntry { entry throws(AvroError) in
      if entry.status == .deleted { return }
      guard let path = String(validating: entry.filePath, as: UTF8.self) else {
        throw AvroError(code: .corrupt, message: "an entry's file_path is not UTF-8")
      }
      let objects = PathDigest.all(path)
      guard !objects.isEmpty else {
        throw AvroError(code: .corrupt, message: "an entry's file_path is no location: \(path.prefix(200))")
      }
      digests += objects
    }
    return DigestSet(digests)
  }

  private static func fetch(_ text: String, _ files: any FileIO) async -> Fetched {
    let sink = WholeFileSink()
    do {
      let location = try files.location(text)
      _ = try await files.read(location, etag: nil, range: 0..<largestFile + 1, into: sink)
    } catch {
      switch error.code {
      case .notFound: return .missing
      case .invalid: return .invalid(error.message)
      case .changed, .exists, .denied, .timedOut, .tooLarge, .unknown, .failed, .unsupported, .cancelled: return .failed(error.message)
      }
    }
    let bytes = sink.take()
    return bytes.count > largestFile ? .invalid("it has more than \(largestFile) bytes") : .bytes(bytes)
  }
}

/// Keeps all bytes of a read.
private final class WholeFileSink: RangeSink {
  private let collected = Mutex<[UInt8]>([])

  /// The bytes, which are then no longer kept here.
  func take() -> [UInt8] {
    collected.withLock { bytes in
      defer { bytes = [] }
      return bytes
    }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    collected.withLock { $0.append(contentsOf: bytes) }
    return true
  }
}
