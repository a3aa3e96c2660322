// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@Suite("Commits by other clients")
struct ForeignCommitTests {
  /// The machine's own slowness: the time a poll and a request may take beyond the TTL.
  private static let margin = Duration.milliseconds(700)

  /// Does something while a shell asks all the time whether a condition holds.
  ///
  /// - Parameters:
  ///   - condition: in bash, with the mountpoint as `$M`; must not hold yet.
  ///   - action: answers with the time at which it was done, in microseconds since 1970.
  /// - Returns: how long after that time the condition held; negative if before.
  private func delay(until condition: String, in lake: MountedCatalog, after action: () async throws -> Int64) async throws -> Duration {
    let script = #"eval "$CONDITION" && exit 9; echo watching; until eval "$CONDITION"; do sleep 0.02; done; echo "${EPOCHREALTIME/./}""#
    let watcher = try Shell.start("/bin/bash", ["-c", script], environment: ["M": lake.path, "CONDITION": condition], input: [])
    try #require(await eventually { !watcher.output.isEmpty }, "\(condition) holds already")
    let end = try await action()
    let seen = try await watcher.finished(within: .seconds(40)).succeeded()
    return .microseconds(try #require(seen.lines.last.flatMap { Int64($0) }) - end)
  }

  private func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  @Test("A commit by PyIceberg is visible within the TTL to one who looks all the time", arguments: Metastore.allCases)
  func commit(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_commit_\(metastore.rawValue).events", in: metastore)
    try await MountedCatalog.with(metastore) { lake in
      let link = "$M/\(table.path)/metadata/current.metadata.json"
      let old = try #require(table.metadataLocation.split(separator: "/").last)
      #expect(try await lake.shell("readlink \"\(link)\"").succeeded().trimmed == old)
      var committed = ""
      let delay = try await delay(until: "[ \"$(readlink \"\(link)\")\" != \(old) ]", in: lake) {
        let commit = try await emulator.append(to: table)
        committed = commit.location
        return commit.time
      }
      #expect(delay <= .seconds(1) + Self.margin)
      #expect(committed != table.metadataLocation)
      // The files of the commit are there with it.
      let script =
        #"cd "$M/$TABLE" && ls data | wc -l && cat metadata/version-hint.text && cmp "metadata/${CURRENT##*/}" metadata/current.metadata.json"#
      let result = try await lake.shell(script, ["TABLE": table.path, "CURRENT": committed]).succeeded()
      #expect(result.text == "2\n2")
    }
  }

  @Test("Reading .bergfs/refresh shows a commit at once, whatever the TTL", arguments: Metastore.allCases)
  func refresh(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_refresh_\(metastore.rawValue).events", in: metastore)
    try await MountedCatalog.with(metastore, options: ["--metadata-ttl", "3600"]) { lake in
      let look = #"ls "$M/test_refresh_"*"/events/data" | wc -l; readlink "$M/$TABLE/metadata/current.metadata.json""#
      let before = try await lake.shell(look, ["TABLE": table.path]).succeeded()
      let committed = try await emulator.append(to: table).location
      #expect(try await lake.shell(look, ["TABLE": table.path]).succeeded().text == before.text)
      let after = try await lake.shell(#"cat "$M/.bergfs/refresh" && "# + look, ["TABLE": table.path]).succeeded()
      #expect(after.lines.dropFirst().first == "2")
      let shown = try #require(after.lines.last)
      #expect(committed.hasSuffix(shown))
    }
  }

  @Test("A new table and a new namespace appear within the TTL", arguments: Metastore.allCases)
  func newTable(metastore: Metastore) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    try await MountedCatalog.with(metastore) { lake in
      let name = "test_appears_\(metastore.rawValue)"
      let condition = #"stat "$M/NAME/table/metadata" >/dev/null 2>&1 && ls "$M" | grep -qx NAME"#.replacing("NAME", with: name)
      let delay = try await delay(until: condition, in: lake) {
        _ = try await emulator.createTable(name + ".table", in: metastore)
        return now()
      }
      #expect(delay <= .seconds(1) + Self.margin)
    }
  }

  @Test("An object that is put beside the others is listed within the TTL, one that is deleted is gone")
  func objects() async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let table = try await emulator.createTable("test_objects.events", in: .glue)
    let uri = table.location + "/data/late.parquet"
    try await MountedCatalog.with(.glue) { lake in
      let listed = #"ls "$M/test_objects/events/data" | grep -q late"#
      let put = try await delay(until: listed, in: lake) {
        try await emulator.putObject(uri, Array("late".utf8))
        return now()
      }
      #expect(put <= .seconds(1) + Self.margin)
      #expect(try await lake.shell(#"cat "$M/test_objects/events/data/late.parquet""#).succeeded().text == "late")
      let absent = #"! stat "$M/test_objects/events/data/late.parquet" >/dev/null 2>&1 && ! "# + listed
      let deleted = try await delay(until: absent, in: lake) {
        try await emulator.deleteObject(uri)
        return now()
      }
      #expect(deleted <= .seconds(1) + Self.margin)
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
