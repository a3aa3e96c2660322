// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Logging
import TestSupport
import Testing
import WireFormats

/// Reachability beside PyIceberg, on catalogs that PyIceberg wrote.
@Suite("Reachability beside PyIceberg", .timeLimit(.minutes(10)))
struct ReachabilityConformanceTests {
  @Test("Of every object of a catalog, both say the same", arguments: ["glue", "dynamodb"])
  func everyObject(kind: String) async throws {
    let account = try await ReachAccount.shared()
    let reachability = try account.reachability(kind)
    let (reached, others) = (account.locations(kind, "reached"), account.locations(kind, "others"))
    #expect(reached.count > 60 && others.count > 25, "\(reached.count) and \(others.count)")
    for location in reached {
      let verdict = await reachability.judge(location, owner: account.owner)
      guard case .referenced(let sentence) = verdict else {
        Issue.record("\(location): \(verdict)")
        continue
      }
      #expect(sentence.hasPrefix("Table "))
    }
    for location in others {
      let verdict = await reachability.judge(location, owner: account.owner)
      guard case .unreferenced = verdict else {
        Issue.record("\(location): \(verdict)")
        continue
      }
    }
  }

  @Test("Tables that were renamed or registered elsewhere are named as the holders", arguments: ["glue", "dynamodb"])
  func holders(kind: String) async throws {
    let account = try await ReachAccount.shared()
    let reachability = try account.reachability(kind)
    var holders: Set<Substring> = []
    for location in account.locations(kind, "reached") where location.key.contains("customers") {
      if case .referenced(let sentence) = await reachability.judge(location, owner: account.owner) {
        holders.insert(sentence.dropFirst("Table ".count).prefix { $0 != ":" })
      }
    }
    #expect(holders == ["web.buyers"])
  }
}

/// A region of the emulator, seeded by PyIceberg once for all tests of the process.
private struct ReachAccount: Sendable {
  private static let region = "eu-west-3"
  private static let making = Task { try await ReachAccount() }

  static func shared() async throws -> ReachAccount { try await making.value }

  private let emulator: Emulator
  private let answer: JSONDocument
  let owner: TableIdentifier

  private init() async throws {
    emulator = try await Emulator.shared()
    answer = try JSONDocument(
      parsing: try await emulator.run("Tests/ConformanceTests/Support/reach.py", arguments: [Self.region]))
    owner = TableIdentifier(namespace: Namespace(["sales"]), name: "orders")
  }

  func reachability(_ kind: String) throws -> Reachability {
    var properties = emulator.properties.merging(["type": kind, "client.region": Self.region]) { $1 }
    if kind == "dynamodb" { properties["warehouse"] = "s3://reach-dynamodb/warehouse" }
    return Reachability(catalog: try EmulatedClients.catalog(properties), logger: Logger(label: "reach"))
  }

  func locations(_ kind: String, _ list: String) -> [ObjectLocation] {
    guard let elements = answer.root[kind]?[list]?.elements else { return [] }
    return elements.compactMap(\.string).map { text in
      let rest = text.dropFirst("s3://".count)
      let bucket = rest.prefix { $0 != "/" }
      // Whatever the key holds: it is no URI that were to be taken apart.
      return ObjectLocation(bucket: String(bucket), key: String(rest.dropFirst(bucket.count + 1)))
    }
  }
}
