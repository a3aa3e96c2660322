// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging
import WireFormats

/// Writes log events as lines of text or of JSON. Secrets need no care here: ``Telemetry/Secret`` interpolates as `****`.
package struct DaemonLogHandler: LogHandler {
  package enum Format: String, Sendable, CaseIterable {
    case text, json
  }

  package var metadata: Logger.Metadata = [:]
  package var logLevel: Logger.Level
  package var metadataProvider: Logger.MetadataProvider?
  private let format: Format
  private let sink: LogSink
  private let now: @Sendable () -> timespec

  /// - Parameter now: the wall clock; fixed in tests.
  package init(sink: LogSink, format: Format, level: Logger.Level) {
    self.init(sink: sink, format: format, level: level) {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return time
    }
  }

  init(sink: LogSink, format: Format, level: Logger.Level, now: @escaping @Sendable () -> timespec) {
    self.sink = sink
    self.format = format
    logLevel = level
    self.now = now
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var facts = metadata
    if let provided = metadataProvider?.get() { facts.merge(provided) { _, new in new } }
    if let own = event.metadata { facts.merge(own) { _, new in new } }
    let sorted = facts.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
    switch format {
    case .text: sink.write(Array(Self.text(Self.stamp(now()), event, sorted).utf8))
    case .json: sink.write(Self.json(Self.stamp(now()), event, sorted))
    }
  }

  /// `2026-02-24T15:00:00.123Z warning message key=value other="two words"`
  private static func text(_ stamp: String, _ event: LogEvent, _ facts: [(key: String, value: String)]) -> String {
    var line = "\(stamp) \(event.level) \(oneLine(event.message.description))"
    for (key, value) in facts {
      let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3d && $0 != 0x7f }
      line += isPlain ? " \(key)=\(value)" : " \(key)=\"\(oneLine(value))\""
    }
    return line + "\n"
  }

  /// One object: `time`, `level`, `message`, and each fact as a string.
  private static func json(_ stamp: String, _ event: LogEvent, _ facts: [(key: String, value: String)]) -> [UInt8] {
    let own: [(key: String, value: JSONValue)] = [
      ("time", .string(stamp)), ("level", .string("\(event.level)")), ("message", .string(event.message.description)),
    ]
    let names: Set<String> = ["time", "level", "message"]
    let members = own + facts.map { (names.contains($0.key) ? "fact.\($0.key)" : $0.key, JSONValue.string($0.value)) }
    return JSONValue.object(JSONMembers(members)).serialized() + [0x0a]
  }

  /// Control characters and quotes escaped: a foreign name cannot forge a line.
  private static func oneLine(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": line += "\\n"
      case "\t": line += "\\t"
      case "\"": line += "\\\""
      case "\\": line += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: line += "\\x\(String(scalar.value, radix: 16))"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  private static func stamp(_ time: timespec) -> String {
    var seconds = time.tv_sec
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: Int, _ width: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(width - text.count, 0)) + text
    }
    let date = "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
    let clock = "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
    return "\(date)T\(clock).\(digits(time.tv_nsec / 1_000_000, 3))Z"
  }
}
