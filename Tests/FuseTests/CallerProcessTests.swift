// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Fuse

struct CallerProcessTests {
  @Test("The fields of a thread are counted from the last parenthesis, whatever its name holds")
  func fields() throws {
    let rest = Array(repeating: "0", count: 29).joined(separator: " ")
    let middle = "1 1 1 0 -1 1028 0 0 0 0 0 0 0 0 20 0 3 0 987654 \(rest)"
    let status = try #require(ThreadStatus(parsing: Array("42 (a) Z 9 (b ) c) S \(middle) 768\n".utf8)))
    #expect(status.state == UInt8(ascii: "S") && status.flags == 1028 && status.isExiting)
    #expect(status.threadCount == 3)
    #expect(status.startTime == 987_654)
    #expect(status.exitCode == 768)
    #expect(ThreadStatus(parsing: Array("42 (a) S 1 2".utf8)) == nil)
    #expect(ThreadStatus(parsing: []) == nil)
  }

  @Test("Nothing runs in a zombie, but in a process whose first thread alone has ended something does")
  func zombies() throws {
    var status = try #require(ThreadStatus(ofThread: getpid()))
    #expect(!status.isOver)
    status.state = UInt8(ascii: "Z")
    status.threadCount = 2
    #expect(!status.isOver)
    status.threadCount = 1
    #expect(status.isOver)
    status.state = UInt8(ascii: "X")
    status.threadCount = 2
    #expect(status.isOver)
  }

  @Test(
    "A /proc that hides processes is known by its mount options, those of the topmost one",
    arguments: [
      ("24 1 0:22 / /proc rw,nosuid - proc proc rw\n", false), ("24 1 0:22 / /proc rw - proc proc rw,hidepid=invisible\n", true),
      ("24 1 0:22 / /proc rw - proc proc rw,hidepid=2,gid=4\n", true), ("24 1 0:22 / /proc rw - proc proc rw,hidepid=off\n", false),
      ("24 1 0:22 / /proc rw - proc proc rw,hidepid=2\n30 24 0:9 / /proc rw - proc proc rw\n", false),
      ("24 1 0:22 / /mnt/proc rw - proc proc rw,hidepid=2\n", false),
    ])
  func hiding(table: String, hides: Bool) {
    #expect(CallerProcess.hidesProcesses(mountTable: Array(table.utf8)) == hides)
  }

  @Test("Who may trace sees a hidden /proc all the same")
  func tracing() {
    #expect(CallerProcess.hasTracePower(status: Array("Name:\tx\nCapEff:\t000001ffffffffff\n".utf8)))
    #expect(!CallerProcess.hasTracePower(status: Array("CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n".utf8)))
    #expect(!CallerProcess.hasTracePower(status: []))
  }

  @Test("Without hidden processes /proc is visible, and shows this test its own process")
  func ownProcess() {
    #expect(CallerProcess.isProcVisible)
    #expect(CallerProcess.identity(ofThread: getpid())?.pid == getpid())
  }

  @Test("Only the fields that the kernel names are changes, and now is the clock's")
  func attributeChanges() {
    var status = stat()
    status.st_mode = S_IFREG | 0o4755
    status.st_uid = 7
    status.st_size = 9
    status.st_mtim = timespec(tv_sec: -1, tv_nsec: 5)
    status.st_atim = timespec(tv_sec: 2, tv_nsec: 3)
    #expect(FuseAttributeChanges(status, mask: 0, now: 1) == FuseAttributeChanges())
    #expect(FuseAttributeChanges(status, mask: 0b1011, now: 1) == FuseAttributeChanges(mode: 0o4755, uid: 7, size: 9))
    #expect(
      FuseAttributeChanges(status, mask: 0b110100, now: 1) == FuseAttributeChanges(gid: 0, modified: -999_999_995, accessed: 2_000_000_003))
    #expect(FuseAttributeChanges(status, mask: 0b1_1011_0000, now: 42) == FuseAttributeChanges(modified: 42, accessed: 42))
    // A change of ctime alone, which nobody keeps.
    #expect(FuseAttributeChanges(status, mask: 1 << 10, now: 1) == FuseAttributeChanges())
  }
}
