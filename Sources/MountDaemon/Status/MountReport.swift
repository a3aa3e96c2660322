// SPDX-License-Identifier: Apache-2.0

import Fuse
import Processes
import WireFormats

/// One mount of this machine, as `bergfs status` shows it.
struct MountReport: Sendable {
  enum State: Sendable {
    case answers(MountFacts)
    /// Its daemon has ended and left it.
    case dead
    case silent(MountedDaemon?)
    /// It answers, but this user may not look, or it has no status: the errno.
    case unreadable(Int32)
  }

  var mountpoint: String
  /// As the mount table has it.
  var source: String
  var state: State

  /// `lake` of `bergfs#lake`.
  var catalog: String {
    if case .answers(let facts) = state { return facts.catalog }
    return String(source.split(separator: "#", maxSplits: 1).last ?? "")
  }

  var isGood: Bool {
    switch state {
    case .answers, .unreadable: true
    case .dead, .silent: false
    }
  }

  /// Asks every mount at once, so that one that does not answer holds up none of the others.
  ///
  /// - Parameters:
  ///   - mountpoint: only this one; nil for all.
  ///   - patience: how long each may take.
  static func all(at mountpoint: String? = nil, patience: Duration = .seconds(2)) async -> [MountReport] {
    var seen: Set<String> = []
    // Of two mounts at one place only the later one is seen.
    let entries = MountTable.current().entries.reversed().filter { entry in
      entry.type == Mountpoint.filesystemType && (mountpoint == nil || entry.path == mountpoint) && seen.insert(entry.path).inserted
    }
    return await withTaskGroup(of: MountReport.self) { group in
      for entry in entries {
        group.addTask {
          let answer = await NamedThread.run("bergfs-status") { MountAnswer.ask(entry.path, within: patience) }
          return MountReport(mountpoint: entry.path, source: entry.source, state: State(answer ?? .silent, mountpoint: entry.path))
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.mountpoint < $1.mountpoint }
    }
  }

  /// For programs: the member `status` is the mount's own document.
  var document: JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      ("mountpoint", .string(mountpoint)), ("source", .string(source)), ("catalog", .string(catalog)),
    ]
    switch state {
    case .answers(let facts): members += [("state", "ok"), ("status", facts.document)]
    case .dead: members.append(("state", "dead"))
    case .silent(let daemon):
      members += [
        ("state", daemon?.isStopped == true ? "stopped" : "silent"), ("pid", daemon.map { .integer(Int64($0.process)) } ?? .null),
      ]
    case .unreadable(let number): members += [("state", "unreadable"), ("reason", .string(SystemError.text(number)))]
    }
    return .object(JSONMembers(members))
  }
}

extension MountReport.State {
  fileprivate init(_ answer: MountAnswer, mountpoint: String) {
    switch answer {
    case .dead: self = .dead
    case .silent: self = .silent(MountedDaemon.find(mountpoint))
    case .refused(let number): self = .unreadable(number)
    case .status(let bytes):
      if let facts = MountFacts(status: bytes) { self = .answers(facts) } else { self = .unreadable(0) }
    }
  }
}
