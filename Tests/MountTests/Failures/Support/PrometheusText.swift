// SPDX-License-Identifier: Apache-2.0

/// Metrics in Prometheus' text format 0.0.4, read strictly.
struct PrometheusText {
  struct Flaw: Error, CustomStringConvertible {
    var description: String
  }

  /// Family → type.
  private(set) var types: [String: String] = [:]
  /// `name{labels}` → value, without the labels that every series has.
  private(set) var samples: [String: Double] = [:]
  private var helped: Set<String> = []

  init(_ text: String) throws {
    guard text.isEmpty || text.hasSuffix("\n") else { throw Flaw(description: "the last line has no end") }
    for line in text.split(separator: "\n") {
      if line.hasPrefix("#") {
        try take(comment: line)
      } else {
        try take(sample: line)
      }
    }
    for (family, type) in types where type == "histogram" { try checkHistogram(family) }
  }

  private mutating func take(comment line: Substring) throws {
    let words = line.split(separator: " ", maxSplits: 3)
    guard words.count == 4, Self.isName(words[2]) else { throw Flaw(description: "not a comment: \(line)") }
    let family = String(words[2])
    switch words[1] {
    case "HELP": guard helped.insert(family).inserted else { throw Flaw(description: "a second HELP: \(line)") }
    case "TYPE":
      guard ["counter", "gauge", "histogram", "summary", "untyped"].contains(words[3]), types[family] == nil else {
        throw Flaw(description: "a wrong or second TYPE: \(line)")
      }
      types[family] = String(words[3])
    default: throw Flaw(description: "neither HELP nor TYPE: \(line)")
    }
  }

  private mutating func take(sample line: Substring) throws {
    guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
      throw Flaw(description: "no value: \(line)")
    }
    let series = line[..<space]
    let name = series.prefix { $0 != "{" }
    guard Self.isName(name) else { throw Flaw(description: "not a name: \(line)") }
    let labels = series[name.endIndex...]
    guard labels.isEmpty || labels.wholeMatch(of: /\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\}/) != nil else {
      throw Flaw(description: "not labels: \(line)")
    }
    let bases = [String(name)] + ["_bucket", "_sum", "_count"].filter { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
    guard let family = bases.first(where: { types[$0] != nil }), helped.contains(family) else {
      throw Flaw(description: "a sample without HELP and TYPE before it: \(line)")
    }
    // All series of a mount name it.
    let constant = /catalog="(?:[^"\\\n]|\\["\\n])*",mountpoint="(?:[^"\\\n]|\\["\\n])*",?/
    guard labels.firstMatch(of: constant) != nil else { throw Flaw(description: "no catalog or mountpoint: \(line)") }
    let own = series.replacing(constant, with: "", maxReplacements: 1).replacing("{}", with: "")
    guard samples.updateValue(value, forKey: String(own)) == nil else { throw Flaw(description: "a second sample of \(series)") }
  }

  /// Buckets grow, and the last one, `+Inf`, is the count.
  private func checkHistogram(_ family: String) throws {
    for (series, count) in samples where series == "\(family)_count" || series.hasPrefix("\(family)_count{") {
      let labels = series.dropFirst("\(family)_count".count).dropFirst().dropLast()
      let infinite = samples.first { key, _ in
        key.hasPrefix("\(family)_bucket{") && key.contains("le=\"+Inf\"") && labels.split(separator: ",").allSatisfy(key.contains)
      }
      guard infinite?.value == count else { throw Flaw(description: "the bucket +Inf of \(series) is not \(count)") }
    }
  }

  private static func isName(_ text: Substring) -> Bool {
    text.wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/) != nil
  }
}
