// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// What writers tried and were told, beside what the table's history holds: the answer of `check_history.py`.
struct RaceTotals: Sendable, CustomStringConvertible {
  private(set) var attempted: Int64
  private(set) var accepted: Int64
  private(set) var refused: Int64
  /// Outcomes that the mount called unknown.
  private(set) var unknown: Int64
  /// Attempts that did not find the table.
  private(set) var gone: Int64
  /// Accepted ones that are in the history.
  private(set) var found: Int64
  /// Accepted ones that are not.
  private(set) var lost: Int64
  /// Metadata files that no version names, by whose they are: of foreign writers that leave them behind, or of unknown outcomes.
  private(set) var orphans: [String: Int64]
  /// How often each reason was given to those who were not accepted.
  private(set) var reasons: [String: Int64]
  /// The names under which the catalog has the table.
  let names: [String]
  /// Everything that a history must not hold; empty if all is well.
  private(set) var problems: [String]

  init(_ answer: JSONNode) throws {
    attempted = try answer.integer("attempted")
    accepted = try answer.integer("accepted")
    refused = try answer.integer("refused")
    unknown = try answer.integer("unknown")
    gone = try answer.integer("gone")
    found = answer["found"]?.int64 ?? 0
    lost = answer["lost"]?.int64 ?? 0
    orphans = Self.numbers(answer["orphans"])
    reasons = Self.numbers(answer["errnos"])
    names = answer["names"]?.elements.compactMap(\.string) ?? []
    problems = answer["problems"]?.elements.compactMap(\.string) ?? []
  }

  static func += (totals: inout RaceTotals, other: RaceTotals) {
    totals.attempted += other.attempted
    totals.accepted += other.accepted
    totals.refused += other.refused
    totals.unknown += other.unknown
    totals.gone += other.gone
    totals.found += other.found
    totals.lost += other.lost
    totals.orphans.merge(other.orphans, uniquingKeysWith: +)
    totals.reasons.merge(other.reasons, uniquingKeysWith: +)
    totals.problems += other.problems
  }

  var description: String {
    let told = "\(attempted) attempted, \(accepted) accepted, \(refused) refused, \(unknown) unknown, \(gone) without table"
    return "\(told), \(found) found, \(lost) lost; reasons \(Self.text(reasons)), files left \(Self.text(orphans))"
  }

  private static func numbers(_ node: JSONNode?) -> [String: Int64] {
    node?.members.reduce(into: [:]) { $0[$1.key] = $1.value.int64 } ?? [:]
  }

  private static func text(_ numbers: [String: Int64]) -> String {
    numbers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }
}
