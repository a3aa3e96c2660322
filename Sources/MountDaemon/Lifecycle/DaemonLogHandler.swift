// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging
import WireFormats

/// Writes log events as lines of text or of JSON, or as entries of the journal. Secrets need no care here: ``Telemetry/Secret`` interpolates
/// as `****`.
package struct DaemonLogHandler: LogHandler {
  package enum Format: String, Sendable, CaseIterable {
    case text, json
  }

  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  private let threshold: LogThreshold
  /// What somebody set on his copy of a logger.
  private var ownLevel: Logger.Level?
  private let format: Format
  private let sink: LogSink
  private let limiter: LogLimiter?
  private let now: @Sendable () -> timespec

  /// - Parameter limiter: of all handlers that write to this sink; nil writes every line.
  package init(sink: LogSink, format: Format, threshold: LogThreshold) {
    self.init(sink: sink, format: format, threshold: threshold, limiter: nil)
  }

  init(
    sink: LogSink, format: Format, threshold: LogThreshold, limiter: LogLimiter?,
    now: @escaping @Sendable () -> timespec = {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return time
    }
  ) {
    self.sink = sink
    self.format = format
    self.threshold = threshold
    self.limiter = limiter
    self.now = now
  }

  package var logLevel: Logger.Level {
    get { ownLevel ?? threshold.level }
    set { ownLevel = newValue }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var leftOut = 0
    switch limiter?.judge(event.message.description, event.level) ?? .write(leftOut: 0) {
    case .leaveOut: return
    case .write(let number): leftOut = number
    }
    var facts = metadata
    if let provided = metadataProvider?.get() { facts.merge(provided) { _, new in new } }
    if let own = event.metadata { facts.merge(own) { _, new in new } }
    if leftOut > 0 { facts["left-out"] = "\(leftOut)" }
    let sorted = facts.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
    sink.write(bytes(of: event, sorted))
  }

  private func bytes(of event: LogEvent, _ facts: [(key: String, value: String)]) -> [UInt8] {
    if sink.isJournal {
      let line = Self.line(event, facts)
      return JournalSocket.entry(priority: Self.priority(event.level), line: line, message: event.message.description, facts: facts)
    }
    return switch format {
    case .text: Array("\(Self.stamp(now())) \(event.level) \(Self.line(event, facts))\n".utf8)
    case .json: Self.json(Self.stamp(now()), event, facts)
    }
  }

  /// Of syslog(3).
  private static func priority(_ level: Logger.Level) -> Int {
    switch level {
    case .critical: 2
    case .error: 3
    case .warning: 4
    case .notice: 5
    case .info: 6
    case .debug, .trace: 7
    }
  }

  /// `message key=value other="two words"`
  private static func line(_ event: LogEvent, _ facts: [(key: String, value: String)]) -> String {
    var line = oneLine(event.message.description)
    for (key, value) in facts {
      let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3d && $0 != 0x7f }
      line += isPlain ? " \(key)=\(value)" : " \(key)=\"\(oneLine(value))\""
    }
    return line
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
