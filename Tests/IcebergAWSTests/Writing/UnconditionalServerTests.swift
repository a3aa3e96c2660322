// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Testing

@Suite("Servers that do not keep conditions")
struct UnconditionalServerTests {
  private static let path = "/b/data/f"
  private let location = ObjectLocation(bucket: "b", key: "data/f")
  private let directory = ObjectLocation(bucket: "b", key: "metadata")
  private let small = ["s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1"]
  private static let refusals: [SimulatedBucket.Conditions] = [
    .refused(501, "NotImplemented"), .refused(400, "InvalidArgument"), .refused(400, "NotImplemented"),
  ]

  @Test("A refused header is left out from then on, said once, and names are looked up instead", arguments: refusals, [10, 11_000_000])
  func fallsBack(_ conditions: SimulatedBucket.Conditions, _ size: Int) async throws {
    let bucket = SimulatedBucket(conditions: conditions)
    let log = RecordingLog()
    let (files, transport) = try bucket.files(small, logger: log.logger)
    let content = BytesContent([UInt8](repeating: 7, count: size))
    let step = size == 10 ? "PutObject" : "CompleteMultipartUpload"
    let attributes = try await files.create(location, from: content, options: WriteOptions())
    #expect(bucket.object(Self.path)?.etag == attributes.etag && bucket.object(Self.path)?.bytes.count == size)
    #expect(transport.sends(step) == 2)
    let error = await #expect(throws: FileIOError.self) { _ = try await files.create(location, from: content, options: WriteOptions()) }
    #expect(error?.code == .exists)
    #expect(transport.sends(step) == 2)
    _ = try await files.create(ObjectLocation(bucket: "b", key: "g"), from: content, options: WriteOptions())
    #expect(transport.sends(step) == 3)
    #expect(bucket.writes == 2 && bucket.uploadsLeft == 0)
    #expect(log.count == 1)
  }

  @Test("A name that is taken is not replaced while the refusal is found out", arguments: refusals, [10, 11_000_000])
  func keepsWhatIsThere(_ conditions: SimulatedBucket.Conditions, _ size: Int) async throws {
    let bucket = SimulatedBucket(conditions: conditions)
    bucket.put(Self.path, [1])
    let (files, _) = try bucket.files(small)
    let error = await #expect(throws: FileIOError.self) {
      _ = try await files.create(location, from: BytesContent([UInt8](repeating: 7, count: size)), options: WriteOptions())
    }
    #expect(error?.code == .exists)
    #expect(bucket.object(Self.path)?.bytes == [1] && bucket.writes == 0 && bucket.uploadsLeft == 0)
  }

  @Test("A request that is refused without the header, too, is a failure, and the condition stays")
  func otherRefusal() async throws {
    let sender = ScriptedSender { request, _ in
      switch request.method {
      case "HEAD": .failure(.notFound, code: "404", status: 404)
      default: .failure(.badRequest, code: "InvalidArgument", status: 400)
      }
    }
    let files = S3FileIO(client: S3Client(sender: sender), properties: try S3FileIOProperties([:]))
    for _ in 0..<2 {
      let error = await #expect(throws: FileIOError.self) {
        _ = try await files.create(location, from: BytesContent([1]), options: WriteOptions())
      }
      #expect(error?.code == .failed)
    }
    #expect(sender.requests.filter { $0.method == "PUT" }.map { $0.header("If-None-Match") } == ["*", nil, "*", nil])
  }

  @Test("An answer that is lost where conditions are not kept is settled by the mark, and another's object there leaves it unknown")
  func lostAnswers() async throws {
    for hasRival in [false, true] {
      let bucket = SimulatedBucket(conditions: .refused(501, "NotImplemented"))
      let (files, transport) = try bucket.files { operation, number in
        guard operation == "PutObject", number > 0 else { return nil }
        // Comes after the name was looked up.
        if hasRival, number == 1 { bucket.put(Self.path, [9], mark: "another") }
        return hasRival ? .late : .lostAfter
      }
      let options = WriteOptions()
      do throws(FileIOError) {
        let attributes = try await files.create(location, from: BytesContent([1]), options: options)
        #expect(!hasRival && attributes.etag == bucket.object(Self.path)?.etag)
      } catch {
        #expect(hasRival && error.code == .unknown, "\(error)")
        transport.deliverLate()
        #expect(bucket.object(Self.path)?.mark == options.mark.text)
      }
    }
  }

  @Test(
    "The probe tells servers apart, leaves nothing, and has writes look first where it must",
    arguments: [
      (SimulatedBucket.Conditions.kept, ConditionalWrites.kept), (.ignored, .ignored), (.refused(501, "NotImplemented"), .refused),
      (.refused(400, "InvalidArgument"), .refused),
    ])
  func probe(_ conditions: SimulatedBucket.Conditions, _ expected: ConditionalWrites) async throws {
    let bucket = SimulatedBucket(conditions: conditions)
    bucket.put(Self.path, [1])
    let log = RecordingLog()
    let (files, transport) = try bucket.files(logger: log.logger)
    #expect(await files.probeConditionalWrites(in: directory) == expected)
    #expect(await files.probeConditionalWrites(in: directory) == expected)
    #expect(bucket.paths == [Self.path])
    #expect(log.count == (expected == .kept ? 0 : 1))
    let sent = transport.sends("PutObject")
    let error = await #expect(throws: FileIOError.self) {
      _ = try await files.create(location, from: BytesContent([2]), options: WriteOptions())
    }
    #expect(error?.code == .exists)
    #expect(bucket.object(Self.path)?.bytes == [1])
    #expect(transport.sends("PutObject") == (expected == .kept ? sent + 1 : sent))
  }

  @Test("The probe writes nothing where deleting is switched off, denied, or writing is denied")
  func probeWithoutRights() async throws {
    let bucket = SimulatedBucket()
    let (switchedOff, first) = try bucket.files(["s3.delete-enabled": "false"])
    let (noDelete, second) = try bucket.files { operation, _ in operation == "DeleteObject" ? .refused(403, "AccessDenied") : nil }
    let (noWrite, third) = try bucket.files { operation, _ in operation == "PutObject" ? .refused(403, "AccessDenied") : nil }
    for files in [switchedOff, noDelete, noWrite] {
      guard case .unknown(let error) = await files.probeConditionalWrites(in: directory) else {
        Issue.record("the probe claims to know")
        continue
      }
      #expect(error.code == (files === switchedOff ? .unsupported : .denied), "\(error)")
    }
    #expect(first.sends("PutObject") == 0 && second.sends("PutObject") == 0 && third.sends("PutObject") == 1)
    #expect(bucket.paths.isEmpty && bucket.writes == 0)
  }

  @Test("In a bucket with versions the probe removes its versions for good")
  func probeWithVersions() async throws {
    let sender = ScriptedSender { request, number in
      switch (request.method, number) {
      case ("PUT", 1): .init(headers: [("ETag", "\"e\""), ("x-amz-version-id", "v1")])
      case ("PUT", _): .init(headers: [("ETag", "\"e\""), ("x-amz-version-id", "v2")])
      default: .init(status: 204)
      }
    }
    let files = S3FileIO(client: S3Client(sender: sender), properties: try S3FileIOProperties([:]))
    #expect(await files.probeConditionalWrites(in: directory) == .ignored)
    let removed = sender.requests.dropFirst().filter { $0.method == "DELETE" }
    #expect(Set(removed.map { $0.queryValue("versionId") }) == ["v1", "v2"])
    #expect(Set(sender.requests.map(\.path)).count == 1)
    #expect(sender.requests[0].path.hasPrefix("/metadata/.bergfs-probe-"))
  }
}
