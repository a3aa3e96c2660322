// SPDX-License-Identifier: Apache-2.0

import Iceberg
import IcebergAWS
import Testing

@Suite("Uploads when services fail")
struct UploadFaultTests {
  private static let path = "/b/data/f"
  private static let location = ObjectLocation(bucket: "b", key: "data/f")
  private static let faults: [SendFault] = [
    .refused(503, "SlowDown"), .refused(500, "InternalError"), .refused(403, "AccessDenied"), .refused(400, "BadDigest"),
    .refused(409, "ConditionalRequestConflict"), .refused(400, "ExpiredToken"), .doneThen(500, "InternalError"),
    .doneThen(503, "ServiceUnavailable"), .notSent, .lostBefore, .lostAfter, .late, .timedOutBefore, .timedOutAfter, .truncated,
    .webPage,
  ]

  /// Small enough for one request, large enough for three parts.
  enum Size: Int, CaseIterable, Sendable {
    case single = 1000
    case parts = 11_000_000

    var steps: [String] {
      self == .single
        ? ["PutObject", "HeadObject"] : ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload"]
    }
  }

  @Test(
    "Whatever befalls an upload, it is whole and ours, refused and gone, or unknown and in the journal", arguments: Size.allCases, faults)
  func outcomes(_ size: Size, _ fault: SendFault) async throws {
    let content = (0..<size.rawValue).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for step in size.steps {
      for isAlways in [false, true] {
        for hasRival in [false, true] {
          for isStream in [false, true] {
            let bucket = SimulatedBucket()
            if hasRival {
              bucket.before(size == .single ? "PutObject" : "CompleteMultipartUpload") { $0.put(Self.path, [1], mark: "another") }
            }
            // An abort that nobody asks for is not reached: the failing completion makes it so.
            let (files, transport) = try bucket.files(["s3.multipart.part-size-bytes": "5242880", "s3.multipart.threshold": "1"]) {
              operation, number in
              if step == "AbortMultipartUpload", operation == "UploadPart" { return .refused(403, "AccessDenied") }
              if step == "HeadObject", operation == "PutObject" { return .doneThen(500, "InternalError") }
              return operation == step && (isAlways || number == 0) ? fault : nil
            }
            let journal = RecordingJournal()
            let options = WriteOptions(journal: journal)
            let result = await write(content, files, options, isStream: isStream)
            transport.deliverLate()
            let label: Comment = "\(size) \(step) \(fault) always: \(isAlways) rival: \(hasRival) stream: \(isStream): \(result)"
            let object = bucket.object(Self.path)
            #expect(bucket.writes <= 1, label)
            switch result {
            case .success(let attributes):
              #expect(object?.mark == options.mark.text && object?.bytes == content, label)
              #expect(attributes.etag == object?.etag && attributes.size == Int64(content.count), label)
              #expect(journal.open.isEmpty, label)
            case .failure(let error) where error.code == .unknown:
              #expect(journal.open == [options.mark.text], label)
            case .failure(let error):
              #expect(object?.mark != options.mark.text, label)
              if error.code == .exists { #expect(hasRival, label) }
              // What could not be aborted is in the journal by its id. A begin that was done, lost, and sent again leaves a twin without
              // parts, whose id nobody learns.
              if bucket.uploadsLeft == 0 || step == "CreateMultipartUpload" { continue }
              #expect(step == "AbortMultipartUpload" && journal.uploads.count == 1 && journal.open == [options.mark.text], label)
            }
          }
        }
      }
    }
  }

  @Test(
    "A 412 that our own first send caused is no conflict",
    arguments: [SendFault.lostAfter, .doneThen(500, "InternalError"), .timedOutAfter])
  func ownResend(_ fault: SendFault) async throws {
    let bucket = SimulatedBucket()
    let (files, transport) = try bucket.files { $0 == "PutObject" && $1 == 0 ? fault : nil }
    let attributes = try await files.create(Self.location, from: BytesContent([1, 2, 3]), options: WriteOptions())
    #expect(attributes.etag == bucket.object(Self.path)?.etag)
    #expect(transport.sends("PutObject") == 2)
    #expect(transport.sends("HeadObject") == 1)
  }

  @Test("NoSuchUpload after a completion that was done is success")
  func completedBefore() async throws {
    let bucket = SimulatedBucket()
    let (files, transport) = try bucket.files { $0 == "CompleteMultipartUpload" && $1 == 0 ? .lostAfter : nil }
    let writer = try files.writer(Self.location, expectedSize: nil, options: WriteOptions())
    for _ in 0..<50 { try await writer.append([UInt8](repeating: 7, count: 1 << 20)) }
    let attributes = try await writer.finish()
    #expect(attributes.size == 50 << 20)
    #expect(bucket.object(Self.path)?.bytes.count == 50 << 20)
    #expect(transport.sends("CompleteMultipartUpload") == 2)
  }

  @Test("A journal that cannot be written ends the write before its first request")
  func journalFails() async throws {
    struct Full: WriteJournal {
      func willWrite(_ location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {
        throw FileIOError(code: .failed, message: "the disk is full")
      }
      func didBegin(upload id: String, at location: ObjectLocation, mark: WriteMark) async throws(FileIOError) {}
      func didEnd(_ location: ObjectLocation, mark: WriteMark) async {}
    }
    let bucket = SimulatedBucket()
    let (files, transport) = try bucket.files()
    let error = await #expect(throws: FileIOError.self) {
      _ = try await files.create(Self.location, from: BytesContent([1]), options: WriteOptions(journal: Full()))
    }
    #expect(error?.message == "the disk is full")
    #expect(transport.sends("PutObject") == 0)
  }

  private func write(
    _ content: [UInt8], _ files: S3FileIO, _ options: WriteOptions, isStream: Bool
  ) async -> Result<ObjectAttributes, FileIOError> {
    do throws(FileIOError) {
      guard isStream else { return .success(try await files.create(Self.location, from: BytesContent(content), options: options)) }
      let writer = try files.writer(Self.location, expectedSize: nil, options: options)
      do throws(FileIOError) {
        var offset = 0
        while offset < content.count {
          let end = min(offset + 3_000_000, content.count)
          try await writer.append(Array(content[offset..<end]))
          offset = end
        }
      } catch {
        await writer.abort()
        throw error
      }
      return .success(try await writer.finish())
    } catch {
      return .failure(error)
    }
  }
}
