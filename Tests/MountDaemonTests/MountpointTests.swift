// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Logging
import Processes
import Testing

@testable import MountDaemon

struct MountpointTests {
  private func withDirectory(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/bergfs-lifecycle-test.XXXXXX".utf8CString)
    let path = try template.withUnsafeMutableBufferPointer {
      try #require($0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) })
    }
    defer { _ = ChildProcess.run("rm", ["-rf", path]) }
    try body(path)
  }

  private func message(_ path: String) -> String? {
    do throws(LifecycleError) {
      _ = try Mountpoint.prepare(path, logger: Logger(label: "test"))
      return nil
    } catch {
      return error.message
    }
  }

  @Test("An empty directory is usable, also by a symbolic link or with a slash at the end, and is named without them")
  func usable() throws {
    try withDirectory { path in
      #expect(mkdir("\(path)/m", 0o755) == 0)
      #expect(symlink("m", "\(path)/link") == 0)
      let mountpoint = try Mountpoint.prepare("\(path)/link/", logger: Logger(label: "test"))
      #expect(mountpoint.path == "\(path)/m")
    }
  }

  @Test("Absent, below a file, a file, and not empty: each has its sentence")
  func sentences() throws {
    try withDirectory { path in
      #expect(message("\(path)/no") == "mountpoint \(path)/no does not exist: create it with mkdir -p")
      close(open("\(path)/file", O_CREAT | O_WRONLY, 0o644))
      #expect(message("\(path)/file") == "mountpoint \(path)/file is a file: give a directory")
      #expect(message("\(path)/file/x") == "mountpoint \(path)/file/x lies below a file: give a directory")
      #expect(message(path) == "mountpoint \(path) is not empty (it holds file): give an empty directory")
      #expect(message("") == "the mountpoint is empty: give a directory")
    }
  }

  @Test("Unmounting what is not mounted, or is not ours, says so")
  func notMounted() throws {
    try withDirectory { path in
      for (place, sentence) in [
        (path, "\(path) is not a mount point"), ("\(path)/no", "\(path)/no does not exist"),
        ("/proc", "/proc is a proc mount, not one of bergfs: use umount"),
      ] {
        let error = #expect(throws: LifecycleError.self) { try Unmounter.unmount(place) }
        #expect(error?.message == sentence)
      }
    }
  }

  @Test("The daemon's pid is read from a status document, and nothing else is taken for one")
  func statusDocument() {
    #expect(Unmounter.processIdentifier(inStatus: Array(#"{"version":"1","pid":4711}"#.utf8)) == 4711)
    for text in [#"{"pid":"4711"}"#, #"{"pid":1}"#, #"{"pid":-5}"#, #"{"pid":99999999999}"#, "", "<html>", "[]"] {
      #expect(Unmounter.processIdentifier(inStatus: Array(text.utf8)) == nil)
    }
  }

  @Test("Holders of a directory are found by working directory and by open file, and named")
  func holders() throws {
    try withDirectory { path in
      close(open("\(path)/held", O_CREAT | O_WRONLY, 0o644))
      let descriptor = open("\(path)/held", O_RDONLY | O_CLOEXEC)
      defer { close(descriptor) }
      let found = MountHolders.find(path)
      #expect(found.holders.contains { $0.process == getpid() && $0.use == "held" })
      #expect(MountHolders.find(path, excluding: [getpid()]).holders.isEmpty)
      #expect(MountHolders(holders: []).description == "a process that this user cannot see")
      let many = (1...7).map { MountHolders.Holder(process: $0, command: "sh", use: "working directory") }
      #expect(MountHolders(holders: many).description.hasSuffix("sh (pid 5, working directory) and 2 more"))
    }
  }
}
