// SPDX-License-Identifier: Apache-2.0

import Fuzzing
import TestSupport
import Testing
import WireFormats

@testable import Iceberg

/// Documents changed at random: every one is accepted or refused, none traps.
@Suite struct CommitFuzzTests {
  private static let values: [JSONValue] = [
    nil, true, 0, -1, 1, 2, 3, 1000, 9_223_372_036_854_775_807, .integer(.min), 2_147_483_647, -2_147_483_648, 1_800_000_100_000,
    .number("1e400"), .number("5e+18"), .number("1.5"), .number("99999999999999999999"), "", "main", "struct", "bucket[0]", "decimal(",
    "fixed[9999999999]",
    "s3://", "\u{0}", [], [:], [[:]], ["fields": []], [1, 2],
  ]

  /// A copy with the value at a random place replaced, or gone.
  private func mutated(_ value: JSONValue, _ random: inout SeededGenerator) -> JSONValue {
    switch value {
    case .object(var object) where !object.members.isEmpty && Int.random(in: 0..<6, using: &random) > 0:
      let index = Int.random(in: object.members.indices, using: &random)
      if Int.random(in: 0..<8, using: &random) == 0 {
        object.members.remove(at: index)
      } else {
        object.members[index].value = mutated(object.members[index].value, &random)
      }
      return .object(object)
    case .array(var elements) where !elements.isEmpty && Int.random(in: 0..<6, using: &random) > 0:
      let index = Int.random(in: elements.indices, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: elements.remove(at: index)
      case 1: elements.append(elements[index])
      default: elements[index] = mutated(elements[index], &random)
      }
      return .array(elements)
    default: return Self.values.randomElement(using: &random) ?? .null
    }
  }

  @Test("Ten thousand mutated documents are accepted or refused with a sentence")
  func documents() async throws {
    var random = SeededGenerator(seed: 4)
    var outcomes: [String: Int] = [:]
    let bases = try (1...3).map { version in
      SuccessorCheck.Base(
        location: CommitDocument.baseLocation,
        metadata: try TableMetadata(
          parsing: CommitDocument.base(Int64(version)).serialized(), fileName: CommitDocument.baseLocation))
    }
    for round in 0..<10_000 {
      // Two threads serve all tests: those beside this one shall not wait for its end.
      await Task.yield()
      let version = Int64(round % 3 + 1)
      var document = round % 2 == 0 ? CommitDocument.appended(version) : CommitDocument.base(version)
      for _ in 0..<Int.random(in: 1...2, using: &random) { document = mutated(document, &random) }
      let base = bases[round % 3]
      do throws(SuccessorRefusal) {
        if round % 2 == 0 {
          let next = try SuccessorCheck.read(document.serialized(), location: CommitDocument.nextLocation, base: base)
          _ = try SuccessorCheck(base: base, next: next, location: CommitDocument.nextLocation, nowMs: CommitDocument.nowMs).check()
        } else {
          let form = try EditedForm(document.serialized(), current: base)
          if case .commit(let made) = try form.successor(nowMs: 5, uuid: "11111111-2222-4333-8444-555555555555") {
            _ = try SuccessorCheck(base: base, next: made.metadata, location: made.location, nowMs: .min).check()
          }
        }
        outcomes["accepted", default: 0] += 1
      } catch {
        #expect(!error.expected.isEmpty && !error.found.isEmpty)
        outcomes[error.row.rawValue, default: 0] += 1
      }
    }
    #expect(outcomes.count > 15, "\(outcomes)")
    #expect((outcomes["accepted"] ?? 0) > 100, "\(outcomes)")
  }

  @Test("Mutated bytes of a document and of a manifest list are read or refused")
  func bytes() async throws {
    var random = SeededGenerator(seed: 5)
    let list = AvroWriter.manifestList(
      snapshotID: 5, sequenceNumber: 3, entries: [("s3://lake/m.avro", 100, 3, 5), ("s3://lake/n.avro", 1, 1, 4)])
    let history = try CommitHistory("history_v2")
    let packed = try Fixture.bytes("history_v2/\(Self.listName(history))")
    let text = CommitDocument.next(3).serialized()
    for round in 0..<6_000 {
      // Two threads serve all tests: those beside this one shall not wait for its end.
      await Task.yield()
      var bytes = [text, list, packed][round % 3]
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: index)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        case 2 where index > 0: bytes.removeLast(bytes.count - index)
        default: bytes[index] = UInt8.random(in: 0...255, using: &random)
        }
      }
      if round % 3 == 0 {
        _ = try? TableMetadata(parsing: bytes, fileName: CommitDocument.nextLocation)
      } else if let list = try? ManifestList(parsing: bytes) {
        _ = list.snapshotID
        _ = try? list.manifests()
      }
    }
    #expect(try ManifestList(parsing: list).manifests().map(\.length) == [100, 1])
    #expect(try ManifestList(parsing: packed).manifests().isEmpty == false)
  }

  private static func listName(_ history: CommitHistory) throws -> String {
    let last = try history.base(history.metadata.count - 1).metadata.snapshots.last?.manifestList ?? ""
    return String(last.split(separator: "/").last ?? "")
  }
}
