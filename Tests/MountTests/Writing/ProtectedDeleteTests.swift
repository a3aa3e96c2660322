// SPDX-License-Identifier: Apache-2.0

import Testing
import WireFormats

/// One after another, the last of them last: a table that cannot be read keeps all files of its catalog.
@Suite("rm on a mount that may delete", .serialized)
struct ProtectedDeleteTests {
  private static let everyFlag = ["--allow-delete", "--allow-drop", "--allow-rename"]
  private static let atAnyAge = everyFlag + ["--delete-min-age", "0"]

  /// Every file that any snapshot needs, by its path below the table's location, as PyIceberg reads log, manifest lists and manifests.
  private func needed(by table: WritableTable) async throws -> Set<String> {
    let answer = try await table.emulator.account(["files", table.table.metastore.rawValue, table.table.namespace, table.table.name])
    let location = table.table.location + "/"
    return Set(answer.elements.compactMap(\.string).map { $0.hasPrefix(location) ? String($0.dropFirst(location.count)) : $0 })
  }

  /// Runs `rm -f` on one file, which must fail, and gives the reason on record.
  private func refusal(_ path: String, of table: WritableTable, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
    let result = try await table.shell(#"rm -f "$M/$FILE""#, ["FILE": path])
    #expect(
      result.status == 1 && result.errorText.contains("Operation not permitted"), "\(path): \(result)", sourceLocation: sourceLocation)
    let record = try await table.lastError(path, sourceLocation: sourceLocation)
    #expect(record.errno == "EPERM", "\(record)", sourceLocation: sourceLocation)
    return record.message
  }

  @Test("rm -rf of a table that PyIceberg appends to loses no file, no commit and not the entry", arguments: Metastore.allCases)
  func everything(metastore: Metastore) async throws {
    let options = Self.everyFlag + ["--delete-min-age", "3d"]
    try await WritableTable.with(metastore, "test_rm_everything.t", appends: 2, options: options, isWithoutSeed: true) { table in
      let old = try await needed(by: table)
      let rows = try await table.loaded().rows
      let snapshots = try await table.loaded().snapshots.count
      let appends = 5
      async let appending: Void = {
        for _ in 0..<appends { _ = try await table.emulator.append(to: table.table) }
      }()
      let rounds = 3
      for round in 0..<rounds {
        let removed = try await table.shell(#"rm -rf "$M/$TABLE""#, ["TABLE": table.table.path])
        #expect(removed.status == 1, "round \(round): \(removed)")
      }
      try await appending
      // The last round meets every file there is: listings from before the last appends are forgotten.
      let removed = try await table.shell(#"cat "$M/.bergfs/refresh" >"$T/refreshed"; rm -rf "$M/$TABLE""#, ["TABLE": table.table.path])
      let all = try await needed(by: table)
      let objects = try await table.objects()
      #expect(all.isSuperset(of: old))
      #expect(all.subtracting(objects.keys) == [], "gone")
      #expect(removed.errorText.split(separator: "\n").count { $0.contains("Operation not permitted") } >= all.count, "\(removed)")
      let loaded = try await table.loaded()
      #expect(loaded.snapshots.count == snapshots + appends)
      #expect(loaded.rows == rows + Int64(appends))
      #expect(try await table.shell(#"ls "$M/$TABLE""#, ["TABLE": table.table.path]).succeeded().lines == ["data", "metadata"])
    }
  }

  @Test("Without a minimum age orphans go, and what a snapshot or the log needs stays", arguments: Metastore.allCases)
  func orphans(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_rm_orphans.t", appends: 2, options: Self.atAnyAge, isWithoutSeed: true) { table in
      let orphans = ["data/orphan.parquet", "data/deep/er/orphan.parquet", "metadata/orphan-m0.avro", "metadata/snap-1-1-orphan.avro"]
      for orphan in orphans { try await table.emulator.putObject("\(table.table.location)/\(orphan)", Array("nobody's".utf8)) }
      let files = try await needed(by: table)
      #expect(files.count >= 10 && files.isDisjoint(with: orphans), "\(files)")
      let removed = try await table.shell(#"rm -rf "$M/$TABLE""#, ["TABLE": table.table.path])
      #expect(removed.status == 1)
      #expect(try await Set(table.objects().keys) == files)
      #expect(try await table.loaded().rows == 12)

      let data = try #require(files.first { $0.hasPrefix("data/") })
      #expect(try await refusal("\(table.table.path)/\(data)", of: table).contains("is in use: "))
      // The first file of the log, two commits back.
      let first = try #require(files.first { $0.hasPrefix("metadata/00000-") })
      #expect(try await refusal("\(table.table.path)/\(first)", of: table).contains("is in use: "))
      let manifest = try #require(files.first { $0.hasSuffix("-m0.avro") })
      #expect(try await refusal("\(table.table.path)/\(manifest)", of: table).contains("is in use: "))
    }
  }

  @Test("What the mount uploaded goes at any age until a commit names it", arguments: Metastore.allCases)
  func own(metastore: Metastore) async throws {
    let options = Self.everyFlag + ["--delete-min-age", "3d"]
    try await WritableTable.with(metastore, "test_rm_own.t", options: options, isWithoutSeed: true) { table in
      try await table.emulator.putObject("\(table.table.location)/data/others.parquet", Array("another writer's".utf8))
      try await table.emulator.account(["rows", table.lake.workspace.directory.file("rows.parquet")])
      try await table.shell(#"cp "$T/rows.parquet" "$D/kept.parquet"; cp "$T/rows.parquet" "$D/gone.parquet"; rm "$D/gone.parquet""#)
        .succeeded()
      var objects = try await table.objects()
      #expect(objects["data/gone.parquet"] == nil && objects["data/kept.parquet"] != nil)
      let name = table.table
      try await table.emulator.account([
        "add-file", metastore.rawValue, name.namespace, name.name, "\(name.location)/data/kept.parquet",
      ])
      #expect(try await refusal("\(name.path)/data/kept.parquet", of: table).contains("is in use: "))
      // From now on it is as young as any other.
      #expect(try await refusal("\(name.path)/data/kept.parquet", of: table).contains("--delete-min-age"))
      #expect(try await refusal("\(name.path)/data/others.parquet", of: table).contains("--delete-min-age"))
      objects = try await table.objects()
      #expect(objects["data/others.parquet"] != nil && objects["data/kept.parquet"] != nil)
      // The mount learns of the other client's commit first, or its own would be one too late.
      let current = try await table.loaded().fileName
      #expect(await eventually { (try? await table.shell(#"readlink "$X/current.metadata.json""#).trimmed) == current })
      // The mount's own commits: what they named is no longer the mount's alone.
      let committed = try await table.shell(
        #"N=$(next a 1) && cp "$T/$N" "$X/" && P=$(next a 2) && cp "$T/$P" "$X/" && echo "$N" "$P""#
      ).succeeded().trimmed.split(separator: " ").map(String.init)
      for file in committed {
        #expect(try await refusal("\(name.path)/metadata/\(file)", of: table).contains("--delete-min-age"), "\(file)")
      }
    }
  }

  @Test("A table that was renamed, and one registered over the same files, protect them", arguments: Metastore.allCases)
  func others(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_rm_others.t", appends: 1, options: Self.atAnyAge, isWithoutSeed: true) { table in
      let name = table.table
      let emulator = table.emulator
      // Another entry over the same location goes on from here: its new files are in no log of the first table.
      let pointer = try await table.pointer()
      try await emulator.account(["entries", metastore.rawValue, "test_rm_others_registered", "1", pointer])
      let before = try await Set(table.objects().keys)
      try await emulator.account(["append", metastore.rawValue, "test_rm_others_registered", "table_00000"])
      let after = try await Set(table.objects().keys)
      let new = after.subtracting(before)
      #expect(new.contains { $0.hasPrefix("data/") } && new.count >= 4, "\(new)")
      for file in new {
        let reason = try await refusal("\(name.path)/\(file)", of: table)
        #expect(reason.contains("is in use: ") && reason.contains("table_00000"), "\(file): \(reason)")
      }
      // Renamed, with its location as it was; then nothing but the new name protects what the other entry has not.
      try await table.shell(#"mv "$M/test_rm_others/t" "$M/test_rm_others/u""#).succeeded()
      _ = try await emulator.account(["append", metastore.rawValue, name.namespace, "u"])
      let newest = try await Set(table.objects().keys).subtracting(after)
      #expect(newest.count >= 4)
      let removed = try await table.shell(
        #"rm -rf "$M/test_rm_others_registered/table_00000"; rm -rf "$M/test_rm_others/u"; ls "$M/test_rm_others""#)
      #expect(removed.lines == ["u"], "\(removed)")
      #expect(try await Set(table.objects().keys) == after.union(newest))
    }
  }

  @Test("A table in a DynamoDB namespace without an item, and a row that is no table, protect files")
  func namespaceWithoutItem() async throws {
    try await WritableTable.with(.dynamodb, "test_rm_archive.orders", options: Self.atAnyAge, isWithoutSeed: true) { table in
      let name = table.table
      let old = try await needed(by: table)
      let pointer = try await table.pointer()
      // As Java's rename does: the target namespace has no item, and the files stay where they are.
      let emulator = table.emulator
      try await emulator.account(["row", "test_rm_nowhere.orders", "test_rm_nowhere", pointer])
      // Somebody makes a new table of the old name at the old place.
      let document = table.lake.workspace.directory.file("first.json")
      try await emulator.account(["document", name.location, document])
      let first = "\(name.location)/metadata/00000-11111111-2222-4333-8444-555555555555.metadata.json"
      try await emulator.putObject(first, readFile(document))
      try await emulator.account(["row", "\(name.namespace).\(name.name)", name.namespace, first])
      try await emulator.putObject("\(name.location)/data/orphan.parquet", Array("nobody's".utf8))
      try await table.shell(#"cat "$M/.bergfs/refresh""#).succeeded()
      #expect(
        await eventually {
          (try? await table.shell(#"readlink "$X/current.metadata.json""#).trimmed)
            == "00000-11111111-2222-4333-8444-555555555555.metadata.json"
        })
      // A row whose identifier is not its namespace's: it may lead anywhere.
      try await emulator.account(["row", "test_rm_odd", "test_rm_nowhere", "s3://unknown/metadata/00000-u.metadata.json"])
      let kept = try await refusal("\(name.path)/data/orphan.parquet", of: table)
      #expect(kept.contains("is kept, as it may be in use") && kept.contains("'test_rm_odd'"), "\(kept)")
      try await emulator.account(["row", "test_rm_odd", "test_rm_nowhere"])
      for file in old {
        let reason = try await refusal("\(name.path)/\(file)", of: table)
        #expect(reason.contains("is in use: Table test_rm_nowhere.orders"), "\(file): \(reason)")
      }
      #expect(try await table.shell(#"rm -rf "$M/$TABLE/data""#, ["TABLE": name.path]).status == 1)
      #expect(try await Set(table.objects().keys).subtracting(old) == ["metadata/\(first.split(separator: "/").last ?? "")"])
      #expect(try await old.isSubset(of: table.objects().keys))
    }
  }

  @Test("A manifest that cannot be read protects everything", arguments: Metastore.allCases)
  func unreadable(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_rm_unreadable.t", appends: 1, options: Self.atAnyAge, isWithoutSeed: true) { table in
      let files = try await needed(by: table)
      let location = table.table.location
      let manifest = try #require(files.first { $0.hasSuffix("-m0.avro") })
      let orphans = ["data/first.parquet", "data/second.parquet"]
      for orphan in orphans { try await table.emulator.putObject("\(location)/\(orphan)", Array("nobody's".utf8)) }
      for (orphan, isDamaged) in zip(orphans, [true, false]) {
        if isDamaged {
          try await table.emulator.putObject("\(location)/\(manifest)", Array("no Avro".utf8))
        } else {
          try await table.emulator.deleteObject("\(location)/\(manifest)")
        }
        let reason = try await refusal("\(table.table.path)/\(orphan)", of: table)
        #expect(reason.contains("is kept, as it may be in use") && reason.contains(manifest), "\(reason)")
        #expect(try await table.objects()[orphan] != nil)
      }
    }
  }
}
