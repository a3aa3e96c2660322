// SPDX-License-Identifier: Apache-2.0

import Glibc
import Iceberg
import WireFormats

/// Measures reading of manifests and table metadata from memory, one case after the other on one thread.
///
/// `microbench [--runs N] [INPUT…]`; an input is measured if its name contains one of the words. CPU time of the process, so that others' load
/// counts little; the fastest run is what the machine can do, the median what it did.
struct Microbench {
  private var runs = 9
  private var words: [String] = []
  /// Kept from being optimised away.
  private var checksum: Int64 = 0

  init(arguments: [String]) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--runs", let count = rest.popFirst().flatMap({ Int($0) }), count > 0 { runs = count } else { words.append(argument) }
    }
  }

  mutating func run() throws {
    print("case                                      best ms  median ms       MB/s   entries/s")
    for columns in [0, 10, 40] { try manifests(columns) }
    try metadata(snapshots: 20_000)
    print("checksum \(checksum)")
  }

  private mutating func manifests(_ columns: Int) throws {
    let name = "manifest, \(columns) columns"
    guard isWanted(name) else { return }
    let manifest = ManifestInput(entries: columns > 10 ? 25_000 : 100_000, columns: columns)
    let plain = try manifest.file(codec: "null")
    let deflated = try manifest.file(codec: "deflate")
    let gzipped = try manifest.gzipped()
    try measure("\(name), null", plain.count, manifest.count) { try Self.read(plain) }
    try measure("\(name), deflate", plain.count, manifest.count) { try Self.read(deflated) }
    try measure("\(name), zlib alone", plain.count, manifest.count) {
      try gzipped.reduce(0) { $0 + Int64(try Gzip.decompress($1, limit: 1 << 20).count) }
    }
    try measure("\(name), null, details", plain.count, manifest.count) { try Self.read(plain, details: true) }
  }

  private mutating func metadata(snapshots count: Int) throws {
    let name = "metadata, \(count) snapshots"
    guard isWanted(name) else { return }
    let text = MetadataInput.document(snapshots: count)
    let packed = try Gzip.compress(text)
    let file = MetadataInput.file(count)
    try measure("\(name), head", text.count, count) { Int64(try TableMetadataHead(parsing: text, fileName: file).metadataLog.count) }
    try measure("\(name), head, gzip", text.count, count) {
      Int64(try TableMetadataHead(parsing: packed, fileName: "v1.gz.metadata.json").metadataLog.count)
    }
    try measure("\(name), JSON alone", text.count, count) { Int64(try JSONDocument(parsing: text).root.byteRange.count) }
    try measure("\(name), whole", text.count, count) { Int64(try TableMetadata(parsing: text, fileName: file).snapshots.count) }
    let base = SuccessorCheck.Base(location: file, metadata: try TableMetadata(parsing: text, fileName: file))
    let next = SuccessorCheck(
      base: base, next: try TableMetadata(parsing: MetadataInput.document(snapshots: count + 1), fileName: MetadataInput.file(count + 1)),
      location: MetadataInput.file(count + 1), nowMs: .max / 2)
    try measure("\(name), check", text.count, count) { Int64(try next.check().count) }
  }

  private static func read(_ manifest: [UInt8], details: Bool = false) throws -> Int64 {
    var sum: Int64 = 0
    try ManifestReader(parsing: manifest).forEachEntry(columns: details ? .all : .files) { entry throws(AvroError) in
      sum &+= entry.fileSize &+ entry.recordCount &+ Int64(entry.filePath.count) &+ (entry.snapshotID ?? 0)
    }
    return sum
  }

  private mutating func measure(_ name: String, _ bytes: Int, _ entries: Int, _ body: () throws -> Int64) throws {
    var times: [Double] = []
    for _ in 0..<runs {
      let start = Self.cpuSeconds()
      checksum &+= try body()
      times.append(Self.cpuSeconds() - start)
    }
    times.sort()
    let best = times[0]
    func column(_ value: Double, _ digits: Double, _ width: Int) -> String {
      let text = digits == 1 ? String(Int(value.rounded())) : String((value * digits).rounded() / digits)
      return String(repeating: " ", count: max(1, width - text.count)) + text
    }
    print(
      name + String(repeating: " ", count: max(1, 41 - name.count)) + column(best * 1_000, 10, 8) + column(times[runs / 2] * 1_000, 10, 11)
        + column(Double(bytes) / best / 1e6, 1, 11) + column(Double(entries) / best, 1, 12))
  }

  private func isWanted(_ name: String) -> Bool { words.isEmpty || words.contains { name.contains($0) } }

  private static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

var bench = Microbench(arguments: Array(CommandLine.arguments.dropFirst()))
try bench.run()
