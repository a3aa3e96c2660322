// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Synchronization
import Testing
import WireFormats

@Suite("DynamoDB client")
struct DynamoDBClientTests {
  private let key = DynamoDBKey(["identifier": "db.t", "namespace": "db"])

  @Test("GetItem asks for the full key, consistently, and tells absent from present")
  func getItem() async throws {
    let sender = ScriptedSender([.text(#"{"Item":{"v":{"S":"1"},"n":{"N":"15"},"b":{"BOOL":true}}}"#), .text("{}")])
    let client = DynamoDBClient(sender: sender)
    let item = try await client.getItem(table: "iceberg", key: key, consistentRead: true)
    #expect(item == ["v": .string("1"), "n": .number("15"), "b": .other(["BOOL": true])])
    #expect(item?["n"]?.integer == 15)
    #expect(try await client.getItem(table: "iceberg", key: key, consistentRead: true) == nil)
    let request = try #require(sender.requests.first)
    #expect(request.header("X-Amz-Target") == "DynamoDB_20120810.GetItem")
    #expect(request.header("Content-Type") == "application/x-amz-json-1.0")
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == #"{"TableName":"iceberg","Key":{"identifier":{"S":"db.t"},"namespace":{"S":"db"}},"ConsistentRead":true}"#)
  }

  @Test("A query of an index never asks for consistency, and goes on where the page before ended")
  func query() async throws {
    let sender = ScriptedSender([
      .text(#"{"Items":[{"identifier":{"S":"db.t"}}],"LastEvaluatedKey":{"identifier":{"S":"db.t"},"namespace":{"S":"db"}}}"#),
      .text(#"{"Items":[]}"#),
    ])
    let client = DynamoDBClient(sender: sender)
    let first = try await client.query(
      table: "iceberg", index: "i", condition: "namespace = :ns", values: [(":ns", "db")], consistentRead: true, after: nil)
    #expect(first.lastEvaluatedKey == key)
    let token = try #require(first.lastEvaluatedKey?.token)
    let second = try await client.query(
      table: "iceberg", index: "i", condition: "namespace = :ns", values: [(":ns", "db")], consistentRead: true,
      after: DynamoDBKey(token: token))
    #expect(second.lastEvaluatedKey == nil)
    #expect(sender.requests[0].json?.root["ConsistentRead"] == nil)
    #expect(sender.requests[1].json?.root["ExclusiveStartKey"]?["identifier"]?["S"]?.string == "db.t")
  }

  @Test("Keys that differ only in their Unicode form are two keys")
  func keyEquality() {
    #expect(DynamoDBKey(["a": "\u{e9}"]) != DynamoDBKey(["a": "e\u{301}"]))
  }

  @Test("Tokens that are no key are refused", arguments: ["", "x", "[]", #"{"a":{"N":"1"}}"#])
  func badToken(token: String) {
    #expect(DynamoDBKey(token: token) == nil)
  }

  @Test("Unprocessed keys are asked for again until none is left")
  func unprocessed() async throws {
    let left = #""UnprocessedKeys":{"iceberg":{"Keys":[{"identifier":{"S":"b"},"namespace":{"S":"n"}}]}}"#
    let sender = ScriptedSender([
      .text(#"{"Responses":{"iceberg":[{"v":{"S":"1"}}]},\#(left)}"#),
      .text(#"{"Responses":{"iceberg":[{"v":{"S":"2"}}]},"UnprocessedKeys":{}}"#),
    ])
    let waits = Waits()
    let items = try await DynamoDBClient(sender: sender, backoff: waits.backoff).batchGetItem(
      table: "iceberg",
      keys: [DynamoDBKey(["identifier": "a", "namespace": "n"]), DynamoDBKey(["identifier": "b", "namespace": "n"])], consistentRead: true)
    #expect(items.compactMap { $0["v"]?.string } == ["1", "2"])
    #expect(sender.requests.count == 2)
    let again = sender.requests[1].json?.root["RequestItems"]?["iceberg"]
    #expect(again?["Keys"].map { Array($0.elements).count } == 1)
    #expect(again?["ConsistentRead"]?.bool == true)
    #expect(waits.all == [.milliseconds(25)])
  }

  @Test("A table that processes nothing ends as throttled, after waits that grow to the cap")
  func throttled() async {
    let body = #"{"UnprocessedKeys":{"iceberg":{"Keys":[{"identifier":{"S":"db.t"},"namespace":{"S":"db"}}]}}}"#
    let sender = ScriptedSender([.text(body)])
    let waits = Waits()
    let client = DynamoDBClient(sender: sender, backoff: waits.backoff)
    let error = await #expect(throws: AWSError.self) {
      _ = try await client.batchGetItem(table: "iceberg", keys: [key], consistentRead: true)
    }
    #expect(error?.kind == .throttled)
    #expect(waits.all == [50, 100, 200, 400, 800, 1600, 2500, 2500, 2500].map { Duration.milliseconds($0) })
    #expect(sender.requests.count == 10)
  }

  @Test("A cancelled wait ends the batch")
  func cancelled() async {
    let body = #"{"UnprocessedKeys":{"iceberg":{"Keys":[{"identifier":{"S":"db.t"},"namespace":{"S":"db"}}]}}}"#
    var backoff = BatchBackoff()
    backoff.sleep = { _ in throw CancellationError() }
    let client = DynamoDBClient(sender: ScriptedSender([.text(body)]), backoff: backoff)
    let error = await #expect(throws: AWSError.self) {
      _ = try await client.batchGetItem(table: "iceberg", keys: [key], consistentRead: true)
    }
    #expect(error?.kind == .cancelled)
  }

  @Test("DescribeTable gives status and indexes")
  func describeTable() async throws {
    let body = #"{"Table":{"TableName":"t","TableStatus":"ACTIVE","GlobalSecondaryIndexes":[{"IndexName":"i"}]}}"#
    let table = try await DynamoDBClient(sender: ScriptedSender([.text(body)])).describeTable("t")
    #expect(table.status == "ACTIVE")
    #expect(table.globalIndexes == ["i"])
  }
}

/// Backoff in which no time passes and chance is always a half.
private final class Waits: Sendable {
  private let recorded = Mutex([Duration]())

  var all: [Duration] { recorded.withLock { $0 } }

  var backoff: BatchBackoff {
    var backoff = BatchBackoff()
    backoff.sleep = { [self] duration in recorded.withLock { $0.append(duration) } }
    backoff.random = { 0.5 }
    return backoff
  }
}
