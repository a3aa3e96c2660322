// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

extension FailureTests {
  @Suite("A table whose metadata cannot be read still lists, and says why")
  struct BrokenTableTests {
    /// What lies where the pointer leads, and what comes of it.
    struct Damage: Sendable, CustomTestStringConvertible {
      var what: String
      var metadata: [UInt8]?
      var errno: String
      /// What `cat` prints of the errno.
      var text: String
      var words: [String]
      var testDescription: String { what }

      static func compressed(_ bytes: [UInt8]) -> [UInt8]? { try? Gzip.compress(bytes) }
    }

    private static let good = StandInAccount.metadata(of: "orders")

    @Test(
      "The directory lists, `cat` gives the errno, errors.jsonl the reason",
      arguments: [
        Damage(what: "the object is gone", metadata: nil, errno: "ENOENT", text: "No such file or directory", words: ["does not exist"]),
        Damage(
          what: "not JSON", metadata: Array("<html>".utf8) + good, errno: "EIO", text: "Input/output error", words: ["is not JSON"]),
        Damage(
          what: "gzip under a plain name", metadata: Damage.compressed(good), errno: "EIO", text: "Input/output error",
          words: ["gzip data under a plain name"]),
        Damage(what: "empty", metadata: [], errno: "EIO", text: "Input/output error", words: ["is not JSON"]),
        Damage(
          what: "cut short", metadata: Array(good.prefix(good.count / 2)), errno: "EIO", text: "Input/output error", words: ["is not JSON"]),
        Damage(
          what: "a later format", metadata: Array("{\"format-version\": 9}".utf8), errno: "EIO", text: "Input/output error",
          words: ["format version 9"]),
      ])
    func damage(damage: Damage) async throws {
      try await FailureBench.withAccount { bench, account in
        account.putTable("broken", metadata: damage.metadata)
        try await bench.mount()
        let listing = try await bench.shell("ls \"$M/sales\" && ls \"$M/sales/broken\" && ls \"$M/sales/broken/data\"")
        try listing.succeeded()
        #expect(listing.lines == ["broken", "orders", "data", "metadata", "part-0.parquet"], "\(listing)")
        let read = try await bench.shell("cat \"$M/sales/broken/metadata/current.metadata.json\"")
        #expect(read.status == 1 && read.errorText.contains(damage.text), "\(read)")
        let records = try await bench.errorRecords().filter { $0.path.hasPrefix("/sales/broken/metadata") && $0.errno == damage.errno }
        let record = try #require(records.last)
        for word in damage.words + [StandInAccount.metadataName] { #expect(record.message.contains(word), "\(record)") }
        #expect(record.time.count >= 20 && record.time.hasSuffix("Z") && !record.operation.isEmpty, "\(record)")

        let healthy = try await bench.shell("cat \"$M/sales/orders/metadata/current.metadata.json\"")
        #expect(healthy.status == 0 && healthy.output == StandInAccount.metadata(of: "orders"), "\(healthy)")
        // Mended by another client: no refresh, no remount.
        account.putTable("broken", metadata: StandInAccount.metadata(of: "broken"))
        let mended = await eventually(within: .seconds(10)) {
          let now = try? await bench.shell("cat \"$M/sales/broken/metadata/current.metadata.json\"")
          return now?.output == StandInAccount.metadata(of: "broken")
        }
        #expect(mended)
      }
    }

    @Test("Seeded by PyIceberg: broken tables list and are told apart", arguments: Metastore.allCases)
    func seeded(metastore: Metastore) async throws {
      try await MountedCatalog.with(metastore) { mounted in
        let broken = mounted.seed.broken
        #expect(broken.count == 3)
        for (namespace, name) in broken {
          let table = "\(namespace)/\(name)"
          let listing = try await mounted.shell("ls \"$M/$TABLE\"", ["TABLE": table])
          #expect(try listing.succeeded().lines == ["data", "metadata"], "\(listing)")
          let read = try await mounted.shell("cat \"$M/$TABLE/metadata/current.metadata.json\"", ["TABLE": table])
          let expected = name == "pointer_gone" ? "No such file or directory" : "Input/output error"
          #expect(read.status == 1 && read.errorText.contains(expected), "\(read)")
        }
        let records = try await mounted.shell("cat \"$M/.bergfs/errors.jsonl\"").succeeded().lines.map { try ErrorRecord($0) }
        for (name, word) in [("pointer_gone", "does not exist"), ("not_json", "is not JSON"), ("gzip_under_plain_name", "gzip data")] {
          #expect(records.contains { $0.path.contains("/\(name)/") && $0.message.contains(word) }, "\(name) in \(records)")
        }
      }
    }
  }
}
