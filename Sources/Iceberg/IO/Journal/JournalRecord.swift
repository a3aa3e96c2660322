// SPDX-License-Identifier: Apache-2.0

import WireFormats

/// One line of a journal: what happened to which write.
struct JournalRecord: Sendable, Hashable {
  enum Event: String, Sendable {
    /// The first line of a file: whose journal it is.
    case journal
    case write, upload, end
  }

  var event: Event
  /// Empty in the first line.
  var location = ""
  var mark = ""
  /// Only of ``Event/upload``.
  var upload: String?
  /// Milliseconds since 1970 by this machine's clock.
  var time: Int64
  /// Whose journal it is: the catalog's name.
  var label: String

  /// A line of JSON with its newline.
  var line: [UInt8] {
    var members: [(key: String, value: JSONValue)] = [("event", .string(event.rawValue))]
    if event != .journal { members += [("location", .string(location)), ("mark", .string(mark))] }
    if let upload { members.append(("upload", .string(upload))) }
    members += [("time", .integer(time)), ("label", .string(label))]
    return JSONValue.object(JSONMembers(members)).serialized() + [UInt8(ascii: "\n")]
  }

  init(_ event: Event, location: String = "", mark: String = "", upload: String? = nil, time: Int64, label: String) {
    self.event = event
    self.location = location
    self.mark = mark
    self.upload = upload
    self.time = time
    self.label = label
  }

  /// Nil for a line that is none: a torn one, or of a later version.
  init?(line: some Sequence<UInt8>) {
    guard let root = try? JSONDocument(parsing: Array(line)).root, let event = root["event"]?.string.flatMap(Event.init(rawValue:)),
      let time = root["time"]?.int64, let label = root["label"]?.string
    else { return nil }
    self.init(
      event, location: root["location"]?.string ?? "", mark: root["mark"]?.string ?? "", upload: root["upload"]?.string, time: time,
      label: label)
  }

  /// A write by its place and mark: two attempts of one commit may share the mark.
  struct Key: Sendable, Hashable {
    var location: [UInt8]
    var mark: String
  }

  var key: Key { Key(location: Array(location.utf8), mark: mark) }
}

/// What the lines of a journal come to: its writes that have not ended.
struct JournalReplay: Sendable {
  /// Nil where not one line is whole: its daemon had not begun.
  private(set) var label: String?
  /// The last record of each write that has not ended: with the upload's id, if one was begun, and the time of the beginning.
  private(set) var open: [JournalRecord.Key: JournalRecord] = [:]
  /// Whether the last line has no end: a write that was cut off.
  private(set) var isTorn = false

  init() {}

  init(_ text: [UInt8]) {
    isTorn = text.last.map { $0 != UInt8(ascii: "\n") } ?? false
    var lines = text.split(separator: UInt8(ascii: "\n"))
    // What was cut off was never acknowledged, even where it happens to be whole JSON.
    if isTorn { lines.removeLast() }
    for line in lines {
      if let record = JournalRecord(line: line) { take(record) }
    }
  }

  mutating func take(_ record: JournalRecord) {
    label = label ?? record.label
    switch record.event {
    case .journal: break
    case .write: open[record.key] = record
    case .upload:
      var merged = record
      merged.time = open[record.key]?.time ?? record.time
      open[record.key] = merged
    case .end: open[record.key] = nil
    }
  }
}
