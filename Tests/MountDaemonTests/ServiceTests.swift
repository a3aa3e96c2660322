// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Telemetry
import Testing

@testable import MountDaemon

@Suite("What systemd is told")
struct ServiceTests {
  @Test("The service manager is told READY, STATUS, RELOADING and STOPPING, by path or abstract name", arguments: [false, true])
  func notify(isAbstract: Bool) throws {
    let listener = try DatagramListener(isAbstract: isAbstract)
    let manager = ServiceManager(socket: listener.path)
    manager.ready("lake on /mnt/lake")
    #expect(listener.nextText == "READY=1\nSTATUS=lake on /mnt/lake")
    manager.status("two\nlines")
    #expect(listener.nextText == "STATUS=two lines")
    manager.reloading()
    let reloading = try #require(listener.nextText)
    #expect(reloading.wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=\d+/) != nil)
    manager.stopping("unmounting", within: .seconds(60))
    #expect(listener.nextText == "STOPPING=1\nSTATUS=unmounting\nEXTEND_TIMEOUT_USEC=60000000")
  }

  @Test("Without a service manager, or with one that is gone, nothing happens", arguments: [nil, "", "relative", "/nowhere/socket"])
  func nobody(socket: String?) {
    ServiceManager(socket: socket).ready("x")
  }

  @Test("A path that does not fit a socket's address is nobody's")
  func longPath() {
    #expect(DatagramPeer("/" + String(repeating: "a", count: 107)) == nil)
    #expect(DatagramPeer("/" + String(repeating: "a", count: 106)) != nil)
  }

  @Test("An entry of the journal has line, priority, identifier and the facts as fields, also a fact of several lines")
  func entry() throws {
    let entry = JournalSocket.entry(
      priority: 4, line: "operation failed path=/a", message: "operation failed", facts: [("request-ID", "1\n2")])
    let length: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0]
    let expected =
      Array(
        "MESSAGE=operation failed path=/a\nPRIORITY=4\nSYSLOG_IDENTIFIER=bergfs\nBERGFS_MESSAGE=operation failed\nBERGFS_REQUEST_ID\n".utf8)
      + length + Array("1\n2\n".utf8)
    #expect(entry == expected)
  }

  @Test("A log that goes to the journal sends each line as an entry, without a time of its own and without a secret")
  func journal() throws {
    let listener = try DatagramListener()
    let sink = LogSink(journal: try #require(JournalSocket(path: listener.path)))
    let threshold = LogThreshold(.info)
    let logger = Logger(label: "bergfs") { _ in DaemonLogHandler(sink: sink, format: .text, threshold: threshold) }
    logger.error("no answer", metadata: ["key": "\(Secret("hunter2"))", "path": "/a b"])
    let text = try #require(listener.nextText)
    #expect(text.hasPrefix("MESSAGE=no answer key=**** path=\"/a b\"\nPRIORITY=3\n"), "\(text)")
    #expect(text.contains("\nBERGFS_PATH=/a b\n"))
    logger.debug("not shown")
    threshold.level = .debug
    logger.debug("shown")
    #expect(listener.nextText?.hasPrefix("MESSAGE=shown\nPRIORITY=7\n") == true)
  }

  @Test("The journal is meant where JOURNAL_STREAM names the very stream, or a daemon has let go of it")
  func stream() throws {
    var status = stat()
    let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    try #require(fstat(descriptor, &status) == 0)
    let stream = "\(status.st_dev):\(status.st_ino)"
    #expect(JournalSocket.isMeant(stream: stream, descriptor: descriptor))
    #expect(!JournalSocket.isMeant(stream: "1:1", descriptor: descriptor))
    #expect(JournalSocket.isMeant(stream: "1:1", descriptor: nil))
    for text in [nil, "", "1", "a:b", "1:2:3"] { #expect(!JournalSocket.isMeant(stream: text, descriptor: nil)) }
  }
}
