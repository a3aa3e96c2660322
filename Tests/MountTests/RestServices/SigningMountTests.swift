// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

@Suite("Mounts whose S3 requests a service signs")
struct SigningMountTests {
  @Test("Without any key for S3 the mount shows the same bytes as one with keys", arguments: Metastore.allCases)
  func sameBytes(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let seed = try emulator.catalog(metastore)
    let signed = try await SignedMount(emulator, bucket: seed.bucket)
    let proxy = try CountingProxy(to: emulator)
    try await MountedCatalog.with(metastore, properties: signed.signing(metastore), proxy: proxy) { lake in
      for name in ["sales.orders", "lab.odd_keys"] {
        let table = try lake.seed.table(name)
        let expected = try await ExpectedTree(of: table, in: emulator)
        let digests = try await FoundEntry.digests(below: lake.path + "/" + table.path)
        for (path, object) in expected.files {
          #expect(digests[path] == object.sha256, "\(name): \(String(decoding: path, as: UTF8.self))")
        }
      }
      try await signed.expectOwnSignatures(proxy)
      let calls = try await signed.service.calls("sign")
      #expect(calls.allSatisfy { $0.path == "/v1/namespaces/ns1/tables/t1/sign" && $0.status == 200 })
      #expect(try await signed.service.calls("tokens").count == 1)
      let log = await lake.workspace.log()
      for secret in ["client-secret", "token-", "Signature="] { #expect(!log.contains(secret)) }
    }
  }

  @Test("A large file goes up in parts and comes back by ranges: one signature for each part, one for all ranges; then it is deleted")
  func largeFile() async throws {
    let emulator = try await EmulatorWithSeed.withoutSeed()
    let (bucket, _) = EmulatorWithSeed.split(try emulator.warehouse(.glue))
    let signed = try await SignedMount(emulator, bucket: bucket)
    try await WritableTable.with(
      .glue, "test_signed_large.t", options: ["--allow-delete"], properties: signed.signing(.glue, mayWrite: true), proxied: true,
      isWithoutSeed: true
    ) { table in
      let proxy = try #require(table.proxy)
      try await table.shell(#"head -c 70000000 /dev/urandom >"$T/big""#).succeeded()
      try await table.shell(#"cp "$T/big" "$D/big.bin" && sync "$D/big.bin" && ls -l "$D/big.bin""#).succeeded()
      let parts = proxy.requests.filter { $0.method == "PUT" && $0.target.contains("partNumber=") }
      #expect(parts.count == 3)
      #expect(parts.allSatisfy { $0.headers["x-amz-checksum-crc32"] != nil })
      #expect(Set(parts.map { $0.headers["authorization"] }).count == 3)
      try await signed.expectOwnSignatures(proxy)
      let asks = try await signed.service.calls("sign").compactMap(\.document)
      #expect(asks.allSatisfy { $0["body"] == nil })

      try await table.shell(#"cmp "$T/big" "$D/big.bin""#).succeeded()
      try await table.shell(#"rm "$D/big.bin""#).succeeded()
      let objects = try await table.objects()
      #expect(objects["data/big.bin"] == nil)
      #expect(try await signed.expectOwnSignatures(proxy).contains { $0.method == "DELETE" || $0.target.hasSuffix("?delete") })
    }
  }

  @Test("Reads of many ranges of a large file share one signature")
  func ranges() async throws {
    let emulator = try await EmulatorWithSeed.withoutSeed()
    let (bucket, _) = EmulatorWithSeed.split(try emulator.warehouse(.glue))
    let signed = try await SignedMount(emulator, bucket: bucket)
    try await WritableTable.with(
      .glue, "test_signed_ranges.t", properties: signed.signing(.glue), proxied: true, isWithoutSeed: true
    ) { table in
      let proxy = try #require(table.proxy)
      let bytes = (0..<40_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 20) }
      try await emulator.putObject(table.table.location + "/data/large.bin", bytes)
      // Wakes the session, so that what follows is this file's.
      try await table.shell(#"ls "$D" >/dev/null"#).succeeded()
      proxy.reset()
      try await signed.service.reset()
      let script = #"for at in 0 5 11 17 23 29 35; do dd if="$D/large.bin" bs=1M skip=$at count=2 status=none | sha256sum; done"#
      let sums = try await table.shell(script).succeeded().lines
      #expect(Set(sums).count == 7)
      let reads = try await signed.expectOwnSignatures(proxy).filter { $0.method == "GET" && $0.target.contains("large.bin") }
      #expect(reads.count >= 7)
      #expect(Set(reads.compactMap { $0.headers["range"] }).count >= 7)
      let asks = try await signed.service.calls("sign").filter { $0.document?["uri"]?.string?.contains("large.bin") == true }
      // Reads ahead that start together ask together.
      #expect(asks.count <= 4 && asks.count < reads.count, "\(asks.count) signatures for \(reads.count) reads")
    }
  }

  @Test("Tokens that end or are revoked in the middle of a read and of an upload are renewed without a failure")
  func endingTokens() async throws {
    let emulator = try await EmulatorWithSeed.withoutSeed()
    let (bucket, _) = EmulatorWithSeed.split(try emulator.warehouse(.glue))
    let signed = try await SignedMount(emulator, bucket: bucket)
    try await signed.service.set(["token_life": 2])
    try await WritableTable.with(
      .glue, "test_signed_tokens.t", options: ["--allow-delete"], properties: signed.signing(.glue, mayWrite: true), isWithoutSeed: true
    ) { table in
      try await table.shell(#"head -c 70000000 /dev/urandom >"$T/big""#).succeeded()
      let script = #"""
        set -e
        (sleep 0.2; head -c 20000000 "$T/big"; read -r line <"$T/go"; tail -c +20000001 "$T/big" | head -c 30000000; read -r line <"$T/go"
         tail -c +50000001 "$T/big") >"$D/big.bin"
        """#
      try await table.shell(#"mkfifo "$T/go""#).succeeded()
      let upload = Task { try await table.shell(script) }
      for _ in 0..<2 {
        try await signed.service.revokeTokens()
        try await table.shell(#"echo on >"$T/go""#).succeeded()
      }
      try await upload.value.succeeded()
      try await signed.service.revokeTokens()
      try await table.shell(#"cmp "$T/big" "$D/big.bin""#).succeeded()
      try await table.shell(#"rm "$D/big.bin""#).succeeded()
      let calls = try await signed.service.calls()
      #expect(calls.contains { $0.route == "sign" && $0.status == 401 })
      let grants = calls.filter { $0.route == "tokens" && $0.status == 200 }
      #expect(grants.count >= 3)
      // With two seconds of life most are exchanged before they end.
      #expect(try await table.errorRecords().isEmpty)
      #expect(try await table.uploads() == [])
    }
  }

  @Test("A signer that asks for patience gets it; what it forbids is EACCES; one that is gone is ETIMEDOUT, soon")
  func failures() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let seed = try emulator.catalog(.glue)
    let signed = try await SignedMount(emulator, bucket: seed.bucket)
    let orders = try seed.table("sales.orders")
    try await MountedCatalog.with(.glue, properties: signed.signing(.glue)) { lake in
      try await signed.service.set([
        "faults": [
          ["route": "sign", "status": 503, "headers": ["Retry-After": "1"]], ["route": "sign", "status": 429],
          ["route": "sign", "status": 502],
        ]
      ])
      try await lake.shell(#"cat "$M/$TABLE/metadata/"*.avro | wc -c"#, ["TABLE": orders.path]).succeeded()
      let statuses = try await signed.service.calls("sign").map(\.status)
      for status in [503, 429, 502] as [Int64] { #expect(statuses.contains(status)) }

      let other = try seed.table("web.clicks")
      let (bucket, key) = EmulatorWithSeed.split(orders.location)
      try await signed.service.set(["allow": [.string("\(bucket)/\(key)")]])
      let forbidden = try await lake.shell(#"ls "$M/$TABLE/data""#, ["TABLE": other.path])
      #expect(forbidden.status != 0 && forbidden.errorText.contains("Permission denied"), "\(forbidden)")
      let records = try await lake.shell(#"cat "$M/.bergfs/errors.jsonl""#).succeeded().text
      #expect(records.contains("Forbidden: not an object of yours"))
      #expect(!records.contains("token-"))

      signed.service.stop()
      let started = ContinuousClock.now
      let gone = try await lake.shell(
        #"find "$M/$TABLE/data" -type f | head -n 1 | xargs cat >/dev/null"#, ["TABLE": try seed.table("web.pageviews").path])
      #expect(gone.errorText.contains("Connection timed out"), "\(gone)")
      #expect(ContinuousClock.now - started < .seconds(30))
    }
  }
}
