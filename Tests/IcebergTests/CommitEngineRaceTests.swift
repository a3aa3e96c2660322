// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Synchronization
import TestSupport
import Testing
import WireFormats

/// Many engines, as many processes are, on one table.
@Suite struct CommitEngineRaceTests {
  /// What a writer does and learns.
  private struct Writer {
    let lake: CommitLake
    let engine: CommitEngine
    var source: SeededGenerator
    /// Locations of files that became the table's.
    var accepted: [String] = []
    var attempts = 0

    mutating func random(_ bound: UInt64) -> UInt64 {
      source.next() % bound
    }

    /// Derives from what it sees and commits, in either form, until so many commits are done. What is unknown is asked for again with the
    /// same file; only the full form has one.
    mutating func run(_ commits: Int) async throws {
      while accepted.count < commits {
        let entry = try #require(try await lake.catalog.loadTable(CommitLake.table))
        let base = JSONValue(
          try JSONDocument(parsing: try await ObjectBytes.read(try lake.files.location(entry.metadataLocation), lake.files)).root)
        attempts += 1
        let isKnown = random(2) == 0
        if random(2) == 0 {
          var edited = base
          edited.set("properties.owner", .string("\(source.next())"))
          if case .success(let done) = await engine.edited(edited.serialized(), known: isKnown ? entry : nil) {
            accepted.append(done.entry.metadataLocation)
          }
          continue
        }
        let number = (MetadataFileName(entry.metadataLocation)?.number ?? 0) + 1
        let digits = String(number)
        let name = "\(String(repeating: "0", count: 5 - digits.count) + digits)-\(RandomUUID.text()).metadata.json"
        let place = ObjectLocation(bucket: "lake", key: "t/metadata/\(name)")
        let bytes = Self.successor(base, of: entry.metadataLocation, owner: "\(source.next())")
        while true {
          let result = await engine.full(bytes, at: place, known: isKnown ? entry : nil)
          if case .success = result { accepted.append("\(place)") }
          guard result.word == "unknown" else { break }
        }
      }
    }

    static func successor(_ base: JSONValue, of location: String, owner: String) -> [UInt8] {
      guard case .object(let members) = base, case .array(let log) = members["metadata-log"] ?? [],
        let time = members["last-updated-ms"]
      else { return [] }
      var next = base
      next.set("metadata-log", .array(log + [["timestamp-ms": time, "metadata-file": .string(location)]]))
      next.set("properties.owner", .string(owner))
      return next.serialized()
    }
  }

  /// The table's history: each file's last log entry is the file it was made from.
  private func chain(_ lake: CommitLake) async throws -> [String] {
    var chain = [try #require(try await lake.entry).metadataLocation]
    while chain[chain.count - 1] != CommitDocument.baseLocation {
      let location = chain[chain.count - 1]
      let head = try TableMetadataHead(
        parsing: try await ObjectBytes.read(try lake.files.location(location), lake.files), fileName: location)
      chain.append(try #require(head.metadataLog.last).file)
    }
    return chain
  }

  private func race(writers: Int, commits: Int, lossy: Bool, seed: UInt64) async throws -> (
    attempts: Int, accepted: [String], lake: CommitLake
  ) {
    var base = CommitDocument.base()
    base.set("properties", ["write.metadata.previous-versions-max": "10000"])
    let lake = try CommitLake(base: base)
    if lossy {
      let count = Mutex(seed)
      lake.lossy.answer {
        // Of seven answers one is lost after the write, one before.
        let turn = count.withLock { count in
          count &+= 1
          return count % 7
        }
        return turn == 0 ? .lostAfter : turn == 3 ? .lostBefore : nil
      }
    }
    let (attempts, accepted) = try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
      for index in 0..<writers {
        group.addTask {
          var writer = Writer(lake: lake, engine: lake.engine(), source: SeededGenerator(seed: seed &* 1000 &+ UInt64(index)))
          try await writer.run(commits)
          return (writer.attempts, writer.accepted)
        }
      }
      return try await group.reduce(into: (0, [String]())) { sum, part in
        sum.0 += part.0
        sum.1 += part.1
      }
    }
    return (attempts, accepted, lake)
  }

  @Test("Of many engines on one table each accepted commit is found in one unbroken chain, and nothing else", arguments: 1...5)
  func race(seed: Int) async throws {
    let (attempts, accepted, lake) = try await race(writers: 8, commits: 6, lossy: false, seed: UInt64(seed))
    let chain = try await chain(lake)
    #expect(accepted.count == 48 && attempts >= 48)
    #expect(Set(accepted).count == accepted.count)
    #expect(Set(chain.dropLast()) == Set(accepted) && chain.count == 49)
    // The losers' files are gone.
    let files = try await lake.keys().filter { $0.hasPrefix("t/metadata/0") && !$0.contains("00000-") }
    #expect(Set(files.map { "s3://lake/\($0)" }) == Set(chain))
  }

  @Test("With answers lost at random no commit is done twice, and none that was reported is missing", arguments: 1...5)
  func lossyRace(seed: Int) async throws {
    let (_, accepted, lake) = try await race(writers: 6, commits: 6, lossy: true, seed: UInt64(seed))
    let chain = try await chain(lake)
    #expect(accepted.count == 36 && Set(accepted).count == accepted.count)
    // Edited ones of unknown outcome may be in the chain besides; nothing twice.
    #expect(Set(chain).count == chain.count)
    #expect(Set(accepted).isSubset(of: Set(chain)))
    // Every file of the chain is there.
    let files = Set(try await lake.keys().map { "s3://lake/\($0)" })
    #expect(Set(chain).isSubset(of: files))
  }
}
