// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import WireFormats

/// Changes inputs at random and has them read. The same seed and corpus give the same inputs.
package struct Fuzzer {
  /// An input that was not read as it must be.
  package struct Finding: Error, CustomStringConvertible {
    package var input: [UInt8]
    package var problem: String

    package var description: String { "\(problem) (\(input.count) bytes)" }
  }

  /// Inputs are kept to so many bytes.
  private static let longest = 64 << 10

  private let target: FuzzTarget
  private let corpus: [[UInt8]]
  private var random: SeededGenerator

  /// - Parameter corpus: what is changed, besides what is made here.
  package init(_ target: FuzzTarget, corpus: [[UInt8]], seed: UInt64) {
    self.target = target
    self.corpus = corpus.filter { !$0.isEmpty } + Self.made(for: target)
    random = SeededGenerator(seed: seed)
  }

  /// Reads inputs until the clock is at the deadline.
  ///
  /// - Parameter before: gets each input before it is read.
  /// - Returns: how many were read.
  package mutating func run(
    until deadline: ContinuousClock.Instant, before: ([UInt8]) -> Void = { _ in }
  ) throws(Finding) -> Int {
    for input in corpus { try read(input, before) }
    var count = corpus.count
    while ContinuousClock.now < deadline {
      for _ in 0..<20 { try read(next(), before) }
      count += 20
    }
    return count
  }

  private func read(_ input: [UInt8], _ before: ([UInt8]) -> Void) throws(Finding) {
    before(input)
    let start = ContinuousClock.now
    if let problem = target.problem(with: input) { throw Finding(input: input, problem: problem) }
    let time = start.duration(to: .now)
    // Far above what the largest input takes on a busy machine.
    guard time < .seconds(20) else { throw Finding(input: input, problem: "reading took \(time)") }
  }

  // MARK: Inputs

  /// Manifests and lists of every version with all their fields, and a table's metadata.
  private static func made(for target: FuzzTarget) -> [[UInt8]] {
    switch target {
    case .metadata, .json: [FuzzTable.document]
    case .avro, .manifests: (1...3).flatMap { [manifest($0), manifestList($0)] }
    }
  }

  private static func manifest(_ version: Int) -> [UInt8] {
    var entries: [TestManifest.Entry] = []
    for index in 0..<6 {
      var entry = TestManifest.Entry("s3://lake/t/data/day=\(index)/\u{e9}\(index).parquet")
      entry.status = Int64(index % 3)
      entry.snapshotID = index % 2 == 0 ? nil : 9
      entry.sequenceNumber = entry.snapshotID
      entry.day = Int64(index) * 9_999
      entry.content = Int64(index % 3)
      entry.valueCounts = [(1, 5), (2, 9)]
      entry.lowerBounds = (1...16).map { ($0, Array(repeating: UInt8(index * 40), count: [1, 4, 8, 16][$0 % 4])) }
      (entry.referencedDataFile, entry.contentOffset, entry.contentSize) = ("s3://lake/t/data/a", 4, 40)
      entries.append(entry)
    }
    var manifest = TestManifest(version: version, entries)
    manifest.isPartitioned = true
    manifest.blockSize = 4
    return manifest.bytes
  }

  private static func manifestList(_ version: Int) -> [UInt8] {
    var first = TestManifestList.Entry("s3://lake/t/metadata/m.avro", length: 5_000, addedBy: 9)
    first.firstRowID = 7
    var second = first
    (second.isDeletes, second.isEncrypted, second.specID) = (true, true, 1)
    return TestManifestList(version: version, snapshotID: 9, [first, second]).bytes
  }

  private mutating func next() -> [UInt8] {
    var input = corpus.randomElement(using: &random) ?? [0]
    for _ in 0..<Int.random(in: 1...6, using: &random) { change(&input) }
    if input.count > Self.longest { input.removeLast(input.count - Self.longest) }
    return input
  }

  private mutating func change(_ input: inout [UInt8]) {
    guard let place = input.indices.randomElement(using: &random) else {
      input = [UInt8.random(in: 0...255, using: &random)]
      return
    }
    let end = min(input.count, place + Int.random(in: 1...32, using: &random))
    switch Int.random(in: 0..<9, using: &random) {
    case 0: input[place] = .random(in: 0...255, using: &random)
    case 1: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: input.removeSubrange(place..<end)
    case 3: input.insert(contentsOf: input[place..<end], at: place)
    case 4: input.removeLast(input.count - place)
    case 5: input.insert(contentsOf: AvroBytes.long(Self.numbers.randomElement(using: &random) ?? 0), at: place)
    case 6: input.replaceSubrange(place..<end, with: AvroBytes.long(Self.numbers.randomElement(using: &random) ?? 0))
    case 7: input.insert(contentsOf: (Self.words.randomElement(using: &random) ?? "").utf8, at: place)
    default:
      // A piece of another input.
      guard let other = corpus.randomElement(using: &random), let from = other.indices.randomElement(using: &random) else { return }
      input.replaceSubrange(place..<end, with: other[from..<min(other.count, from + Int.random(in: 1...64, using: &random))])
    }
  }

  private static let numbers: [Int64] = [
    0, -1, 1, 2, 3, 63, 64, -64, 127, 128, 255, 32_767, 65_536, 2_147_483_647, -2_147_483_648, .max, .min, .max - 1, 1 << 40, -(1 << 40),
  ]
  private static let words = [
    "null", "true", "-", "1e999", "-0", "\"", "\\u0000", "\\ud800", "{", "}", "[", "]", ":", ",", "0", "18446744073709551616", "\u{0}",
    "record", "array", "field-id", "fixed", "decimal(38, 38)", "bucket[0]", "9999-99-99",
  ]

  // MARK: Files

  /// The content of each file in a directory, in the order of their names.
  package static func corpus(in directory: String) -> [[UInt8]] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      // SAFETY: the kernel ends the name with NUL; the entry is valid until the next call.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted().compactMap { content(of: "\(directory)/\($0)") }
  }

  private static func content(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: longest)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
  }
}
