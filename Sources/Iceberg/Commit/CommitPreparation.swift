// SPDX-License-Identifier: Apache-2.0

/// The part of a commit that only reads: finds the base, derives the document, and checks it.
struct CommitPreparation {
  enum Result {
    /// Nothing is left to do.
    case done(Committed)
    case publish(CommitPlan)
  }

  /// A table's entry and the file it points at.
  struct Base {
    let entry: TableEntry
    let metadata: TableMetadata

    var check: SuccessorCheck.Base { .init(location: entry.metadataLocation, metadata: metadata) }
  }

  let engine: CommitEngine
  let table: TableIdentifier
  let files: any WritableFileIO

  private var context: String { "Commit of \(table)" }

  // MARK: Full form

  func fullForm(_ bytes: [UInt8], at location: ObjectLocation, known: TableEntry?) async throws(CommitFailure) -> Result {
    let next = try document(bytes, location)
    if let known, let named = next.head.metadataLog.last?.file, known.metadataLocation.hasSameBytes(as: named),
      let base = try await base(known)
    {
      return try await judged(next, bytes, location, base)
    }
    let base = try await currentBase(known)
    let place = try self.place(location, like: base.entry)
    let attempt = EarlierAttempt(location: place, bytes: bytes, base: next.head.metadataLog.last?.file)
    switch try await finding(attempt, base.entry, base.metadata.head) {
    case .landed(let object):
      return .done(
        Committed(
          outcome: .committed, entry: TableEntry(identifier: table, metadataLocation: "\(place)", version: nil, modified: nil),
          object: object, metadata: next))
    case .unclear:
      throw CommitFailure(
        code: .unknown, message: "\(context): \(EarlierAttempt.unclear(place))", kept: place, base: base.entry.metadataLocation)
    case .none: return try await judged(next, bytes, location, base)
    }
  }

  private func document(_ bytes: [UInt8], _ location: ObjectLocation) throws(CommitFailure) -> TableMetadata {
    do throws(SuccessorRefusal) {
      return try SuccessorCheck.read(bytes, location: "\(location)", base: nil)
    } catch {
      throw CommitFailure(error, context, base: nil)
    }
  }

  private func judged(
    _ next: TableMetadata, _ bytes: [UInt8], _ location: ObjectLocation, _ base: Base
  ) async throws(CommitFailure) -> Result {
    let place = try place(location, like: base.entry)
    let warnings = try await check(next, place, base)
    return .publish(
      CommitPlan(
        table: table, base: base.entry, baseHead: base.metadata.head, location: place, bytes: bytes, metadata: next, warnings: warnings,
        isNameGiven: true, existing: nil))
  }

  /// The catalog holds the new file with the scheme that it holds the current one with.
  private func place(_ location: ObjectLocation, like entry: TableEntry) throws(CommitFailure) -> ObjectLocation {
    var place = location
    place.scheme = try self.location(entry.metadataLocation).scheme
    return place
  }

  // MARK: Edited form

  func editedForm(_ bytes: [UInt8], known: TableEntry?) async throws(CommitFailure) -> Result {
    if let known, let base = try await base(known) {
      switch derive(bytes, base) {
      case .failure(let refusal) where refusal.row != .baseBinding: throw CommitFailure(refusal, context, base: known.metadataLocation)
      case .success(.commit(let successor)): return try await judged(successor, base)
      // Whether the copy was made of the current file is for the table to say, not for what the caller knows.
      case .failure, .success(.unchanged): break
      }
    }
    let base = try await currentBase(known)
    switch derive(bytes, base) {
    case .failure(let refusal): throw CommitFailure(refusal, context, base: base.entry.metadataLocation)
    case .success(.unchanged):
      return .done(Committed(outcome: .unchanged, entry: base.entry, object: nil, metadata: base.metadata))
    case .success(.commit(let successor)): return try await judged(successor, base)
    }
  }

  private func derive(_ bytes: [UInt8], _ base: Base) -> Swift.Result<EditedForm.Outcome, SuccessorRefusal> {
    do throws(SuccessorRefusal) {
      let form = try EditedForm(bytes, current: base.check)
      return .success(try form.successor(nowMs: engine.settings.now(), uuid: engine.settings.uuid()))
    } catch {
      return .failure(error)
    }
  }

  private func judged(_ successor: EditedForm.Successor, _ base: Base) async throws(CommitFailure) -> Result {
    let place = try place(try location(successor.location), like: base.entry)
    let restored = Self.sentence(successor.restored).map { [$0] } ?? []
    let warnings = restored + (try await check(successor.metadata, place, base))
    return .publish(
      CommitPlan(
        table: table, base: base.entry, baseHead: base.metadata.head, location: place, bytes: successor.bytes,
        metadata: successor.metadata, warnings: warnings, isNameGiven: false, existing: nil))
  }

  // MARK: New table

  /// One line for all numbers that a tool had rounded: jq rounds every snapshot id, each in several places.
  private static func sentence(_ restored: [NumberRestoration.Restored]) -> String? {
    guard !restored.isEmpty else { return nil }
    let pairs = Set(restored.map { "\($0.found) as \($0.restored)" }).sorted()
    let rest = pairs.count > 5 ? ", and \(pairs.count - 5) more" : ""
    return "numbers that their tool had rounded are restored: \(pairs.prefix(5).joined(separator: ", "))\(rest)"
  }

  /// The document makes the table: by a file at the pending table's place, or by one that lies already where the document says.
  func creation(_ bytes: [UInt8], at location: ObjectLocation, of pending: PendingTable) async throws(CommitFailure) -> Result {
    let next = try document(bytes, location)
    let isInPlace = next.head.location.hasSameBytes(as: TableMetadataHead.strippingTrailingSlashes(pending.location))
    let name = MetadataFileName("\(location)")?.name ?? ""
    let place = try self.location("\(next.head.metadataLocation)/\(name)")
    if let entry = try await load() {
      let equal = entry.metadataLocation.hasSameBytes(as: "\(place)") ? try await equalObject(place, bytes) : nil
      guard let equal else {
        throw CommitFailure(
          code: .exists, message: "\(context): the table exists already, with the metadata file \(entry.metadataLocation).",
          base: entry.metadataLocation)
      }
      return .done(Committed(outcome: isInPlace ? .created : .registered, entry: entry, object: equal, metadata: next))
    }
    let existing = isInPlace ? nil : try await equalObject(place, bytes)
    guard isInPlace || existing != nil else {
      throw CommitFailure(
        code: .invalid,
        message:
          "\(context): `location` is \(next.head.location), but the new table's is \(pending.location), and no file with these bytes "
          + "lies at \(place) to be registered.")
    }
    let warnings = try await check(next, place, nil)
    return .publish(
      CommitPlan(
        table: table, base: nil, baseHead: nil, location: place, bytes: bytes, metadata: next, warnings: warnings, isNameGiven: true,
        existing: existing))
  }

  // MARK: Parts

  private func check(_ next: TableMetadata, _ place: ObjectLocation, _ base: Base?) async throws(CommitFailure) -> [String] {
    let check = SuccessorCheck(base: base?.check, next: next, location: "\(place)", nowMs: engine.settings.now())
    do throws(SuccessorRefusal) {
      let warnings = try check.check()
      return (warnings + (try await check.checkFiles(files))).map(\.description)
    } catch {
      throw CommitFailure(error, context, base: base?.entry.metadataLocation)
    }
  }

  /// The table as it is now.
  private func currentBase(_ known: TableEntry?) async throws(CommitFailure) -> Base {
    guard let entry = try await load() else {
      throw CommitFailure(
        code: known == nil ? .notFound : .conflict, message: "\(context): there is no such table in the catalog.",
        base: known?.metadataLocation)
    }
    guard let base = try await base(entry) else {
      throw CommitFailure(
        code: .failed, message: "\(context): its current metadata file \(entry.metadataLocation) does not exist.",
        base: entry.metadataLocation)
    }
    return base
  }

  private func load() async throws(CommitFailure) -> TableEntry? {
    do throws(CatalogError) {
      return try await engine.catalog.loadTable(table)
    } catch {
      throw CommitFailure(error, context)
    }
  }

  /// Nil if the file is not there: it belongs to a pointer of the past.
  private func base(_ entry: TableEntry) async throws(CommitFailure) -> Base? {
    let pointer = entry.metadataLocation
    if let metadata = engine.bases.find(pointer) { return Base(entry: entry, metadata: metadata) }
    do {
      let bytes = try await ObjectReader.readAll(try files.location(pointer), limit: Int64(TableMetadataHead.maximumSize), from: files)
      let metadata = try TableMetadata(parsing: bytes, fileName: pointer)
      engine.bases.insert(metadata, at: pointer)
      return Base(entry: entry, metadata: metadata)
    } catch let error as FileIOError {
      if error.code == .notFound { return nil }
      throw CommitFailure(error, context, base: pointer)
    } catch {
      throw CommitFailure(code: .failed, message: "\(context): the current metadata file cannot be read: \(error)", base: pointer)
    }
  }

  private func location(_ text: String) throws(CommitFailure) -> ObjectLocation {
    do throws(FileIOError) {
      return try files.location(text)
    } catch {
      throw CommitFailure(error, context)
    }
  }

  private func equalObject(_ place: ObjectLocation, _ bytes: [UInt8]) async throws(CommitFailure) -> ObjectAttributes? {
    do throws(FileIOError) {
      return try await ObjectReader.attributes(of: place, ifEqualTo: bytes, from: files)
    } catch {
      throw CommitFailure(error, context)
    }
  }

  private func finding(
    _ attempt: EarlierAttempt, _ entry: TableEntry, _ head: TableMetadataHead
  ) async throws(CommitFailure) -> EarlierAttempt.Finding {
    do throws(FileIOError) {
      return try await attempt.finding(pointer: entry.metadataLocation, head, files)
    } catch {
      throw CommitFailure(error, context, base: entry.metadataLocation)
    }
  }
}
