// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import MountDaemon

@Suite("What bergfs status shows")
struct StatusTextTests {
  private static func status(transfers: String = "", readings: String = "", reason: String? = nil) -> [UInt8] {
    let staged = reason.map { #"{"path":"/a/t/x","bytes":1,"scratch":false,"reason":"\#($0)"}"# } ?? ""
    let text = """
      {"version":"0.1.0","pid":7,"uptime-seconds":11520,"catalog":{"name":"prod","type":"glue"},"options":{"read-only":false},
      "memory":{"resident-bytes":40055603},"requests":1204,"errors-logged":2,"reading":[\(readings)],
      "writing":{"staged":[\(staged)],"in-flight":[{"path":"/sales/orders","operation":"commit"}],"transfers":[\(transfers)]}}
      """
    return Array(text.utf8)
  }

  private func report(_ state: MountReport.State, _ place: String = "/mnt/prod") -> MountReport {
    MountReport(mountpoint: place, source: "bergfs#prod", state: state)
  }

  @Test("A line a mount, with catalog, state, age, requests, errors and memory, and below it what is under way")
  func table() throws {
    let facts = try #require(MountFacts(status: Self.status(reason: "it is no Avro")))
    let lines = StatusText().lines([
      report(.answers(facts)), report(.dead, "/mnt/b"), report(.silent(MountedDaemon(process: 9, isStopped: true)), "/mnt/c"),
      report(.unreadable(EACCES), "/mnt/d"),
    ])
    #expect(
      lines == [
        "MOUNTPOINT  CATALOG      STATE              AGE  REQUESTS  ERRORS    MEMORY",
        "/mnt/prod   prod (glue)  ok          3 h 12 min      1204       2  38.2 MiB",
        "  commit of /sales/orders",
        "  not published: /a/t/x: it is no Avro",
        "/mnt/b      prod         dead                 -         -       -         -",
        "  its daemon has ended: bergfs umount /mnt/b clears it, the next mount there too",
        "/mnt/c      prod         stopped              -         -       -         -",
        "  no answer: its daemon (pid 9) is stopped; resume it by kill -CONT 9, or end it by kill -9 9 and run bergfs umount /mnt/c",
        "/mnt/d      prod         unreadable           -         -       -         -",
        "  Permission denied; ask as its owner",
      ])
  }

  @Test(
    "An upload shows bytes, rate and time left: since an earlier look, else since its beginning; the size comes from the file that is copied"
  )
  func transfers() throws {
    func line(_ transfer: String, earlier: StatusText.Sample? = nil, source: Int64? = nil) throws -> String {
      let facts = try #require(MountFacts(status: Self.status(transfers: transfer)))
      var text = StatusText(earlier: earlier.map { ["/mnt/prod\u{0}/a/x": $0] } ?? [:])
      text.sourceSize = { process, _, _ in process == 42 ? source : nil }
      return text.lines([report(.answers(facts))])[2]
    }
    func transfer(_ written: Int64, _ sent: Int64, total: String = "null", writer: String = "42") -> String {
      #"{"path":"/a/x","written-bytes":\#(written),"sent-bytes":\#(sent),"total-bytes":\#(total),"age-milliseconds":4000,"writer":\#(writer)}"#
    }
    #expect(
      try line(transfer(900 << 20, 800 << 20), source: 2000 << 20) == "  /a/x: 800.0 MiB of 2.0 GiB (40 %), 200.0 MiB/s, 6 s left")
    #expect(
      try line(transfer(900 << 20, 800 << 20), earlier: (700 << 20, .seconds(2)), source: 2000 << 20)
        == "  /a/x: 800.0 MiB of 2.0 GiB (40 %), 50.0 MiB/s, 24 s left")
    #expect(try line(transfer(100, 100, total: "100", writer: "null")) == "  /a/x: 100 B of 100 B (100 %), 25 B/s")
    #expect(try line(transfer(4096, 0)) == "  /a/x: 4.0 KiB, 1.0 KiB/s")
    #expect(try line(transfer(0, 0, total: "0")) == "  /a/x: 0 B of 0 B")
  }

  @Test("A file that is read from front to back shows bytes, rate and time left, apart from an upload of the same name")
  func readings() throws {
    let reading = #"{"path":"/a/x","read-bytes":\#(100 << 20),"total-bytes":\#(400 << 20),"age-milliseconds":4000}"#
    let facts = try #require(MountFacts(status: Self.status(readings: reading)))
    #expect(StatusText().lines([report(.answers(facts))])[2] == "  /a/x: read 100.0 MiB of 400.0 MiB (25 %), 25.0 MiB/s, 12 s left")
    let upload = ["/mnt/prod\u{0}/a/x": StatusText.Sample(done: 99 << 20, age: .seconds(3))]
    #expect(StatusText(earlier: upload).lines([report(.answers(facts))])[2].contains("25.0 MiB/s"))
    let text = StatusText(earlier: StatusText.samples([report(.answers(facts))]))
    let later = reading.replacing("\(100 << 20)", with: "\(150 << 20)").replacing("4000", with: "5000")
    let now = try #require(MountFacts(status: Self.status(readings: later)))
    #expect(text.lines([report(.answers(now))])[2] == "  /a/x: read 150.0 MiB of 400.0 MiB (37 %), 50.0 MiB/s, 5 s left")
  }

  @Test("The file that a process copies is found by what it has open for reading")
  func copySource() throws {
    var template = Array("/tmp/bergfs-copy-test.XXXXXX".utf8CString)
    let path = try template.withUnsafeMutableBufferPointer { buffer -> String in
      let base = try #require(buffer.baseAddress)
      let descriptor = mkstemp(base)
      #expect(ftruncate(descriptor, 5000) == 0)
      close(descriptor)
      return String(cString: base)
    }
    defer { unlink(path) }
    // The test runner has other files open for reading; a program of one file has not.
    let child = bergfsTestHolder(path)
    defer {
      kill(child, SIGKILL)
      waitpid(child, nil, 0)
    }
    #expect(CopySource.size(of: child, written: 5000, mountpoint: "/mnt/x") == 5000)
    #expect(CopySource.size(of: child, written: 5001, mountpoint: "/mnt/x") == nil)
    #expect(CopySource.size(of: child, written: 0, mountpoint: "/tmp") == nil)
  }

  /// A process whose only regular file is its standard input.
  private func bergfsTestHolder(_ path: String) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var child = pid_t()
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
    defer { for argument in arguments { free(argument) } }
    posix_spawn(&child, "/bin/sleep", &actions, nil, arguments, environ)
    return child
  }
}
