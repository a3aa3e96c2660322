// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing
import WireFormats

@Suite("The disk cache of a mount")
struct DiskCacheMountTests {
  /// A directory for the cache, and the proxy that all mounts of a test share: the endpoint is part of what blocks are known by.
  private struct Bench {
    let place: TemporaryDirectory
    let proxy: CountingProxy
    var cache: String { place.file("cache") }

    init() async throws {
      place = try TemporaryDirectory()
      proxy = try await CountingProxy(to: .shared())
    }

    func settings(_ options: [String] = []) -> MountSettings {
      MountSettings(.glue, options: ["--cache-dir", cache] + options, proxy: proxy)
    }

    /// Requests for bytes of data files.
    var dataRequests: Int { proxy.requests.count { $0.kind == "GET" && $0.target.contains("/data/") } }

    func shell(_ script: String) async throws -> ProcessResult {
      try await Shell.bash(script, ["C": cache, "P": place.path], directory: place.path)
    }
  }

  private func withBench(_ body: (Bench) async throws -> Void) async throws {
    let bench = try await Bench()
    do {
      try await body(bench)
      await bench.place.remove()
    } catch {
      await bench.place.remove()
      throw error
    }
  }

  /// The largest data file of the seed, below a mountpoint.
  private func largeFile(_ lake: MountedCatalog) throws -> (path: String, object: StoredObject) {
    let (objects, prefixLength) = lake.emulator.seededObjects(at: try lake.seed.table("telemetry.readings").dataDirectory)
    let object = try #require(objects.max { $0.size < $1.size })
    return ("/telemetry/readings/data/" + String(decoding: object.key.dropFirst(prefixLength), as: UTF8.self), object)
  }

  /// Mounts afresh, reads the file, and checks its bytes.
  /// - Returns: how many requests for data that took, and the metrics of the disk cache.
  private func read(_ bench: Bench, _ options: [String] = []) async throws -> (requests: Int, metrics: [String: Int]) {
    try await MountedCatalog.with(bench.settings(options)) { lake in
      let (file, object) = try largeFile(lake)
      bench.proxy.reset()
      let sum = try await lake.shell(#"sha256sum <"$M$F""#, ["F": file]).succeeded()
      #expect(sum.trimmed == "\(object.sha256)  -")
      return (bench.dataRequests, try await metrics(lake))
    }
  }

  private func metrics(_ lake: MountedCatalog) async throws -> [String: Int] {
    let lines = try await lake.shell(#"grep '^bergfs_disk_cache' "$M/.bergfs/metrics""#).succeeded().lines
    return lines.reduce(into: [:]) { result, line in
      let words = line.split(separator: " ")
      result[String(words[0].dropFirst("bergfs_disk_cache_".count).prefix { $0 != "{" })] = words.last.flatMap { Int($0) }
    }
  }

  @Test("A file that was read is read by the next mount without a request for data, and the same bytes")
  func remounted() async throws {
    try await withBench { bench in
      let first = try await read(bench)
      #expect(first.requests > 0 && first.metrics["hits_total"] == 0)
      for _ in 1...2 {
        let again = try await read(bench)
        #expect(again.requests == 0)
        #expect((again.metrics["hits_total"] ?? 0) > 0 && again.metrics["misses_total"] == 0 && again.metrics["written_bytes_total"] == 0)
      }
    }
  }

  @Test("Every file damaged, cut or emptied: the next mount reads the same bytes from S3, and the one after it from the disk again")
  func damaged() async throws {
    let damages = [
      #"for f in "$C"/*.block; do printf 'XYZ' | dd of="$f" bs=1 seek=100000 conv=notrunc status=none; done"#,
      #"for f in "$C"/*.block; do printf 'XYZ' | dd of="$f" bs=1 seek=50 conv=notrunc status=none; done"#,
      #"for f in "$C"/*.block; do truncate -s 70000 "$f"; done"#, #"for f in "$C"/*.block; do : >"$f"; done"#,
      #"for f in "$C"/*.block; do dd if=/dev/zero of="$f" bs=4096 seek=1 count=64 conv=notrunc status=none; done"#,
    ]
    try await withBench { bench in
      _ = try await read(bench)
      for damage in damages {
        let files = Int(try await bench.shell(damage + "\n" + #"ls "$C"/*.block | wc -l"#).succeeded().trimmed) ?? 0
        #expect(files > 8)
        let damaged = try await read(bench)
        #expect(damaged.requests > 0 && damaged.metrics["damaged_total"] == files, "\(damage): \(damaged)")
        let whole = try await read(bench)
        #expect(whole.requests == 0 && whole.metrics["damaged_total"] == 0, "\(damage): \(whole)")
      }
    }
  }

  @Test("Two mounts share one directory at once: the same bytes for all their readers, and a third mount needs no request for data")
  func shared() async throws {
    try await withBench { bench in
      try await MountedCatalog.with(bench.settings(["--memory-limit", "16M"])) { one in
        let (file, object) = try largeFile(one)
        try await MountedCatalog.with(bench.settings(["--memory-limit", "16M"])) { two in
          let script = #"for i in 1 2 3; do sha256sum <"$M$F" & sha256sum <"$N$F" & wait; done"#
          let sums = try await one.shell(script, ["F": file, "N": two.path]).succeeded()
          #expect(sums.lines == Array(repeating: "\(object.sha256)  -", count: 6))
          for mount in [one, two] {
            let metrics = try await metrics(mount)
            #expect(metrics["damaged_total"] == 0 && metrics["errors_total"] == 0)
          }
        }
      }
      let others = try await bench.shell(#"ls -A "$C" | grep -v '\.block$'"#)
      #expect(others.trimmed == "")
      let afterwards = try await read(bench)
      #expect(afterwards.requests == 0 && afterwards.metrics["damaged_total"] == 0)
    }
  }

  @Test("A daemon killed while it writes leaves nothing that a later mount would take for data")
  func killed() async throws {
    try await withBench { bench in
      for round in 1...3 {
        try await TestSlots.mounts.occupied {
          let workspace = try await MountWorkspace(bench.settings())
          try await workspace.mount().succeeded()
          let lake = MountedCatalog(workspace: workspace, seed: try workspace.emulator.catalog(.glue))
          let (file, _) = try largeFile(lake)
          _ = try await lake.shell(#"head -c "$N" "$M$F" >/dev/null"#, ["F": file, "N": "\(round * 3_000_000)"])
          for daemon in workspace.daemons { kill(daemon, SIGKILL) }
          await workspace.discard()
        }
        let next = try await read(bench)
        #expect(next.metrics["damaged_total"] == 0)
      }
      let last = try await read(bench)
      #expect(last.requests == 0)
    }
  }

  @Test("Directory and files are the user's alone, and hold no key of his")
  func secrets() async throws {
    try await withBench { bench in
      _ = try await read(bench)
      let emulator = try await EmulatorWithSeed.shared()
      let modes = try await bench.shell(#"stat -c %a "$C"; stat -c %a "$C"/* | sort -u"#).succeeded()
      #expect(modes.lines == ["700", "600"])
      let found = try await Shell.bash(
        #"grep -rlF -e "$K" -e "$S" "$C" | wc -l"#, ["C": bench.cache, "K": emulator.reader.access, "S": emulator.reader.secret])
      #expect(found.trimmed == "0")
    }
  }

  @Test("status.json shows directory, size and limit")
  func status() async throws {
    try await withBench { bench in
      let options = ["--cache-size", "64M"]
      try await MountedCatalog.with(bench.settings(options)) { lake in
        let (file, _) = try largeFile(lake)
        try await lake.shell(#"cat "$M$F" >/dev/null"#, ["F": file]).succeeded()
        let isWritten = await becomesTrue { (try? await metrics(lake)["written_bytes_total"] ?? 0) ?? 0 > 8 << 20 }
        #expect(isWritten)
        let status = try JSONDocument(parsing: try await lake.shell(#"cat "$M/.bergfs/status.json""#).succeeded().output).root
        #expect(status["disk-cache"]?["directory"]?.string == bench.cache)
        #expect(status["disk-cache"]?["limit-bytes"]?.int64 == 64 << 20)
        let bytes = status["disk-cache"]?["bytes"]?.int64 ?? 0
        #expect(bytes > 8 << 20 && bytes <= 64 << 20)
        #expect(status["options"]?["cache-dir"]?.string == bench.cache && status["options"]?["cache-size-bytes"]?.int64 == 64 << 20)
      }
      try await MountedCatalog.with(.glue) { lake in
        let plain = try await lake.shell(#"jq -c '.["disk-cache"]' "$M/.bergfs/status.json""#).succeeded()
        #expect(plain.trimmed == "null")
      }
    }
  }

  @Test("On a full disk, and on one that becomes read-only, the mount goes on without the cache, with one warning")
  func outages() async throws {
    let outages = [#"dd if=/dev/zero of="$C/other" bs=64k status=none"#, #"mount -o remount,ro "$C""#]
    for (index, outage) in outages.enumerated() {
      try await withBench { bench in
        try await bench.shell(#"mkdir -m 700 "$C" && mount -t tmpfs -o size=4m,mode=0700 none "$C""#).succeeded()
        do {
          try await MountedCatalog.with(bench.settings(["--memory-limit", "16M"])) { lake in
            let (file, object) = try largeFile(lake)
            _ = try await bench.shell(outage)
            for _ in 1...2 {
              let sum = try await lake.shell(#"sha256sum <"$M$F""#, ["F": file]).succeeded()
              #expect(sum.trimmed == "\(object.sha256)  -")
            }
            let isCounted = await becomesTrue { (try? await metrics(lake)["errors_total"] ?? 0) ?? 0 > 0 }
            #expect(isCounted)
            let written = try await lake.shell(#"jq '.["disk-cache"].written' "$M/.bergfs/status.json""#).succeeded()
            #expect(written.trimmed == "false")
            let warnings = await lake.workspace.log().split(separator: "\n").filter { $0.contains("the disk cache cannot be written") }
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains(index == 0 ? "No space left on device" : "Read-only file system") == true)
          }
        } catch {
          _ = try await bench.shell(#"umount -l "$C""#)
          throw error
        }
        try await bench.shell(#"umount -l "$C""#).succeeded()
      }
    }
  }

  @Test("A cache in the mountpoint, in a file, or open to others is refused in one line, and nothing is mounted")
  func refused() async throws {
    let emulator = MountSettings(.glue)
    let workspace = try await MountWorkspace(emulator)
    try await Shell.bash(
      #"touch "$T/file" && mkdir -m 755 "$T/open" && mkdir -m 700 "$T/real" && ln -s real "$T/link""#, ["T": workspace.directory.path]
    )
    .succeeded()
    let cases = [
      (workspace.mountpoint, "lies in the mountpoint"), (workspace.mountpoint + "/cache", "lies in the mountpoint"),
      (workspace.directory.file("file"), "is a symbolic link or no directory"),
      (workspace.directory.file("link"), "is a symbolic link or no directory"),
      (workspace.directory.file("open"), "is open to other users"),
      (workspace.directory.file("none/cache"), "cannot be made"),
    ]
    for (place, words) in cases {
      let result = try await workspace.bergfs(
        ["mount", "lake", workspace.mountpoint, "--config", workspace.configurationFile, "--cache-dir", place])
      #expect(result.status == 1 && result.errorText.contains("the cache directory \(place)"), "\(result)")
      #expect(result.errorText.contains(words) && result.errorText.split(separator: "\n").count == 1, "\(result)")
      #expect(!workspace.isMounted)
    }
    await workspace.discard()
  }
}
