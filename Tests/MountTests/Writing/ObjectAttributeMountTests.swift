// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

/// What objects carry that a mount writes, as boto3 sees them.
@Suite("Encryption, tags, ACL and storage class of what is written")
struct ObjectAttributeMountTests {
  /// The seed's catalogs have tables that nobody can read, and any file may be one of theirs.
  private static let region = "us-west-2"
  private static let written = [
    "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0", "s3.acl": "authenticated-read",
    "s3.write.storage-class": "STANDARD_IA", "s3.write.tags.team": "lake & more", "s3.write.table-tag-enabled": "true",
    "s3.write.namespace-tag-enabled": "true",
  ]

  struct Encryption: Sendable, CustomTestStringConvertible {
    var properties: [String: String]
    var word: String?
    var testDescription: String { properties["s3.sse.type"] ?? "none" }
  }

  private static let encryptions = [
    Encryption(properties: [:]), Encryption(properties: ["s3.sse.type": "s3"], word: "AES256"),
    Encryption(properties: ["s3.sse.type": "kms", "s3.sse.key": "arn:aws:kms:eu-central-1:000000000000:key/k1"], word: "aws:kms"),
  ]

  @Test("Files in one piece and in parts, copies and metadata carry what the properties say", arguments: encryptions)
  func carried(_ encryption: Encryption) async throws {
    let properties = Self.written.merging(encryption.properties) { $1 }
    let namespace = "test_object_attributes_\(encryption.testDescription)"
    try await WritableTable.with(.glue, "\(namespace).t", properties: properties, proxied: true) { table in
      let (bucket, key) = EmulatorWithSeed.split(table.table.location)
      _ = try await table.emulator.account(["allow-acls", bucket])
      let before = Set(try await table.objects().keys)
      let script = #"""
        set -e
        head -c 12000000 /dev/urandom >"$T/large"; cp "$T/large" "$D/large"; echo small >"$D/small"; cp "$D/small" "$D/copy"
        jq '.properties.owner="ops"' "$X/current.metadata.json" >"$X/new.json"; mv "$X/new.json" "$X/current.metadata.json"
        """#
      try await table.shell(script).succeeded()
      let made = Set(try await table.objects().keys).subtracting(before)
      #expect(made.count == 4 && made.isSuperset(of: ["data/large", "data/small", "data/copy"]))
      for name in made {
        let carried = try await table.emulator.account(["attributes", bucket, "\(key)/\(name)"])
        #expect(carried["encryption"]?.string == encryption.word, "\(name)")
        #expect(carried["kms_key"]?.string == encryption.properties["s3.sse.key"], "\(name)")
        #expect(carried["storage_class"]?.string == "STANDARD_IA", "\(name)")
        // The emulator gives objects that were put together of parts neither tags nor ACL, so their requests are looked at.
        if ["data/large", "data/copy"].contains(name) {
          let begun = table.proxy?.requests.first { $0.method == "POST" && $0.target.contains("\(name)?uploads") }
          let expected = "iceberg.namespace=\(namespace)&iceberg.table=t&team=lake%20%26%20more"
          #expect(begun?.headers["x-amz-tagging"] == expected, "\(name)")
          #expect(begun?.headers["x-amz-acl"] == "authenticated-read", "\(name)")
          continue
        }
        let tags = carried["tags"]?.members.map { "\($0.key)=\($0.value.string ?? "")" }.sorted()
        #expect(tags == ["iceberg.namespace=\(namespace)", "iceberg.table=t", "team=lake & more"], "\(name)")
        let grants = carried["grants"]?.elements.compactMap(\.string) ?? []
        #expect(grants.contains { $0.hasSuffix("AuthenticatedUsers READ") }, "\(name): \(grants)")
      }
    }
  }

  @Test("With s3.delete-enabled=false rm only tags: the object stays, with its own tags and those of s3.delete.tags")
  func deleteTags() async throws {
    let properties = ["s3.write.tags.team": "lake", "s3.delete.tags.state": "gone", "s3.delete-enabled": "false"]
    let options = ["--allow-delete", "--delete-min-age", "0"]
    try await WritableTable.with(
      .glue, "test_delete_tags.t", options: options, properties: properties, region: Self.region
    ) { table in
      try await table.shell(#"echo 1 >"$D/file"; rm "$D/file""#).succeeded()
      let (bucket, key) = EmulatorWithSeed.split(table.table.location)
      let carried = try await table.emulator.account(["attributes", bucket, "\(key)/data/file"])
      let tags = carried["tags"]?.members.map { "\($0.key)=\($0.value.string ?? "")" }.sorted()
      #expect(tags == ["state=gone", "team=lake"])
    }
  }

  @Test("SSE-C over https: every read, write, part and copy carries the key, and without it nobody reads what was written")
  func customerKey() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let key = String(repeating: "0123456789abcdef", count: 4)
    let properties = [
      "s3.sse.type": "custom", "s3.sse.key": "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8=", "s3.sse.md5": "V3XYM7b4DoMjH4KJnOdsAA==",
      "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0",
    ]
    let table = try await emulator.createTable("test_customer_key.t", in: .glue)
    let (bucket, prefix) = EmulatorWithSeed.split(table.location)
    _ = try await emulator.account(["encrypt", bucket, prefix + "/", key])
    try await FailureBench.with { bench in
      let front = try await TLSFront(bench, to: Int(emulator.port))
      defer { front.stop() }
      var settings = MountSettings(.glue, properties: properties.mapValues { $0 })
      settings.mayWrite = true
      try bench.write(settings.configuration(emulator), to: "home/.pyiceberg.yaml")
      let refused = try await bench.tryMount()
      await bench.expectRefusal(refused, ["s3.sse.type=custom", "is not encrypted", "https"])
      settings.properties["s3.endpoint"] = .some(front.endpoint)
      try bench.write(settings.configuration(emulator), to: "home/.pyiceberg.yaml")
      try await bench.mount(environment: ["AWS_CA_BUNDLE": front.authority])
      let script = """
        set -e; cd "$M/\(table.path)"
        head -c 12000000 /dev/urandom >"$M/../large"; cp "$M/../large" data/large; cmp "$M/../large" data/large
        cp data/large data/copy; cmp data/large data/copy; echo small >data/small
        jq '.properties.owner="ops"' metadata/current.metadata.json >metadata/new.json; mv metadata/new.json metadata/current.metadata.json
        jq -r .properties.owner metadata/current.metadata.json; sha256sum <data/large
        """
      let result = try await bench.shell(script)
      try #require(result.status == 0, "\(result)\n\(bench.logText)")
      #expect(result.lines.first == "ops")
      for name in ["large", "copy", "small"] {
        let carried = try await emulator.account(["attributes", bucket, "\(prefix)/data/\(name)", "--customer-key", key])
        #expect(carried["customer_algorithm"]?.string == "AES256")
        if name != "small" { #expect(result.lines.last?.hasPrefix(carried["sha256"]?.string ?? "none") == true) }
        await #expect(throws: (any Error).self) { _ = try await emulator.account(["attributes", bucket, "\(prefix)/data/\(name)"]) }
      }
      let log = bench.logText
      #expect(!log.contains("ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8"), "the key stands in the log")
      try await bench.shell(#"umount "$M""#).succeeded()
    }
  }
}
