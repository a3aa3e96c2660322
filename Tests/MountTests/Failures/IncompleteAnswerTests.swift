// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TestSupport
import Testing
import WireFormats

extension FailureTests {
  @Suite("What services answer wrongly or by half is never shown as the truth")
  struct IncompleteAnswerTests {
    private static let page = Array("<!DOCTYPE html><html><body>Please log in</body></html>".utf8)

    /// A network's login page in place of an object, with the status that object reads may have.
    @Test("A web page in place of an object is EIO, and no byte of it is handed out", arguments: [200, 206])
    func webPage(status: Int) async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount()
        account.setFault { call in
          guard call.operation == "GetObject", call.path.contains("/data/") else { return nil }
          return .answer(status: status, headers: [("Content-Type", "text/html")], body: Self.page)
        }
        let read = try await bench.shell("cat \"$M/sales/orders/data/part-0.parquet\"", within: .seconds(20))
        #expect(read.status == 1 && read.output.isEmpty, "\(read)")
        #expect(read.errorText.contains("Input/output error"), "\(read)")
        account.setFault(nil)
        let again = try await bench.shell("cat \"$M/sales/orders/data/part-0.parquet\"", within: .seconds(20))
        #expect(again.text == "PAR1 orders PAR1", "\(again)")
      }
    }

    @Test(
      "An answer with another range, another length or another version than was asked for is not handed out",
      arguments: [
        "Content-Range: bytes 5-20/16", "Content-Range: bytes 0-30/31", "ETag: \"another\"",
      ])
    func wrongRange(header: String) async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount()
        let etag = account.etag(of: "warehouse/orders/data/part-0.parquet")
        let parts = header.split(separator: ": ", maxSplits: 1).map(String.init)
        let headers = ["ETag": etag, "Content-Range": "bytes 0-15/16"].merging([parts[0]: parts[1]]) { $1 }.map { ($0.key, $0.value) }
        account.setFault { call in
          guard call.operation == "GetObject", call.path.contains("/data/") else { return nil }
          return .answer(status: 206, headers: headers, body: Array("another answer !".utf8))
        }
        let read = try await bench.shell("cat \"$M/sales/orders/data/part-0.parquet\"", within: .seconds(20))
        #expect(read.status == 1 && read.output.isEmpty, "\(read)")
      }
    }

    /// One page of a listing of objects.
    private static func objectPage(_ name: String, next: String?) -> LoopbackServer.Reply {
      let more = next.map { "<IsTruncated>true</IsTruncated><NextContinuationToken>\($0)</NextContinuationToken>" } ?? ""
      let body = """
        <?xml version="1.0"?><ListBucketResult>\(more)<Contents><Key>warehouse/orders/data/\(name)</Key><Size>16</Size><ETag>"x"</ETag>
        <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>
        """
      return .answer(headers: [("Content-Type", "application/xml")], body: Array(body.utf8))
    }

    @Test("A listing of objects whose second page fails is an error, not a shorter listing")
    func objectPages() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount()
        // One failure more than there are sends of a request.
        let failures = Countdown(3)
        account.setFault { call in
          guard call.operation == "ListObjectsV2", call.path.hasSuffix("/data/") else { return nil }
          guard call.isContinued else { return Self.objectPage("part-0.parquet", next: "second") }
          return failures.take() ? StandInAccount.s3Error(500, "InternalError") : Self.objectPage("part-1.parquet", next: nil)
        }
        let listing = try await bench.shell("ls \"$M/sales/orders/data\"", within: .seconds(20))
        #expect(listing.status != 0 && listing.errorText.contains("Input/output error"), "\(listing)")
        #expect(try await bench.errorRecords().contains { $0.operation == "readdir" && $0.path == "/sales/orders/data" })
        let again = await eventually {
          (try? await bench.shell("ls \"$M/sales/orders/data\""))?.text == "part-0.parquet\npart-1.parquet\n"
        }
        #expect(again)
      }
    }

    /// One page of a listing of tables.
    private static func tablePage(_ name: String, next: String?) -> LoopbackServer.Reply {
      let location = "s3://lake/warehouse/\(name)/metadata/\(StandInAccount.metadataName)"
      let table: JSONValue = [
        "Name": .string(name), "DatabaseName": "sales", "Parameters": ["table_type": "ICEBERG", "metadata_location": .string(location)],
      ]
      let answer: JSONValue = ["TableList": [table], "NextToken": next.map { .string($0) } ?? .null]
      return .answer(headers: [("Content-Type", "application/x-amz-json-1.1")], body: answer.serialized())
    }

    @Test("A listing of tables whose second page fails is an error, not a shorter listing")
    func tablePages() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount()
        let failures = Countdown(3)
        account.setFault { call in
          guard call.operation == "GetTables" else { return nil }
          guard call.isContinued else { return Self.tablePage("orders", next: "second") }
          return failures.take() ? StandInAccount.jsonError(500, "InternalServiceException") : Self.tablePage("returns", next: nil)
        }
        let listing = try await bench.shell("ls \"$M/sales\"", within: .seconds(20))
        #expect(listing.status != 0 && listing.errorText.contains("Input/output error"), "\(listing)")
        #expect(await eventually { (try? await bench.shell("ls \"$M/sales\""))?.text == "orders\nreturns\n" })
      }
    }

    @Test("A listing that S3 denies is EACCES")
    func deniedListing() async throws {
      try await FailureBench.withAccount { bench, account in
        try await bench.mount()
        account.setFault { $0.operation == "ListObjectsV2" ? StandInAccount.s3Error(403, "AccessDenied", "s3:ListBucket") : nil }
        let listing = try await bench.shell("ls \"$M/sales/orders/data\"", within: .seconds(20))
        #expect(listing.status != 0 && listing.errorText.contains("Permission denied"), "\(listing)")
        let record = try #require(try await bench.errorRecords().last)
        #expect(record.errno == "EACCES" && record.message.contains("s3:ListBucket"), "\(record)")
      }
    }
  }
}
