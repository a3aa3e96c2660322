// SPDX-License-Identifier: Apache-2.0

/// A write of a daemon that ended without saying how the write did.
package struct AbandonedWrite: Sendable, Hashable {
  package var location: ObjectLocation
  package var mark: WriteMark
  /// The multipart upload, if its beginning was recorded. Without it the write was one request, or its upload's answer was never seen.
  package var upload: String?
  /// When it began by the machine's clock, milliseconds since 1970.
  package var time: Int64
  /// Whose it was: the catalog's name.
  package var label: String
  /// Paths of the journals that name it.
  package var journals: [String]

  package init(location: ObjectLocation, mark: WriteMark, upload: String?, time: Int64, label: String, journals: [String] = []) {
    self.location = location
    self.mark = mark
    self.upload = upload
    self.time = time
    self.label = label
    self.journals = journals
  }
}

/// What dead daemons left. All of this blocks: not to be called on the cooperative pool.
extension FileWriteJournal {
  /// The writes that journals of dead daemons name as not ended, oldest first. Journals without any are removed.
  ///
  /// - Parameter label: only journals with this label are looked into; those of other catalogs stay for their next mount.
  /// - Throws: `failed` if the directory cannot be listed. A single journal that cannot be read is left where it is.
  package static func leftBehind(in directory: String, label: String) throws(FileIOError) -> [AbandonedWrite] {
    var found: [JournalRecord.Key: AbandonedWrite] = [:]
    for path in try JournalFile.paths(in: directory) {
      guard let file = (try? JournalFile.claim(path)) ?? nil else { continue }
      if file.replay.open.isEmpty, (file.replay.label ?? label) == label {
        file.remove()
        continue
      }
      guard file.replay.label == label else { continue }
      for (key, record) in file.replay.open {
        guard let location = ObjectLocation(journalText: record.location) else { continue }
        var write =
          found[key] ?? AbandonedWrite(location: location, mark: WriteMark(record.mark), upload: nil, time: record.time, label: label)
        write.upload = write.upload ?? record.upload
        write.time = min(write.time, record.time)
        write.journals.append(path)
        found[key] = write
      }
    }
    return found.values.sorted { ($0.time, $0.mark.text) < ($1.time, $1.mark.text) }
  }

  /// Notes that writes have been dealt with, and removes the journals that name no other. A journal that cannot be written keeps them: they are
  /// then dealt with again.
  package static func forget(_ writes: [AbandonedWrite], now: Int64 = wallMilliseconds()) {
    for path in Set(writes.flatMap(\.journals)) {
      guard var file = (try? JournalFile.claim(path)) ?? nil else { continue }
      let ends = writes.filter { $0.journals.contains(path) }.map {
        JournalRecord(.end, location: $0.location.description, mark: $0.mark.text, time: now, label: $0.label)
      }
      guard (try? file.append(ends)) != nil, file.replay.open.isEmpty else { continue }
      file.remove()
    }
  }

  /// Places that writes of living daemons are open at, this one's among them, of whatever label.
  ///
  /// - Throws: `failed` if a journal cannot be read: then it is not known.
  static func placesInUse(in directory: String) throws(FileIOError) -> Set<ObjectLocation> {
    var places: Set<ObjectLocation> = []
    for path in try JournalFile.paths(in: directory) {
      guard let replay = try JournalFile.replayIfAlive(path) else { continue }
      places.formUnion(replay.open.values.compactMap { ObjectLocation(journalText: $0.location) })
    }
    return places
  }
}

extension ObjectLocation {
  /// What ``description`` wrote: unlike Iceberg's own reading of locations it cuts nothing off a key.
  fileprivate init?(journalText text: String) {
    let bytes = Array(text.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else { return nil }
    let rest = bytes[(colon + 3)...]
    guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    self.init(
      scheme: String(decoding: bytes[..<colon], as: UTF8.self), bucket: String(decoding: rest[..<slash], as: UTF8.self),
      key: String(decoding: rest[(slash + 1)...], as: UTF8.self))
  }
}
