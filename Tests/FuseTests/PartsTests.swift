// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc
import Testing

@testable import Fuse

struct PartsTests {
  @Test("A line of mountinfo gives path, device, type and source, with octal escapes undone and optional fields skipped")
  func mountTable() {
    let text = """
      36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
      40 36 0:50 / /mnt/a\\040b\\134c rw shared:5 master:2 - fuse.bergfs bergfs#x\\011y ro,user_id=0
      garbage
      41 36 0:51 / /mnt2 rw - tmpfs none rw

      """
    let table = MountTable(parsing: Array(text.utf8))
    #expect(table.entries.count == 3)
    #expect(table.mount(at: "/mnt/a b\\c") == .init(device: "0:50", path: "/mnt/a b\\c", type: "fuse.bergfs", source: "bergfs#x\ty"))
    #expect(table.mount(at: "/mnt2")?.type == "tmpfs")
    #expect(table.mount(at: "/mnt") == nil)
  }

  @Test(
    "Only a pending signal that ends the process counts as fatal",
    arguments: [
      ("SigPnd:\t0000000000000100", true), ("ShdPnd:\t0000000000000002", true),
      ("ShdPnd:\t0000000000000002\nSigCgt:\t0000000000000002", false), ("SigPnd:\t0000000000000002\nSigIgn:\t0000000000000002", false),
      ("SigPnd:\t0000000000000002\nSigBlk:\t0000000000000002", false), ("ShdPnd:\t0000000008010000", false),
      ("SigPnd:\t0000000000000100\nSigBlk:\tffffffffffffffff", true), ("Name:\tx", false),
    ])
  func fatalSignals(status: String, isFatal: Bool) {
    #expect(PendingSignals(status: status).includeFatal == isFatal)
  }

  @Test("Commas and backslashes of a catalog name cannot add mount options")
  func mountOptions() {
    let text = FuseMountOptions(source: "bergfs#a,suid\\", isReadOnly: true).mountOptionText
    #expect(text == "fsname=bergfs#a\\,suid\\\\,subtype=bergfs,max_read=1048576,ro,default_permissions")
  }

  @Test("An absent device is named with what to do")
  func absentDevice() {
    let error = #expect(throws: FuseError.self) { try MountCheck.device("/dev/absent-fuse") }
    #expect(error?.code == .noDevice)
    #expect(error?.message == "no /dev/fuse: load the fuse module or give the container --device /dev/fuse")
  }

  @Test("A time before 1970 keeps its nanoseconds positive, and blocks round up")
  func attributes() {
    let attributes = FuseAttributes(inode: 9, kind: .file, mode: 0o444, size: 513, modified: -1, uid: 1, gid: 2)
    #expect(attributes.status.st_mtim.tv_sec == -1)
    #expect(attributes.status.st_mtim.tv_nsec == 999_999_999)
    #expect(attributes.status.st_blocks == 2)
    #expect(attributes.status.st_mode == S_IFREG | 0o444)
  }

  @Test("A full directory buffer refuses the entry and counts no lookup; cookies are shifted past the bridge's own")
  func directoryBuffer() {
    let reply = DirectoryReplyBuffer(size: 512, wantsAttributes: true)
    #expect(reply.addOwnEntries(inode: 1, after: 0) == 0)
    #expect(DirectoryReplyBuffer(size: 512, wantsAttributes: true).addOwnEntries(inode: 1, after: 44) == 42)
    let entry = FuseEntry(
      attributes: FuseAttributes(inode: 5, kind: .file, mode: 0, size: 0, modified: 0, uid: 0, gid: 0), entrySeconds: 1, attributeSeconds: 1
    )
    #expect(reply.add(name: Array("x".utf8), entry: entry, next: 1))
    #expect(!reply.add(name: Array("y".utf8), entry: entry, next: 2))
    #expect(!reply.add(name: Array("z".utf8), entry: entry, next: .max))
    #expect(reply.counted == [5])
  }
}
