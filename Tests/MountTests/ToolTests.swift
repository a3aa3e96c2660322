// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Everyday tools on a mounted catalog")
struct ToolTests {
  @Test("ls -lR walks the catalog without an error", arguments: Metastore.allCases)
  func listRecursively(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let result = try await lake.shell(#"ls -lR --color=never "$M/sales" "$M/web" "$M/telemetry" "$M/lab" "$M/vacant""#).succeeded()
      #expect(result.errorText == "")
      let clicks = try lake.seed.table("web.clicks")
      #expect(result.lines.count { $0.hasPrefix("-r--r--r-- 1 root root ") && $0.hasSuffix(".parquet") } >= Int(clicks.dataFileCount))
      #expect(result.lines.contains { $0.contains(" current.metadata.json -> \(clicks.metadataFileName)") })
    }
  }

  @Test("find sees every file once, and du adds up their sizes")
  func findAndUsage() async throws {
    try await MountedCatalog.with(.glue) { lake in
      for table in lake.seed.tables {
        let objects = lake.emulator.seededObjects(at: table.dataDirectory).objects
        let script = #"cd "$M/$TABLE/data" && find . -type f -printf x | wc -c && du -s --apparent-size -B1 . && du -s -B512 ."#
        let result = try await lake.shell(script, ["TABLE": table.path]).succeeded()
        let bytes = objects.reduce(0) { $0 + $1.size }
        let blocks = objects.reduce(0) { $0 + ($1.size + 511) / 512 }
        #expect(result.lines == ["\(objects.count)", "\(bytes)\t.", "\(blocks)\t."], "\(table.path)")
      }
    }
  }

  @Test("cp -r copies a namespace, and diff -r finds no difference", arguments: Metastore.allCases)
  func copyAndCompare(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let result = try await lake.shell(#"cp -r "$M/sales" "$T/copy" && diff -r "$M/sales" "$T/copy" && find "$T/copy" -type f | wc -l"#)
        .succeeded()
      #expect(result.errorText == "")
      let count = try #require(Int(result.trimmed))
      #expect(count > 40)
    }
  }

  @Test("cp -a, rsync -aX and tar --xattrs meet no extended attribute and fail on none")
  func archiveCopies() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let script = #"""
        set -e
        cp -a "$M/sales/customers" "$T/archived"
        cp --preserve=all -r "$M/sales/customers" "$T/preserved"
        rsync -aX "$M/sales/customers/" "$T/synced/"
        tar --xattrs --warning=none -C "$M/sales" -cf "$T/customers.tar" customers 2>"$T/said"
        grep -v 'Warning: Cannot .*listxattr[a-z]*: Operation not supported$' "$T/said" || true
        for copy in archived preserved synced; do diff -r "$M/sales/customers" "$T/$copy"; done
        stat -c %Y "$M/sales/customers/metadata/"*.avro >"$T/times"
        stat -c %Y "$T/archived/metadata/"*.avro | diff - "$T/times"
        stat -c %Y "$T/synced/metadata/"*.avro | diff - "$T/times"
        """#
      let result = try await lake.shell(script).succeeded()
      #expect(result.text + result.errorText == "")
    }
  }

  @Test("rsync -a brings a tree over once and finds nothing left to do")
  func synchronise() async throws {
    try await MountedCatalog.with(.dynamodb) { lake in
      let script = #"""
        set -e
        rsync -a "$M/web/" "$T/web/"
        echo "again: $(rsync -ain "$M/web/" "$T/web/")"
        echo "by checksum: $(rsync -acin "$M/web/" "$T/web/")"
        """#
      let result = try await lake.shell(script).succeeded()
      #expect(result.text == "again: \nby checksum: \n")
      #expect(result.errorText == "")
    }
  }

  @Test("tar archives a namespace and finds its archive equal to it")
  func archive() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let script =
        #"tar -C "$M" -cf "$T/lake.tar" sales telemetry && tar -C "$M" -df "$T/lake.tar" && tar -tf "$T/lake.tar" | grep -c parquet$"#
      let result = try await lake.shell(script).succeeded()
      #expect(result.errorText == "")
      let count = try #require(Int(result.trimmed))
      #expect(count >= 2)
    }
  }

  @Test("jq reads the current metadata through its link")
  func query() async throws {
    try await MountedCatalog.with(.glue) { lake in
      for table in lake.seed.tables where !table.metadataFileName.contains(".gz.") {
        let script = #"jq -r .location "$M/$TABLE/metadata/current.metadata.json""#
        #expect(try await lake.shell(script, ["TABLE": table.path]).succeeded().trimmed == table.location)
      }
      let refs = try await lake.shell(#"jq -c '.refs | keys' "$M/sales/orders/metadata/current.metadata.json""#).succeeded()
      #expect(refs.trimmed == #"["audit","main","month_end"]"#)
    }
  }

  @Test("grep -r finds a word in every metadata file that has it, and skips nothing")
  func search() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let script = #"cd "$M" && grep -rl month_end sales; echo "status $?"; grep -rc "table-uuid" sales/orders --include='*.metadata.json'"#
      let result = try await lake.shell(script).succeeded()
      #expect(result.errorText == "")
      let parts = result.text.split(separator: "status 0\n").map { $0.split(separator: "\n") }
      #expect(parts.count == 2)
      let orders = try lake.seed.table("sales.orders")
      let named = (parts.first ?? []).filter { $0.hasSuffix(".metadata.json") }
      #expect(named.contains { $0.hasSuffix(orders.metadataFileName) })
      #expect(parts.last?.count == lake.emulator.seededObjects(at: orders.metadataDirectory).objects.count { $0.isMetadataFile })
    }
  }

  @Test("sha256sum -c accepts what boto3 downloaded")
  func checksums() async throws {
    try await MountedCatalog.with(.dynamodb) { lake in
      let table = try lake.seed.table("web.clicks")
      let (objects, prefixLength) = lake.emulator.seededObjects(at: table.dataDirectory)
      let sums = objects.map { "\($0.sha256)  \(String(decoding: $0.key.dropFirst(prefixLength), as: UTF8.self))\n" }.joined()
      let script = #"cd "$M/web/clicks/data" && sha256sum --strict -c -"#
      let result = try await lake.shell(script, input: Array(sums.utf8)).succeeded()
      #expect(result.lines.count == objects.count)
      #expect(result.lines.allSatisfy { $0.hasSuffix(": OK") })
    }
  }

  @Test("df and stat -f show a petabyte of room on a filesystem of this name")
  func space() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let shown = try await lake.shell(#"df -B1 --output=source,fstype,avail,target "$M" | tail -n 1; stat -f -c '%l %s' "$M""#).succeeded()
      let petabyte = 1 << 50
      let fields = shown.lines.first?.split(separator: " ").map(String.init)
      #expect(fields == ["bergfs#lake", "fuse.bergfs", "\(petabyte)", lake.path])
      let longestName = shown.lines.last?.split(separator: " ").first
      #expect(longestName == "255")
    }
  }

  @Test("stat shows what a file system has to: kind, mode, owner, links, size, blocks")
  func status() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let table = try lake.seed.table("telemetry.readings")
      let object = try #require(lake.emulator.seededObjects(at: table.dataDirectory).objects.first)
      let script = #"cd "$M/telemetry/readings" && stat -c '%F %a %u %g %h %s %b' . data data/*.parquet metadata/current.metadata.json"#
      let lines = try await lake.shell(script).succeeded().lines
      let linkSize = table.metadataFileName.utf8.count
      #expect(lines.map { $0.replacing(#/ \d+ 0$/#, with: "") }.prefix(2) == ["directory 755 0 0 1", "directory 755 0 0 1"])
      #expect(lines.dropFirst(2).first == "regular file 444 0 0 1 \(object.size) \((object.size + 511) / 512)")
      #expect(lines.last?.hasPrefix("symbolic link 777 0 0 1 \(linkSize) ") == true, "\(lines)")
    }
  }

  @Test("The inode of a file stays the same for the life of the mount")
  func inodes() async throws {
    try await MountedCatalog.with(.glue, options: ["--metadata-ttl", "0"]) { lake in
      let script = #"cd "$M/sales/orders" && find . -printf '%i %P\n' | sort -k2 | grep -v current"#
      let first = try await lake.shell(script).succeeded()
      let second = try await lake.shell(script).succeeded()
      #expect(first.text == second.text)
      let numbers = first.lines.map { $0.prefix { $0 != " " } }
      #expect(Set(numbers).count == numbers.count)
    }
  }

  @Test("A pager on a terminal shows the current metadata and leaves")
  func pager() async throws {
    try await MountedCatalog.with(.glue) { lake in
      // A pager of this size of window shows the first page, then reads to the end for G.
      let program = #"""
        import os, pty, select, sys, time
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm", LESSSECURE="1")
            os.execvp("less", ["less", "-X", sys.argv[1] + "/telemetry/readings/metadata/current.metadata.json"])
        shown, asked, end = b"", False, time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    part = os.read(terminal, 65536)
                except OSError:
                    break
                if not part:
                    break
                shown += part
            elif shown and not asked:
                os.write(terminal, b"Gq")
                asked = True
        print(os.waitpid(pid, 0)[1], flush=True)
        sys.stdout.buffer.write(shown)
        """#
      let result = try await lake.python(program).succeeded()
      #expect(result.text.hasPrefix("0\n"), "\(result)")
      #expect(result.text.contains("table-uuid"), "\(result)")
      let more = try await lake.shell(#"more "$M/sales/customers/metadata/current.metadata.json" | cat"#).succeeded()
      #expect(more.text.contains("\"format-version\":1"))
    }
  }

  @Test("Two shells at once see the same bytes")
  func twoShells() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let script = #"cd "$M" && for round in 1 2 3; do find sales telemetry -type f | sort | xargs sha256sum; done"#
      async let first = lake.shell(script)
      async let second = lake.shell(script)
      let (one, other) = try await (first.succeeded(), second.succeeded())
      #expect(one.text == other.text)
      #expect(one.lines.count > 120)
      #expect(Set(one.lines).count * 3 == one.lines.count)
    }
  }

  @Test("head, tail, wc, file and tree read as they do anywhere")
  func smallTools() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let script = #"""
        set -e
        cd "$M/telemetry/readings"
        head -c 4 data/*.parquet; echo
        tail -c 4 data/*.parquet; echo
        wc -c <metadata/current.metadata.json
        file -b metadata/*.avro | sort -u | head -n 1
        tree -i "$M/sales" | tail -n 1
        """#
      let lines = try await lake.shell(script).succeeded().lines
      #expect(lines.prefix(2) == ["PAR1", "PAR1"])
      #expect(lines.count == 5)
      #expect(lines.last?.hasSuffix("files") == true)
    }
  }

  @Test("Both kinds of catalog are mounted at once")
  func bothAtOnce() async throws {
    try await MountedCatalog.with(.glue) { glue in
      try await MountedCatalog.with(.dynamodb) { dynamodb in
        let script = #"diff <(ls "$M/sales") <(ls "$OTHER/sales") && ls "$M/sales""#
        let result = try await glue.shell(script, ["OTHER": dynamodb.path]).succeeded()
        #expect(result.lines == ["customers", "inventory", "orders"])
      }
    }
  }

  @Test("bergfs mount in a pipe ends when the mount answers")
  func mountInPipe() async throws {
    let workspace = try await MountWorkspace(MountSettings(.glue))
    let script =
      #""$BERGFS" mount lake "$M" --config "$CONFIG" --log-file "$LOG" 2>&1 | cat; echo "status ${PIPESTATUS[0]}"; ls "$M" | head -n 1; "$BERGFS" umount "$M""#
    let variables = [
      "BERGFS": ProjectFiles.bergfs, "M": workspace.mountpoint, "CONFIG": workspace.configurationFile, "LOG": workspace.logFile,
    ]
    let result = try await Shell.bash(script, variables, within: .seconds(30))
    #expect(result.lines == ["status 0", "broken"], "\(result)")
    #expect(!workspace.isMounted)
    await workspace.discard()
  }
}

extension StoredObject {
  var isMetadataFile: Bool { String(decoding: key, as: UTF8.self).hasSuffix(".metadata.json") }
}
