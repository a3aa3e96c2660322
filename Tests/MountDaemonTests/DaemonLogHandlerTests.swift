// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Logging
import Processes
import Telemetry
import Testing

@testable import MountDaemon

struct DaemonLogHandlerTests {
  private func lines(_ format: DaemonLogHandler.Format, level: Logger.Level = .info, _ body: (Logger) -> Void) throws -> String {
    var template = Array("/tmp/bergfs-log-test.XXXXXX".utf8CString)
    let path = template.withUnsafeMutableBufferPointer { buffer -> String in
      if let base = buffer.baseAddress { close(mkstemp(base)) }
      return String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    defer { unlink(path) }
    let sink = try LogSink(path: path)
    let logger = Logger(label: "bergfs") { _ in
      DaemonLogHandler(sink: sink, format: format, threshold: LogThreshold(level), limiter: nil) {
        timespec(tv_sec: 1_771_945_200, tv_nsec: 123_999_999)
      }
    }
    body(logger)
    return String(decoding: try #require(SmallFile.read(path)), as: UTF8.self)
  }

  @Test("A text line has time, level, message and sorted facts; foreign text cannot make a second line")
  func text() throws {
    let text = try lines(.text) { logger in
      logger.warning("no answer", metadata: ["path": "a b", "attempt": "2", "key": "x\ny\u{1b}\"", "empty": ""])
      logger.debug("not shown")
    }
    #expect(text == "2026-02-24T15:00:00.123Z warning no answer attempt=2 empty=\"\" key=\"x\\ny\\x1b\\\"\" path=\"a b\"\n")
  }

  @Test("A JSON line is one object, whose own members no fact can replace")
  func json() throws {
    let text = try lines(.json) { $0.error("bad \"x\"", metadata: ["level": "fake", "n": "1"]) }
    #expect(
      text
        == #"{"time":"2026-02-24T15:00:00.123Z","level":"error","message":"bad \"x\"","fact.level":"fake","n":"1"}"# + "\n")
  }

  @Test("A secret in the metadata prints as stars", arguments: DaemonLogHandler.Format.allCases)
  func secrets(format: DaemonLogHandler.Format) throws {
    let text = try lines(format) { $0.info("signed", metadata: ["secret": "\(Secret("hunter2"))"]) }
    #expect(!text.contains("hunter2"))
    #expect(text.contains("****"))
  }

  @Test("A log file that cannot be opened is a sentence")
  func unwritable() {
    let error = #expect(throws: LifecycleError.self) { try LogSink(path: "/nowhere/bergfs.log") }
    #expect(error?.message == "cannot write the log file /nowhere/bergfs.log: No such file or directory")
  }
}
