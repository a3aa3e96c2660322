// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@Suite("Views while the table changes, of many files, and of what cannot be read")
struct ViewChangeTests {
  @Test(
    "A commit moves current within the TTL, and a snapshot's directory that is open shows what it showed", arguments: Metastore.allCases)
  func commit(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_views.moving_\(metastore.rawValue)", in: metastore)
    try await MountedCatalog.with(metastore) { lake in
      let script = #"cd "$M/$TABLE/.iceberg" && readlink current && find current/data -type f | sort && wc -l <snapshots.jsonl"#
      let before = try await lake.shell(script, ["TABLE": table.path]).succeeded().lines
      #expect(before.count == 3 && before[2] == "1", "\(before)")
      // A shell stands in the snapshot while another client commits.
      let standing = #"""
        cd "$(realpath "$M/$TABLE/.iceberg/current")/data" && find . -type f | wc -l; touch "$T/there"
        until [ -e "$T/committed" ]; do sleep 0.05; done; sleep 1.2; find . -type f | wc -l
        """#
      async let stood = lake.shell(standing, ["TABLE": table.path])
      #expect(await becomesTrue { ProjectFiles.exists(lake.workspace.directory.file("there")) })
      _ = try await emulator.append(to: table)
      try lake.workspace.directory.write("", to: "committed")
      #expect(try await stood.succeeded().lines == ["1", "1"])
      let after = try await lake.shell(script, ["TABLE": table.path]).succeeded().lines
      #expect(after.count == 4 && after[0] != before[0] && after[3] == "2", "\(after)")
      // The branch and the instant before lead to the two of them.
      let links = try await lake.shell(
        #"cd "$M/$TABLE/.iceberg" && readlink refs/branches/main && ls by-time | wc -l && readlink "by-time/$(date -u -d '1 hour' +%Y-%m-%dT%H:%M:%SZ)""#,
        ["TABLE": table.path]
      ).succeeded().lines
      #expect(links == ["../../\(after[0])", "2", "../\(after[0])"], "\(links)")
    }
  }

  @Test("Manifests that are gone are EIO with a sentence in errors.jsonl, and the rest of the table's tree works")
  func missing() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_views.broken", in: .glue)
    let (bucket, key) = EmulatorWithSeed.split(table.location)
    let manifests = try await emulator.objects(in: bucket, below: key + "/metadata/").map { String(decoding: $0.key, as: UTF8.self) }
      .filter { $0.hasSuffix("-m0.avro") }
    for manifest in manifests { try await emulator.deleteObject("s3://\(bucket)/\(manifest)") }
    try await MountedCatalog.with(.glue) { lake in
      let script = #"""
        cd "$M/test_views/broken/.iceberg"; ls current/data 2>&1 | sed 's/.*: //'; cat files.jsonl 2>&1 | sed 's/.*: //'
        tail -n 1 "$M/.bergfs/errors.jsonl" | jq -r '.errno, .message'; ls current; wc -l <manifests.jsonl; jq -r .operation current/summary.json
        ls ../data | wc -l
        """#
      let lines = try await lake.shell(script).lines
      #expect(lines.prefix(3) == ["Input/output error", "Input/output error", "EIO"], "\(lines)")
      try #require(lines.count == 12, "\(lines)")
      #expect(lines[3].contains("the manifest s3://") && lines[3].contains("does not exist"))
      #expect(lines.dropFirst(4) == ["data", "deletes", "manifest-list.avro", "manifests", "summary.json", "1", "append", "1"], "\(lines)")
    }
  }

  @Test("A snapshot of 10,000 files of a table of 1,000 snapshots lists by its manifest list and manifests alone, and adds up")
  func many() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let location = try "\(emulator.warehouse(.glue))/test_many_views/files"
    _ = try await TestSlots.clients.occupied {
      try await Shell.run(
        ProjectFiles.clientsPython,
        [ProjectFiles.root + "/Tests/MountTests/Views/Support/make_table.py", "test_many_views", "files", location, "10000", "5", "1000"],
        environment: [
          "SCRIPTS": ProjectFiles.scripts, "ENDPOINT": emulator.endpoint, "REGION": EmulatorWithSeed.region,
          "SEED_ACCESS_KEY": emulator.owner.access, "SEED_SECRET_KEY": emulator.owner.secret, "PYTHONDONTWRITEBYTECODE": "1",
        ]
      ).succeeded()
    }
    let proxy = try CountingProxy(to: emulator)
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "60"], proxy: proxy) { lake in
      let views = #"cd "$M/test_many_views/files/.iceberg""#
      try await lake.shell(views).succeeded()
      proxy.reset()
      let listed = try await lake.shell(#"\#(views) && ls -lR current/data | awk '/^-/ { n++; bytes += $5 } END { print n, bytes }'"#)
        .succeeded()
      // 1,000 bytes and the file's number each.
      #expect(listed.trimmed == "10000 \(10_000 * 1_000 + 9_999 * 10_000 / 2)")
      // The metadata file, the manifest list and five manifests.
      #expect(proxy.count("GET") == 1 + 1 + 5 && proxy.count("LIST") == 0 && proxy.count("HEAD") == 0, "\(proxy.counts)")
      proxy.reset()
      let again = try await lake.shell(#"\#(views) && find current/data -type f -size +10k | wc -l; ls snapshots by-time | wc -l"#)
        .succeeded()
      #expect(again.lines == ["759", "2003"], "\(again)")
      #expect(proxy.requests.isEmpty, "\(proxy.counts)")
      let script = #"""
        \#(views) && wc -l <files.jsonl; jq -s 'map(.file_count) | add' partitions.jsonl; jq -s 'map(.record_count) | add' partitions.jsonl
        jq -r .file_size_in_bytes files.jsonl | awk '{ bytes += $1 } END { print bytes }'
        diff <(cd snapshots/"$(sed -n '1s/.*"snapshot_id":\([0-9]*\).*/\1/p' snapshots.jsonl)"/data && find . -type f | sort) \
          <(cd current/data && find . -type f | sort) | grep -c '^>'
        """#
      let rows = try await lake.shell(script).succeeded()
      #expect(rows.lines == ["10000", "10000", "\(10_000 * 100 + 9_999 * 10_000 / 2)", "59995000", "8000"], "\(rows)")
    }
  }
}
