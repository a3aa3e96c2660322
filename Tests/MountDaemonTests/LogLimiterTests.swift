// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Logging
import Processes
import Synchronization
import Testing

@testable import MountDaemon

@Suite("A log that stays readable")
struct LogLimiterTests {
  @Test("Of one message 20 lines pass in 10 s; the next one that does says how many were left out; other messages and debug lines all pass")
  func limit() {
    let time = Mutex(ContinuousClock.now)
    let limiter = LogLimiter { time.withLock { $0 } }
    let first = (0..<100).map { _ in limiter.judge("failed", .warning) }
    #expect(first.filter { $0 == .write(leftOut: 0) }.count == 20)
    #expect(first.suffix(80).allSatisfy { $0 == .leaveOut })
    #expect(limiter.judge("other", .warning) == .write(leftOut: 0))
    #expect((0..<100).allSatisfy { _ in limiter.judge("asked for", .debug) == .write(leftOut: 0) })
    time.withLock { $0 += .milliseconds(9_999) }
    #expect(limiter.judge("failed", .error) == .leaveOut)
    time.withLock { $0 += .milliseconds(1) }
    #expect(limiter.judge("failed", .warning) == .write(leftOut: 81))
    #expect(limiter.judge("failed", .warning) == .write(leftOut: 0))
  }

  @Test("A log file that was moved away is opened anew, and so is what shares it")
  func reopen() throws {
    var template = Array("/tmp/bergfs-rotate-test.XXXXXX".utf8CString)
    let directory = try template.withUnsafeMutableBufferPointer {
      try #require($0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) })
    }
    defer { _ = ChildProcess.run("rm", ["-rf", directory]) }
    let sink = try LogSink(path: "\(directory)/log")
    sink.write(Array("one\n".utf8))
    #expect(rename("\(directory)/log", "\(directory)/log.1") == 0)
    sink.write(Array("two\n".utf8))
    let descriptor = sink.file
    try sink.reopen()
    sink.write(Array("three\n".utf8))
    #expect(sink.file == descriptor)
    #expect(SmallFile.read("\(directory)/log.1") == Array("one\ntwo\n".utf8))
    #expect(SmallFile.read("\(directory)/log") == Array("three\n".utf8))
    #expect(rename("\(directory)/log", "\(directory)/log.2") == 0)
    #expect(mkdir("\(directory)/log", 0o755) == 0)
    #expect(throws: LifecycleError.self) { try sink.reopen() }
    sink.write(Array("four\n".utf8))
    #expect(SmallFile.read("\(directory)/log.2") == Array("three\nfour\n".utf8))
  }
}
