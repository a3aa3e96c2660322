// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import Telemetry
import Testing

/// What the filesystem sees of real tools that write.
@Suite(.serialized)
struct MountedWritingTests {
  @Test("cp makes the file, writes it in order, and flushes once after the last byte")
  func copyingIn() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      let result = await mount.shell("head -c 300000 /dev/zero | tr '\\0' x > $M.in; cp $M.in $M/N; echo $?; rm $M.in")
      #expect(result.output == "0\n" && result.errors == "")
      #expect(await eventually { fileSystem.openHandles == 0 })
      #expect(
        fileSystem.log == [
          "create N w,creat,excl 644", "write N 0+131072", "write N 131072+131072", "write N 262144+37856", "flush N", "release N",
        ])
      #expect(fileSystem.content("N") == String(repeating: "x", count: 300_000))
      #expect(mount.metrics.value(.operations, "create", "OK") == 1)
      #expect(mount.metrics.value(.operations, "write", "OK") == 3)
    }
  }

  @Test("A redirection flushes before its first byte, because dup2 closes a descriptor; a truncating one tells it in the flags of open")
  func redirection() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      #expect(await mount.shell("umask 077; echo hello > $M/f").status == 0)
      #expect(await eventually { fileSystem.openHandles == 0 })
      #expect(fileSystem.log == ["create f w,creat,trunc 600", "flush f", "write f 0+6", "flush f", "release f"])
      fileSystem.forgetEvents()
      #expect(await mount.shell("echo ho > $M/f; echo more >> $M/f; cat $M/f").output == "ho\nmore\n")
      #expect(await eventually { fileSystem.openHandles == 0 })
      // No SETATTR truncates, and the reader's close flushes nothing.
      #expect(
        fileSystem.log.filter { !$0.hasPrefix("re") } == [
          "open f w,trunc", "flush f", "write f 0+3", "flush f", "open f w,append", "flush f", "write f 3+5", "flush f", "open f r",
        ])
      #expect(fileSystem.count(.setattr) == 0)
    }
  }

  @Test("Writes of 1 MiB arrive as one request, and fsync before the flush of close")
  func directSizes() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      #expect(await mount.shell("dd if=/dev/zero of=$M/d bs=1M count=2 conv=fsync status=none").status == 0)
      #expect(await eventually { fileSystem.openHandles == 0 })
      #expect(
        fileSystem.log == [
          "create d w,creat,trunc 644", "flush d", "write d 0+1048576", "write d 1048576+1048576", "fsync d", "flush d", "release d",
        ])
    }
  }

  @Test("touch, chmod, chown, truncate and ftruncate say what they change, and only ftruncate says by which handle")
  func attributeChanges() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.shell("echo hello > $M/f")
      fileSystem.forgetEvents()
      let result = await mount.shell(
        "touch -d @1234567890.5 $M/f; stat -c %.Y $M/f; touch -m $M/f; chmod 4600 $M/f; chown 7:8 $M/f; truncate -s 3 $M/f")
      #expect(result.output == "1234567890.500000000\n" && result.errors == "")
      let python = await mount.python(
        """
        d = os.open('$M/f', os.O_RDWR)
        os.ftruncate(d, 9); os.fchmod(d, 0o600); os.utime(d, (5, 6)); os.close(d); os.truncate('$M/f', 2)
        """)
      #expect(python.errors == "")
      #expect(
        fileSystem.log.filter { $0.hasPrefix("setattr") } == [
          "setattr f modified accessed", "setattr f modified", "setattr f mode=4600", "setattr f mode=600 uid=7 gid=8",
          "setattr f size=3 handle",
          "setattr f size=9 handle", "setattr f mode=600", "setattr f modified accessed", "setattr f size=2",
        ])
      #expect(fileSystem.content("f") == "he")
      #expect(await mount.shell("stat -c '%a %u %g' $M/f").output == "600 7 8\n")
    }
  }

  @Test("UTIME_NOW is the clock's time")
  func currentTime() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      let result = await mount.shell("date +%s; touch $M/f; stat -c %Y $M/f; date +%s")
      let times = result.output.split(separator: "\n").compactMap { Int($0) }
      #expect(times.count == 3 && times == times.sorted(), "\(times)")
    }
  }

  @Test("Directories are made and removed, names unlinked, and a directory that is not empty stays")
  func names() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      #expect(await mount.shell("umask 022; mkdir -p $M/a/b; echo 1 > $M/a/f; ls $M/a").output == "b\nf\n")
      #expect(await mount.shell("rmdir $M/a").errors.contains("Directory not empty"))
      #expect(await mount.shell("rm -r $M/a; ls $M").output == "")
      let changes = fileSystem.log.filter { $0.hasPrefix("mkdir") || $0.hasPrefix("rmdir") || $0.hasPrefix("unlink") }
      #expect(changes == ["mkdir a 755", "mkdir b 755", "rmdir a", "rmdir b", "unlink f", "rmdir a"])
    }
  }

  @Test("Renames keep their flags: no replacing, exchanging; a flag that nobody knows is EINVAL without a request")
  func renames() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      #expect(
        await mount.shell("mkdir $M/s; echo a > $M/a; echo b > $M/b; mv $M/a $M/c; mv -n $M/c $M/b; mv $M/c $M/s/d; cat $M/s/d").output
          == "a\n")
      let result = await mount.python(
        """
        libc = ctypes.CDLL(None, use_errno=True)
        for flags in (1, 2, 4):
            code = libc.renameat2(-100, b'$M/b', -100, b'$M/s/d', flags)
            print(code, errno.errorcode.get(ctypes.get_errno()) if code else '')
        """)
      #expect(result.output == "-1 EEXIST\n0 \n-1 EINVAL\n")
      #expect(fileSystem.content("d") == "b\n" && fileSystem.content("b") == "a\n")
      let renames = fileSystem.log.filter { $0.hasPrefix("rename") }
      #expect(renames == ["rename a c noReplace", "rename c d noReplace", "rename b d exchange"], "\(renames)")
    }
  }

  @Test("cp inside the mount copies by copy_file_range, and by reads and writes where that is refused")
  func copyingInside() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.shell("seq 100000 > $M/a")
      fileSystem.forgetEvents()
      #expect(await mount.shell("cp $M/a $M/b && cmp $M/a $M/b").status == 0)
      #expect(fileSystem.log.contains { $0.hasPrefix("copy_file_range a 0 b 0 +") })
      #expect(fileSystem.count(.write) == 0)
      for number in [EOPNOTSUPP, EXDEV] {
        fileSystem.forgetEvents()
        fileSystem.fail(.copyFileRange, with: number)
        #expect(await mount.shell("rm -f $M/c; cp $M/a $M/c && cmp $M/a $M/c").status == 0)
        #expect(fileSystem.count(.copyFileRange) > 0 && fileSystem.count(.write) > 0)
      }
      fileSystem.fail(.copyFileRange, with: 0)
      #expect(await mount.shell("cp $M/a $M/d && cmp $M/a $M/d").status == 0)
      fileSystem.fail(.copyFileRange, with: EFBIG)
      #expect(await mount.shell("cp $M/a $M/e").errors.contains("File too large"))
    }
  }

  @Test("A copy between files keeps its two offsets and its length, and its caller learns how much was copied")
  func copyingParts() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      _ = await mount.shell("printf 0123456789 > $M/a; printf abcdefghij > $M/b")
      let result = await mount.python(
        """
        a = os.open('$M/a', os.O_RDONLY); b = os.open('$M/b', os.O_WRONLY)
        print(os.copy_file_range(a, b, 3, 2, 5), os.copy_file_range(a, b, 100, 8, 8))
        """)
      #expect(result.output == "3 2\n" && result.errors == "")
      #expect(fileSystem.content("b") == "abcde23489")
      // The kernel itself stops at the end of the source.
      #expect(fileSystem.log.filter { $0.hasPrefix("copy") } == ["copy_file_range a 2 b 5 +3", "copy_file_range a 8 b 8 +2"])
    }
  }

  @Test("Tools that keep modes, times and access lists work without extended attributes")
  func keepingTools() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      let result = await mount.shell(
        """
        set -e; S=$(mktemp -d); echo x > $S/a; chmod 640 $S/a; touch -d @1000000000 $S/a
        cp -p $S/a $M/a; cp -a $S/a $M/b; install -m 600 $S/a $M/c; mv $S/a $M/d; cp -p $M/a $M/e; install -d $M/f; rm -r $S
        stat -c '%n %a %Y' $M/a $M/b $M/d $M/e | sed "s|$M/||"; stat -c %a $M/c; python3 -c "import os; d=os.open('$M', 0); os.fsync(d)"
        """)
      #expect(result.errors == "")
      #expect(result.output == "a 640 1000000000\nb 640 1000000000\nd 640 1000000000\ne 640 1000000000\n600\n")
      #expect(result.status == 0)
    }
  }

  @Test("A write is one request: none for the setuid bits or the size of the file goes with it")
  func noExtraRequests() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      let result = await mount.python(
        """
        d = os.open('$M/f', os.O_RDWR | os.O_CREAT)
        os.fchmod(d, 0o4755)
        for i in range(50): os.pwrite(d, b'x', i)
        """)
      #expect(result.errors == "")
      #expect(fileSystem.count(.write) == 50)
      #expect(fileSystem.log.filter { $0.hasPrefix("setattr") } == ["setattr f mode=4755"])
      // One for each write would be 50.
      #expect(fileSystem.attributeRequests < 5)
    }
  }

  @Test("Links, nodes and allocation are refused; posix_fallocate's callers see that it is not supported")
  func refusals() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.writable(fileSystem) { mount in
      #expect(await mount.shell("echo x > $M/f; ln -s f $M/l").errors.contains("Operation not permitted"))
      #expect(await mount.shell("ln $M/f $M/l").errors.contains("Operation not permitted"))
      #expect(await mount.shell("mkfifo $M/l").errors.contains("Operation not permitted"))
      #expect(await mount.shell("fallocate -l 100 $M/f").errors.contains("not supported"))
      #expect(await mount.shell("fallocate -l 100 $M/f").errors.contains("not supported"))
      #expect(mount.metrics.value(.operations, "fallocate", "EOPNOTSUPP") == 2)
      #expect(mount.metrics.value(.operations, "symlink", "EPERM") == 1)
    }
  }

  @Test("On a read-only mount no change reaches even a filesystem that would take it")
  func readOnlyMount() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.with(fileSystem) { mount in
      for command in ["echo > $M/f", "mkdir $M/d", "ln -s a $M/l", "mkfifo $M/p", "touch $M"] {
        #expect(await mount.shell(command).errors.contains("Read-only file system"), "\(command)")
      }
      #expect(fileSystem.log == [])
    }
  }

  @Test("Made writable behind the daemon's back, a read-only mount still refuses every change", .enabled(if: geteuid() == 0))
  func remounted() async throws {
    let fileSystem = WritableFileSystem()
    try await TestMount.with(fileSystem) { mount in
      #expect(await mount.shell("mount -i -o remount,rw $M").errors == "")
      for command in ["echo > $M/f", "mkdir $M/d", "ln -s a $M/l", "mkfifo $M/p", "touch $M"] {
        #expect(await mount.shell(command).errors.contains("Read-only file system"), "\(command)")
      }
      #expect(mount.metrics.value(.operations, "mkdir", "EROFS") == 1)
      #expect(fileSystem.log == [])
    }
  }
}
