// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Iceberg
import IcebergAWS
import Testing

@Suite("S3FileIO deleting many")
struct S3DeletingTests {
  @Test("Keys go bucket by bucket in batches, each once, and every place gets its answer")
  func batches() async throws {
    let sender = ScriptedSender { request, _ in
      let body = String(decoding: request.body, as: UTF8.self)
      return body.contains("<Key>k3</Key>")
        ? .text("<DeleteResult><Error><Key>k3</Key><Code>AccessDenied</Code><Message>kept</Message></Error></DeleteResult>")
        : .text("<DeleteResult/>")
    }
    var places = (0..<5).map { ObjectLocation(bucket: "b", key: "k\($0)") }
    places += [
      places[3], ObjectLocation(bucket: "c", key: "x"), ObjectLocation(bucket: "c", key: "y"), ObjectLocation(bucket: "c", key: ""),
    ]
    let errors = try await files(sender, ["s3.delete.batch-size": "2", "s3.access-points.c": "alias"]).deleteAll(places)
    #expect(errors.map { $0?.code } == [nil, nil, nil, .denied, nil, .denied, nil, nil, .invalid])
    #expect(errors[3]?.message.contains("s3://b/k3: kept") == true)
    #expect(
      sender.requests.filter { $0.operation == "S3.DeleteObjects" }.map(\.bucket).sorted { ($0 ?? "") < ($1 ?? "") } == ["alias", "b", "b"])
    #expect(sender.requests.filter { $0.operation == "S3.DeleteObject" }.map(\.path) == ["/k4"])
  }

  @Test("Two hundred and fifty keys make one request unless configuration says otherwise")
  func batchSize() async throws {
    let sender = ScriptedSender([.text("<DeleteResult/>")])
    let places = (0..<500).map { ObjectLocation(bucket: "b", key: "k\($0)") }
    #expect(try await files(sender).deleteAll(places).allSatisfy { $0 == nil })
    #expect(sender.requests.count == 2)
    for size in ["0", "1001"] {
      let error = #expect(throws: PropertyError.self) { _ = try S3FileIOProperties(["s3.delete.batch-size": size]) }
      #expect(error?.message == "Deletion batch size must be between 1 and 1000")
    }
  }

  @Test("A key that XML cannot hold goes by itself, and so do all where the server knows no other way", arguments: [501, 405])
  func singly(_ status: Int) async throws {
    let sender = ScriptedSender { request, _ in
      request.operation == "S3.DeleteObjects" ? .failure(.server, code: "NotImplemented", status: status) : .init(status: 204)
    }
    let places = ["a", "b\u{1}", "c"].map { ObjectLocation(bucket: "b", key: $0) }
    #expect(try await files(sender).deleteAll(places).allSatisfy { $0 == nil })
    #expect(sender.requests.filter { $0.operation == "S3.DeleteObject" }.map(\.path).sorted() == ["/a", "/b%01", "/c"])
    let together = sender.requests.filter { $0.operation == "S3.DeleteObjects" }.map { String(decoding: $0.body, as: UTF8.self) }
    #expect(together.count == 1 && together.allSatisfy { $0.contains("<Key>c</Key>") && !$0.contains("<Key>b") })
  }

  @Test("A request that fails is the failure of its keys only")
  func failedRequest() async throws {
    let sender = ScriptedSender { request, _ in
      request.bucket == "b" ? .failure(.accessDenied, code: "AccessDenied", status: 403) : .text("<DeleteResult/>")
    }
    let places = ["b", "c"].flatMap { bucket in (0..<2).map { ObjectLocation(bucket: bucket, key: "k\($0)") } }
    #expect(try await files(sender).deleteAll(places).map { $0?.code } == [.denied, .denied, nil, nil])
  }

  @Test("Delete tags go on first, and nothing else happens where deleting is off")
  func tags() async throws {
    let sender = ScriptedSender { request, _ in
      request.operation == "S3.GetObjectTagging" ? .text("<Tagging><TagSet/></Tagging>") : .text("<DeleteResult/>")
    }
    let places = (0..<3).map { ObjectLocation(bucket: "b", key: "k\($0)") }
    let properties = ["s3.delete.tags.gone": "yes"]
    #expect(try await files(sender, properties).deleteAll(places).allSatisfy { $0 == nil })
    #expect(sender.requests.filter { $0.operation == "S3.PutObjectTagging" }.count == 3)
    #expect(sender.requests.last?.operation == "S3.DeleteObjects" && sender.requests.count == 7)
    #expect(try await files(sender, properties.merging(["s3.delete-enabled": "false"]) { $1 }).deleteAll(places).allSatisfy { $0 == nil })
    #expect(sender.requests.count == 13 && sender.requests.last?.operation != "S3.DeleteObjects")
  }

  private func files(_ sender: ScriptedSender, _ properties: [String: String] = [:]) throws -> S3FileIO {
    S3FileIO(client: S3Client(sender: sender), properties: try S3FileIOProperties(properties))
  }
}
