// SPDX-License-Identifier: Apache-2.0

import Fuse
import Processes

/// `bergfs status` for people: a line a mount, below it what is on its way.
struct StatusText: Sendable {
  /// Bytes that had gone at an earlier look, from which the rate is known.
  typealias Sample = (done: Int64, age: Duration)

  /// By mountpoint and path.
  var earlier: [String: Sample] = [:]
  /// Gives the size of what a process copies; nil if it cannot be told.
  var sourceSize: @Sendable (_ process: Int32, _ written: Int64, _ mountpoint: String) -> Int64? = {
    CopySource.size(of: $0, written: $1, mountpoint: $2)
  }

  func lines(_ reports: [MountReport]) -> [String] {
    let header = ["MOUNTPOINT", "CATALOG", "STATE", "AGE", "REQUESTS", "ERRORS", "MEMORY"]
    let rows = [header] + reports.map(row)
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    func line(_ row: [String]) -> String {
      // Numbers stand at the right.
      let cells = row.indices.map { Self.padded(row[$0], widths[$0], isRight: $0 > 2) }
      return cells.joined(separator: "  ").trimmingEnd
    }
    return [line(header)] + zip(reports, rows.dropFirst()).flatMap { [line($1)] + details(of: $0) }
  }

  private func row(_ report: MountReport) -> [String] {
    guard case .answers(let facts) = report.state else {
      return [report.mountpoint, report.catalog, Self.word(report.state), "-", "-", "-", "-"]
    }
    return [
      report.mountpoint, "\(facts.catalog) (\(facts.catalogType))", facts.isReadOnly ? "ok, ro" : "ok", Self.time(facts.uptime),
      facts.requests.map { "\($0)" } ?? "-", facts.errors.map { "\($0)" } ?? "-", facts.residentMemory.map(Self.size) ?? "-",
    ]
  }

  private static func word(_ state: MountReport.State) -> String {
    switch state {
    case .answers: "ok"
    case .dead: "dead"
    case .silent(let daemon): daemon?.isStopped == true ? "stopped" : "silent"
    case .unreadable: "unreadable"
    }
  }

  private func details(of report: MountReport) -> [String] {
    switch report.state {
    case .answers(let facts):
      let uploads = facts.transfers.map { "  \(transfer($0, report.mountpoint))" }
      let paths = Set(facts.transfers.map(\.path))
      let work = facts.pending.inFlight.filter { !paths.contains($0.path) }.map { "  \($0.operation) of \($0.path)" }
      let staged = facts.pending.staged.filter { $0.reason != nil }.map { "  not published: \($0.path): \($0.reason ?? "")" }
      let readings = facts.readings.map { "  \(reading($0, report.mountpoint))" }
      return uploads + readings + work + staged
    case .dead: return ["  its daemon has ended: bergfs umount \(report.mountpoint) clears it, the next mount there too"]
    case .silent(let daemon): return ["  no answer: \(MountedDaemon.advice(daemon, report.mountpoint))"]
    case .unreadable(let number):
      return ["  \(number == 0 ? "its status cannot be understood" : SystemError.text(number)); ask as its owner"]
    }
  }

  /// `/sales/t/data/a.parquet: 1.2 GiB of 4.0 GiB (30 %), 85.0 MiB/s, 33 s left`
  private func transfer(_ transfer: MountFacts.Transfer, _ mountpoint: String) -> String {
    let total = transfer.total ?? transfer.writer.flatMap { sourceSize($0, transfer.written, mountpoint) }
    return progress(transfer.path + ":", transfer.done, of: total, age: transfer.age, Self.key(mountpoint, transfer.path))
  }

  /// `/sales/t/data/a.parquet: read 1.2 GiB of 4.0 GiB (30 %), 85.0 MiB/s, 33 s left`
  private func reading(_ reading: MountFacts.Reading, _ mountpoint: String) -> String {
    progress(
      "\(reading.path): read", reading.read, of: reading.total, age: reading.age, Self.key(mountpoint, reading.path, isReading: true))
  }

  private func progress(_ what: String, _ done: Int64, of total: Int64?, age: Duration, _ key: String) -> String {
    var text = "\(what) \(Self.size(done))"
    if let total {
      text += " of \(Self.size(total))"
      if total > 0 { text += " (\(Int(min(100, Double(done) * 100 / Double(total)))) %)" }
    }
    // Since the earlier look, else since the beginning.
    let start = earlier[key] ?? (0, .zero)
    let seconds = (age - start.age) / .seconds(1)
    guard seconds > 0.05, done > start.done else { return text }
    let rate = Double(done - start.done) / seconds
    text += ", \(Self.size(Int64(rate)))/s"
    if let total, total > done { text += ", \(Self.time(.seconds(Int64((Double(total - done) / rate).rounded(.up))))) left" }
    return text
  }

  /// What the next text compares with. One look back some seconds shows a steadier rate than the last one: parts arrive by megabytes.
  static func samples(_ reports: [MountReport]) -> [String: Sample] {
    var samples: [String: Sample] = [:]
    for report in reports {
      guard case .answers(let facts) = report.state else { continue }
      for transfer in facts.transfers { samples[key(report.mountpoint, transfer.path)] = (transfer.done, transfer.age) }
      for reading in facts.readings { samples[key(report.mountpoint, reading.path, isReading: true)] = (reading.read, reading.age) }
    }
    return samples
  }

  private static func key(_ mountpoint: String, _ path: String, isReading: Bool = false) -> String {
    "\(mountpoint)\u{0}\(path)\(isReading ? "\u{0}" : "")"
  }

  private static func padded(_ text: String, _ width: Int, isRight: Bool) -> String {
    let padding = String(repeating: " ", count: max(0, width - text.count))
    return isRight ? padding + text : text + padding
  }

  /// `38.2 MiB`
  static func size(_ bytes: Int64) -> String {
    var (value, unit) = (Double(bytes), 0)
    while value >= 1024, unit < 5 {
      value /= 1024
      unit += 1
    }
    let name = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit]
    if unit == 0 { return "\(bytes) \(name)" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(name)"
  }

  /// `45 s`, `12 min`, `3 h 12 min`, `9 d 4 h`
  static func time(_ duration: Duration) -> String {
    let seconds = duration.components.seconds
    if seconds < 120 { return "\(seconds) s" }
    if seconds < 7_200 { return "\(seconds / 60) min" }
    if seconds < 172_800 { return "\(seconds / 3_600) h \(seconds % 3_600 / 60) min" }
    return "\(seconds / 86_400) d \(seconds % 86_400 / 3_600) h"
  }
}

extension String {
  fileprivate var trimmingEnd: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
