// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import TestSupport
import Testing
import WireFormats

@Suite("Writing FileIO conformance", .timeLimit(.minutes(5)))
struct WritableFileIOConformanceTests {
  @Test("What is created, streamed or copied is there byte for byte, with the attributes told", arguments: FileIOImplementation.allCases)
  func content(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).writesWhatWasGiven()
  }

  @Test("Odd keys are written as they are", arguments: FileIOImplementation.allCases)
  func oddKeys(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).takesOddKeys()
  }

  @Test("No write of any kind replaces an object", arguments: FileIOImplementation.allCases)
  func createOnly(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).replacesNothing()
  }

  @Test("Of eight writers of one name one wins, and its content is there", arguments: FileIOImplementation.allCases)
  func race(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).givesANameToOneOfMany()
  }

  @Test("A copy is of the version named, or is none", arguments: FileIOImplementation.allCases)
  func copies(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).copiesOnlyTheVersionNamed()
  }

  @Test("A delete takes the version named, or our own, and nothing else", arguments: FileIOImplementation.allCases)
  func deletes(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).deletesOnlyTheVersionNamed()
  }

  @Test("Many are deleted at once, whatever their keys, and nothing else", arguments: FileIOImplementation.allCases)
  func deletesMany(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).deletesMany()
  }

  @Test("An object is known as that of the write that made it, and of no other", arguments: FileIOImplementation.allCases)
  func ownObjects(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).knowsItsOwnObjects()
  }

  @Test("Conditions are found to be kept, and the probe leaves nothing", arguments: FileIOImplementation.allCases)
  func probe(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).probesWithoutATrace()
  }

  @Test("An aborted write leaves nothing", arguments: FileIOImplementation.allCases)
  func abort(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).leavesNothingOfAnAbortedWrite()
  }

  @Test("The journal is told how every write ended", arguments: FileIOImplementation.allCases)
  func journal(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).tellsTheJournalOfEveryEnd()
  }

  @Test("A place without a key is invalid", arguments: FileIOImplementation.allCases)
  func noKey(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).refusesPlacesWithoutAKey()
  }

  private func conformance(_ implementation: FileIOImplementation) async throws -> WritableFileIOConformance {
    switch implementation {
    case .inMemory: WritableFileIOConformance(files: InMemoryFileIO(buckets: ["writing"]), bucket: "writing")
    case .s3: WritableFileIOConformance(files: try await EmulatedWriting.files(), bucket: EmulatedWriting.bucket)
    }
  }
}

/// Writing to the emulator, in a bucket and a DynamoDB table of its own.
enum EmulatedWriting {
  static let bucket = "writing"

  /// Properties with small parts, after bucket and table are there.
  static func properties() async throws -> [String: String] {
    try await preparing.value
    return try await Emulator.shared().properties.merging([
      "s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1.0", "warehouse": "s3://\(bucket)",
      "dynamodb.table-name": "writing",
    ]) { $1 }
  }

  static func files() async throws -> S3FileIO {
    let properties = try await properties()
    return S3FileIO(client: try EmulatedClients.factory(properties).s3(), properties: try S3FileIOProperties(properties))
  }

  private static let preparing = Task {
    let emulator = try await Emulator.shared()
    try await emulator.run("Tests/ConformanceTests/Support/objects.py", input: (["bucket": .string(bucket)] as JSONValue).serialized())
    let order: JSONValue = ["dynamodb": ["table": "writing", "items": []]]
    try await emulator.run("Tests/ConformanceTests/Support/catalogs.py", input: order.serialized())
  }
}
