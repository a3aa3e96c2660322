// SPDX-License-Identifier: Apache-2.0

import CatalogFS
import Configuration
import Iceberg
import WireFormats

/// What `status.json` shows of writing, and `bergfs umount` reads there.
struct WritingStatus: Sendable {
  /// Files that are only in this mount, scratch among them.
  var staged: [StagedSummary]
  var inFlight: [(path: String, operation: String)]
  var transfers: [TransferSummary]
  /// Bytes.
  var stagingUsed: Int64
  var stagingCapacity: Int64
  /// The class that `lock-impl` names; "in memory" without one.
  var lockManager: String

  init(_ filesystem: CatalogFilesystem?, _ writing: WritingAssembly, _ configuration: CatalogConfiguration) {
    staged = filesystem?.stagedFiles ?? []
    inFlight = filesystem?.workInFlight ?? []
    transfers = filesystem?.transfers ?? []
    stagingUsed = writing.staging.used
    stagingCapacity = writing.staging.capacity
    lockManager = configuration.properties.values[LockKeys.lockImpl] ?? "in memory"
  }

  var document: JSONValue {
    [
      "staged": .array(
        staged.map { file in
          [
            "path": .string(file.path), "bytes": .integer(file.size), "scratch": .bool(file.isScratch),
            "reason": file.reason.map { .string($0) } ?? .null,
          ]
        }),
      "in-flight": .array(inFlight.map { ["path": .string($0.path), "operation": .string($0.operation)] }),
      "transfers": .array(
        transfers.map { file in
          [
            "path": .string(file.path), "written-bytes": .integer(file.written), "sent-bytes": .integer(file.sent),
            "total-bytes": file.isComplete ? .integer(file.written) : .null,
            "age-milliseconds": .integer(Int64(file.age / .milliseconds(1))),
            "writer": file.writer.map { .integer(Int64($0)) } ?? .null,
          ]
        }),
      "staging-used-bytes": .integer(stagingUsed),
      "staging-capacity-bytes": .integer(stagingCapacity),
      "lock-manager": .string(lockManager),
    ]
  }
}
