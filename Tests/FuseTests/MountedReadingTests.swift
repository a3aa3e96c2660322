// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import Telemetry
import Testing

/// A small tree: two files, a link, a subdirectory.
func smallTree(seconds: Double = 3600, suspends: Bool = false) -> MemoryFileSystem {
  return MemoryFileSystem(
    [
      1: .files([("hello", 2), ("link", 3), ("sub", 4), ("a b\n\u{00e9}%", 5), ("bad", 7)]),
      2: .bytes(.init(Array("hello world\n".utf8))), 3: .link(Array("sub/deep".utf8)), 4: .files([("deep", 6)]),
      5: .bytes(.init(Array("odd".utf8))), 6: .bytes(.init(Array("deep\n".utf8))), 7: .failing(ESTALE),
    ], seconds: seconds, suspends: suspends)
}

@Suite(.serialized)
struct MountedReadingTests {
  @Test("Tools see names, kinds, contents and attributes as the filesystem has them", arguments: [false, true])
  func tools(suspends: Bool) async throws {
    try await TestMount.with(smallTree(suspends: suspends)) { mount in
      #expect(await mount.shell("cat $M/hello $M/link").output == "hello world\ndeep\n")
      #expect(await mount.shell("stat -c '%A %s %h %Y %i %b' $M/hello").output == "-r--r--r-- 12 1 1700000000 2 1\n")
      #expect(await mount.shell("stat -c '%y' $M/hello").output.contains(":20.123456789"))
      #expect(await mount.shell("readlink $M/link; cat $M/a*").output == "sub/deep\nodd")
      let list = await mount.shell("ls -1a $M | head -3; ls -lR $M | grep -c '^[-ld]'")
      #expect(list.output.hasPrefix(".\n..\n"))
      #expect(list.output.hasSuffix("\n6\n"))
      #expect(await mount.shell("find $M -type f | wc -l").output == "5\n")
      #expect(await mount.shell("df --output=source,itotal $M | tail -1 | tr -s ' '").output == "bergfs#test 4294967296\n")
      let entry = try #require(MountTable.current().mount(at: mount.path))
      #expect(entry.source == "bergfs#test" && entry.type == "fuse.bergfs")
    }
  }

  @Test("The filesystem's error reaches the caller, an absent name is ENOENT, and every change is EROFS")
  func errors() async throws {
    try await TestMount.with(smallTree()) { mount in
      #expect(await mount.shell("cat $M/bad").errors.contains("Stale file handle"))
      #expect(await mount.shell("cat $M/absent").errors.contains("No such file"))
      for command in [
        "touch $M/x", "mkdir $M/x", "rm $M/hello", "mv $M/hello $M/y", "ln -s a $M/z", "echo >> $M/hello", "chmod 600 $M/hello",
      ] {
        #expect(await mount.shell(command).errors.contains("Read-only file system"), "\(command)")
      }
      #expect(mount.metrics.value(.operations, "read", "ESTALE") > 0)
      #expect(mount.metrics.value(.operations, "lookup", "ENOENT") > 0)
      #expect(mount.metrics.value(.operations, "lookup", "OK") > 0)
    }
  }

  @Test("Extended attributes are not supported")
  func extendedAttributes() async throws {
    try await TestMount.with(smallTree()) { mount in
      let result = await mount.shell("python3 -c \"import os; os.getxattr('$M/hello', 'user.a')\"")
      #expect(result.errors.contains("Operation not supported"))
    }
  }

  @Test("A listing asks for no lookup or attributes of its entries, and opens for reading send no flush")
  func primedAttributes() async throws {
    let fileSystem = smallTree()
    try await TestMount.with(fileSystem) { mount in
      _ = await mount.shell("ls -l $M/ && cat $M/hello")
      #expect(fileSystem.count(\.lookupRequests) == 0)
      #expect(mount.metrics.value(.operations, "readdirplus", "OK") > 0)
      #expect(mount.metrics.value(.operations, "readdir", "OK") == 0)
      #expect(mount.metrics.value(.operations, "flush", "OK") == 0)
    }
  }

  @Test("A directory of 100,000 entries is listed whole, each once")
  func largeDirectory() async throws {
    let fileSystem = MemoryFileSystem([1: .generatedDirectory(count: 100_000, firstInode: 10)])
    try await TestMount.with(fileSystem) { mount in
      #expect(await mount.shell("ls -f $M | sort -u | wc -l").output == "100002\n")
      #expect(await mount.shell("ls -f $M | tail -1").output == "f099999\n")
    }
  }

  @Test("Bytes of a large file arrive whole, also with several readers at once")
  func concurrentReads() async throws {
    let block = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let size = 64 << 20
    let fileSystem = MemoryFileSystem([
      1: .files([("big", 2)]), 2: .repeated(.init(block), size: Int64(size) + 5),
    ])
    try await TestMount.with(fileSystem) { mount in
      let result = try await mount.blocking { path -> String in
        let expected = ChildProcess.run(
          "/bin/bash",
          [
            "-c",
            "head -c \(size + 5) '\(path)/big' | md5sum; for i in 1 2 3 4; do dd if='\(path)/big' bs=777777 status=none | md5sum & done; wait",
          ])
        return Set(expected.output.split(separator: "\n")).count == 1 ? "same" : expected.output
      }
      #expect(result == "same")
      let isRight = try await mount.blocking { path -> Bool in
        let descriptor = open("\(path)/big", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1000)
        let position = (3 << 20) - 500
        guard pread(descriptor, &buffer, 1000, off_t(position)) == 1000 else { return false }
        return buffer == (0..<1000).map { block[(position + $0) % block.count] }
      }
      #expect(isRight)
      #expect(await mount.shell("dd if=$M/big iflag=direct bs=1M status=none of=/dev/null").status == 0)
      #expect(fileSystem.count(\.requestedReadSizes).contains(1 << 20))
    }
  }

  @Test("As root the read-ahead window of the mount is raised", .enabled(if: geteuid() == 0))
  func readAhead() async throws {
    try await TestMount.with(smallTree()) { mount in
      let device = try #require(MountTable.current().mount(at: mount.path)?.device)
      #expect(SmallFile.read("/sys/class/bdi/\(device)/read_ahead_kb") == Array("1024\n".utf8))
    }
  }
}
