// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Commits by other clients")
struct ForeignCommitTests {
  /// The machine's own slowness: the time a poll and a request may take beyond the TTL.
  private static let margin = Duration.milliseconds(700)

  @Test("A commit by PyIceberg is visible within the TTL to one who looks all the time", arguments: Metastore.allCases)
  func commit(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_commit_\(metastore.rawValue).events", in: metastore)
    try await MountedCatalog.with(metastore) { lake in
      // Prints the milliseconds since 1970 at which a new target was first read, until there were two targets.
      let watch = #"""
        last=
        for round in $(seq 2000); do
          now=$(readlink "$M/$TABLE/metadata/current.metadata.json")
          if [ "$now" != "$last" ]; then echo "${EPOCHREALTIME/./} $now"; [ -z "$last" ] || break; last=$now; fi
          read -rt 0.02 <> <(:)
        done
        """#
      let watcher = try Shell.start("/bin/bash", ["-c", watch], environment: ["M": lake.path, "TABLE": table.path], input: [])
      #expect(await eventually { watcher.output.last == UInt8(ascii: "\n") })
      let committed = try await emulator.append(to: table)
      let committedBy = try #require(Int(try await Shell.bash("echo ${EPOCHREALTIME/./}").succeeded().trimmed))
      let seen = try await watcher.finished(within: .seconds(40)).succeeded().lines.map { $0.split(separator: " ") }
      try #require(seen.count == 2, "the commit was never seen")
      #expect(table.metadataLocation.hasSuffix(seen[0][1]))
      #expect(committed.hasSuffix(seen[1][1]))
      let delay = Duration.microseconds((Int(seen[1][0]) ?? .max) - committedBy)
      #expect(delay <= .seconds(1) + Self.margin)
      // The files of the commit are there with it.
      let script = #"cd "$M/$TABLE" && ls data | wc -l && cat metadata/version-hint.text && stat -c %F "metadata/${CURRENT##*/}""#
      let result = try await lake.shell(script, ["TABLE": table.path, "CURRENT": committed]).succeeded()
      #expect(result.lines == ["2", "2regular file"])
    }
  }

  @Test("Reading .bergfs/refresh shows a commit at once, whatever the TTL", arguments: Metastore.allCases)
  func refresh(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_refresh_\(metastore.rawValue).events", in: metastore)
    try await MountedCatalog.with(metastore, options: ["--metadata-ttl", "3600"]) { lake in
      let look = #"ls "$M/test_refresh_"*"/events/data" | wc -l; readlink "$M/$TABLE/metadata/current.metadata.json""#
      let before = try await lake.shell(look, ["TABLE": table.path]).succeeded()
      let committed = try await emulator.append(to: table)
      #expect(try await lake.shell(look, ["TABLE": table.path]).succeeded().text == before.text)
      let after = try await lake.shell(#"cat "$M/.bergfs/refresh" && "# + look, ["TABLE": table.path]).succeeded()
      #expect(after.lines.dropFirst().first == "2")
      let shown = try #require(after.lines.last)
      #expect(committed.hasSuffix(shown))
    }
  }

  @Test("A new table and a new namespace appear within the TTL")
  func newTable() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    try await MountedCatalog.with(.glue) { lake in
      let absent = try await lake.shell(#"ls "$M"; stat "$M/test_appears/table""#)
      #expect(absent.status == 1)
      #expect(!absent.lines.contains("test_appears"))
      let table = try await emulator.createTable("test_appears.table", in: .glue)
      let start = ContinuousClock.now
      let isSeen = try await eventually(within: .seconds(5)) {
        try await lake.shell(#"ls "$M" | grep -qx test_appears && stat "$M/$TABLE/metadata""#, ["TABLE": table.path]).status == 0
      }
      #expect(isSeen)
      #expect(ContinuousClock.now - start <= .seconds(1) + Self.margin)
    }
  }

  @Test("An object that is put beside the others is listed within the TTL, one that is deleted is gone")
  func objects() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_objects.events", in: .glue)
    let uri = table.location + "/data/late.parquet"
    try await MountedCatalog.with(.glue) { lake in
      let list = #"ls "$M/test_objects/events/data" | grep -c late; cat "$M/test_objects/events/data/late.parquet""#
      #expect(try await lake.shell(list).lines == ["0"])
      try await emulator.putObject(uri, Array("late".utf8))
      let isListed = try await eventually(within: .seconds(1) + Self.margin) { try await lake.shell(list).lines == ["1", "late"] }
      #expect(isListed)
      try await emulator.deleteObject(uri)
      let isGone = try await eventually(within: .seconds(1) + Self.margin) { try await lake.shell(list).lines == ["0"] }
      #expect(isGone)
    }
  }

  @Test("An object put anew at its key is a new inode, and a handle that was open before gets ESTALE, never mixed bytes")
  func replacedObject() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_replaced.events", in: .glue)
    let uri = table.location + "/data/blob"
    try await emulator.putObject(uri, Array(repeating: UInt8(ascii: "a"), count: 6 << 20))
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "0"]) { lake in
      // Reads the first bytes, waits for a line, and reads the rest, far from what was read ahead.
      let program = #"""
        import errno, os, sys
        path = sys.argv[1] + "/test_replaced/events/data/blob"
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        print(os.fstat(descriptor).st_ino, os.pread(descriptor, 10, 0).decode(), flush=True)
        sys.stdin.readline()
        try:
            print(set(os.pread(descriptor, 4096, (6 << 20) - 4096)))
        except OSError as error:
            print(errno.errorcode[error.errno])
        again = os.open(path, os.O_RDONLY)
        print(os.fstat(again).st_ino, os.pread(again, 10, 0).decode())
        """#
      let reader = try Shell.start("/usr/bin/python3", ["-c", program, lake.path])
      #expect(await eventually { reader.output.last == UInt8(ascii: "\n") })
      try await emulator.putObject(uri, Array(repeating: UInt8(ascii: "b"), count: 6 << 20))
      reader.write("on\n")
      let lines = try await reader.finished(within: .seconds(30)).succeeded().lines
      try #require(lines.count == 3)
      #expect(lines[0].hasSuffix(" aaaaaaaaaa"))
      #expect(lines[1] == "ESTALE")
      #expect(lines[2].hasSuffix(" bbbbbbbbbb"))
      #expect(lines[0].prefix { $0 != " " } != lines[2].prefix { $0 != " " })
    }
  }
}
