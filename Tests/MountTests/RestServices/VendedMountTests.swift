// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import WireFormats

@Suite("Mounts whose S3 keys a service hands out")
struct VendedMountTests {
  @Test("Keys change while the mount is read, and no read fails")
  func rotation() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let seed = try emulator.catalog(.glue)
    let signed = try await SignedMount(emulator, bucket: seed.bucket)
    // Replaced in the background after the half of it.
    try await signed.service.set(["credentials_life": 4])
    let proxy = try CountingProxy(to: emulator)
    let properties = signed.metastoreKeys(.glue).merging([
      "uri": signed.service.endpoint, "client.refresh-credentials-endpoint": "v1/credentials", "credential": "bergfs:client-secret",
      "rest-scan-plan-id": "plan-7", "header.x-tenant": "lake",
    ]) { $1 }
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "0"], properties: properties, proxy: proxy) { lake in
      let table = try seed.table("sales.orders")
      let expected = try await ExpectedTree(of: table, in: emulator)
      let digests = try await FoundEntry.digests(below: lake.path + "/" + table.path)
      for (path, object) in expected.files { #expect(digests[path] == object.sha256) }
      func keys() -> Set<Substring> {
        Set(
          proxy.requests.filter { $0.operation == nil }.compactMap {
            $0.headers["authorization"]?.split(separator: "=").dropFirst().first?.prefix(20)
          })
      }
      let hasRotated = try await eventually(within: .seconds(20), every: .milliseconds(100)) {
        try await lake.shell(#"ls "$M/$TABLE/data" >/dev/null"#, ["TABLE": table.path]).succeeded()
        return keys().count >= 3
      }
      #expect(hasRotated)
      #expect(proxy.requests.filter { $0.operation == nil }.allSatisfy { $0.headers["x-amz-security-token"] != nil })
      let calls = try await signed.service.calls("credentials")
      #expect(calls.allSatisfy { $0.status == 200 && $0.path == "/v1/credentials?planId=plan-7" && $0.headers["x-tenant"] == "lake" })
      #expect(try await lake.shell(#"cat "$M/.bergfs/errors.jsonl""#).succeeded().text.isEmpty)
      let log = await lake.workspace.log()
      #expect(!log.contains("client-secret"))
    }
  }
}
