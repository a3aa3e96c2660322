// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

/// Which implementation a conformance test runs on.
enum FileIOImplementation: String, CaseIterable, CustomTestStringConvertible, Sendable {
  case inMemory = "in memory"
  case s3 = "S3 of the emulator"

  var testDescription: String { rawValue }

  func fixture() async throws -> any FileIOFixture {
    switch self {
    case .inMemory: try await InMemoryFileIOFixture()
    case .s3: try await EmulatedFileIOFixture.shared()
    }
  }
}

@Suite("FileIO conformance", .timeLimit(.minutes(5)))
struct FileIOConformanceTests {
  @Test("Objects with odd keys are found and read byte for byte", arguments: FileIOImplementation.allCases)
  func oddKeys(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).headsAndReadsOddKeys()
  }

  @Test("Odd keys are listed exactly as they are, with the attributes of HEAD", arguments: FileIOImplementation.allCases)
  func oddListings(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).listsOddKeysAsTheyAre()
  }

  @Test("Listings are in the order of the keys' bytes", arguments: FileIOImplementation.allCases)
  func order(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).listsInTheOrderOfBytes()
  }

  @Test("A listing by directory groups at slashes", arguments: FileIOImplementation.allCases)
  func directories(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).groupsAtSlashes()
  }

  @Test("A long listing comes page by page, complete and without repetition", arguments: FileIOImplementation.allCases)
  func pages(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).listsPageByPage()
  }

  @Test("A listing begins behind any key, whether it exists or not", arguments: FileIOImplementation.allCases)
  func listsFromBehindAKey(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).listsFromBehindAKey()
  }

  @Test("An absent prefix lists nothing", arguments: FileIOImplementation.allCases)
  func absentPrefix(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).listsNothingUnderAnAbsentPrefix()
  }

  @Test("Ranges at the edges give exactly the bytes that are there", arguments: FileIOImplementation.allCases)
  func ranges(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).readsRangesAtTheEdges()
  }

  @Test("Objects of no length read as nothing", arguments: FileIOImplementation.allCases)
  func emptyObjects(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).readsEmptyObjects()
  }

  @Test("A sink that wants no more ends the read", arguments: FileIOImplementation.allCases)
  func refusingSink(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).stopsWhenTheSinkWantsNoMore()
  }

  @Test("A negative position is invalid", arguments: FileIOImplementation.allCases)
  func negative(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).refusesNegativePositions()
  }

  @Test("Bytes of two versions never mix: a stale etag is a change", arguments: FileIOImplementation.allCases)
  func versions(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).keepsVersionsApart()
  }

  @Test("What is not there is not found", arguments: FileIOImplementation.allCases)
  func missing(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).missingObjectsAreNotFound()
  }

  @Test("A missing bucket is a failure that names it", arguments: FileIOImplementation.allCases)
  func missingBucket(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).missingBucketsFail()
  }

  @Test("A wrong secret is denied", arguments: FileIOImplementation.allCases)
  func wrongSecret(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).wrongSecretsAreDenied()
  }

  @Test("A cancelled read ends as cancelled", arguments: FileIOImplementation.allCases)
  func cancelled(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).cancelledCallsEnd()
  }

  @Test("Locations are read as Iceberg reads them", arguments: FileIOImplementation.allCases)
  func locations(_ implementation: FileIOImplementation) async throws {
    try await conformance(implementation).readsLocations()
  }

  private func conformance(_ implementation: FileIOImplementation) async throws -> FileIOConformance {
    FileIOConformance(fixture: try await implementation.fixture())
  }
}

/// The in-memory implementation, filled.
struct InMemoryFileIOFixture: FileIOFixture {
  let bucket = "conformance"
  private let memory = InMemoryFileIO()
  private let refusing = InMemoryFileIO()

  init() async throws {
    refusing.faults.fail(next: .max, with: FileIOError(code: .denied, message: "The keys are refused."))
    try await put(ConformanceObjects.all)
  }

  var files: any FileIO { memory }
  var deniedFiles: any FileIO { refusing }

  func put(_ objects: [(key: String, bytes: [UInt8])]) async throws {
    for object in objects { memory.put(ObjectLocation(bucket: bucket, key: object.key), object.bytes) }
  }

  func delete(_ keys: [String]) async throws {
    for key in keys { memory.delete(ObjectLocation(bucket: bucket, key: key)) }
  }
}
