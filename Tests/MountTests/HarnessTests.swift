// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("The harness of the mount tests")
struct HarnessTests {
  @Test("A program over its deadline is killed with its children")
  func deadline() async throws {
    let result = try await Shell.bash("sleep 1000 & echo $!; wait", within: .milliseconds(300))
    #expect(result.isTimedOut)
    #expect(result.status == 128 + 9)
    let child = try #require(Int32(result.trimmed))
    #expect(await eventually { ProcessList.arguments(of: child).isEmpty })
  }

  @Test("No variable of AWS or PyIceberg reaches a program")
  func environment() async throws {
    let names = try await Shell.run("env", []).succeeded().lines.map { $0.prefix { $0 != "=" } }
    #expect(names.allSatisfy { ["PATH", "HOME", "LANG", "TZ", "BERGFS_TEST_RUN", "PWD", "OLDPWD", "_", "SHLVL"].contains($0) })
  }

  @Test("The proxy counts requests and leaves signatures valid")
  func proxy() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let proxy = try CountingProxy(to: emulator)
    let seed = try emulator.catalog(.glue)
    let list = ["--endpoint", proxy.endpoint, "--region", EmulatorWithSeed.region, "objects", seed.bucket, "warehouse/sales/customers"]
    let result = try await Shell.run(
      ProjectFiles.clientsPython, [ProjectFiles.scripts + "/account.py"] + list,
      environment: ["SEED_ACCESS_KEY": emulator.reader.access, "SEED_SECRET_KEY": emulator.reader.secret])
    try result.succeeded()
    #expect(proxy.counts == ["LIST": 1])
  }
}

@Suite("Mounting")
struct MountingTests {
  @Test("A catalog is mounted, lists its namespaces, and is unmounted without a trace", arguments: Metastore.allCases)
  func mountAndUnmount(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let shown = try await lake.shell("ls -1 \"$M\"").succeeded().lines.filter { !$0.hasPrefix("test_") }
      let firstLevels = Set(lake.seed.namespaces.compactMap { $0.split(separator: ".").first.map(String.init) })
      #expect(Set(shown) == firstLevels)
    }
  }
}
