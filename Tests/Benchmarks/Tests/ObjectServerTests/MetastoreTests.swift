// SPDX-License-Identifier: Apache-2.0

import ObjectServer
import Testing

@Suite struct MetastoreTests {
  private func fixture(_ count: Int) throws -> CatalogFixture {
    CatalogFixture(tables: try ServerOptions(["--glue-tables", "\(count)"]).tables, born: 7)
  }

  @Test("GetTables pages by 100 and its tokens lead through all tables once", arguments: [1, 100, 101, 250])
  func gluePages(count: Int) throws {
    let glue = GlueAnswers(fixture: try fixture(count))
    var names: [String] = []
    var sizes: [Int] = []
    var request: [String: JSONValue] = ["DatabaseName": .string("many")]
    repeat {
      let answer = glue.answer("GetTables", .object(request))
      #expect(answer.status == 200)
      let page = answer.document["TableList"]?.array ?? []
      names += page.compactMap { $0["Name"]?.string }
      sizes.append(page.count)
      request["NextToken"] = answer.document["NextToken"]
    } while request["NextToken"] != nil
    #expect(names.count == count && Set(names).count == count)
    #expect(sizes.dropLast().allSatisfy { $0 == 100 } && sizes.count == (count + 99) / 100)
  }

  @Test("What Glue does not have is EntityNotFoundException")
  func glueMissing() throws {
    let glue = GlueAnswers(fixture: try fixture(1))
    for request in [
      ("GetTable", ["DatabaseName": "many", "Name": "x"]), ("GetTables", ["DatabaseName": "x"]), ("GetDatabase", ["Name": "x"]),
    ] {
      let answer = glue.answer(request.0, .object(request.1.mapValues { .string($0) }))
      #expect(answer.status == 400 && answer.document["__type"]?.string == "EntityNotFoundException")
    }
  }

  private func query(_ start: JSONValue?) -> JSONValue {
    var request: [String: JSONValue] = [
      "TableName": .string("iceberg"), "IndexName": .string("namespace-identifier"),
      "KeyConditionExpression": .string("namespace = :ns"),
      "ExpressionAttributeValues": .object([":ns": .object(["S": .string("many")])]),
    ]
    request["ExclusiveStartKey"] = start
    return .object(request)
  }

  @Test("A DynamoDB query gives keys only, page by page, each once")
  func dynamoDBPages() throws {
    let dynamoDB = DynamoDBAnswers(fixture: try fixture(600), tableName: "iceberg")
    var seen: [String] = []
    var start: JSONValue?
    var pages = 0
    repeat {
      let answer = dynamoDB.answer("Query", query(start))
      for item in answer.document["Items"]?.array ?? [] {
        #expect(item.object?.keys.sorted() == ["identifier", "namespace"])
        seen.append(item["identifier"]?["S"]?.string ?? "")
      }
      start = answer.document["LastEvaluatedKey"]
      pages += 1
    } while start != nil
    #expect(pages == 3 && seen.count == 601 && Set(seen).count == 601)
  }

  @Test("BatchGetItem leaves a tenth unprocessed the first time and takes at most 100 keys")
  func batch() throws {
    let dynamoDB = DynamoDBAnswers(fixture: try fixture(120), tableName: "iceberg")
    let keys = (0..<101).map { index -> JSONValue in
      let identifier = "many.t" + SyntheticSource.padded(index, width: 6)
      return .object(["identifier": .object(["S": .string(identifier)]), "namespace": .object(["S": .string("many")])])
    }
    let request = { (keys: [JSONValue]) -> JSONValue in .object(["RequestItems": .object(["iceberg": .object(["Keys": .array(keys)])])]) }
    #expect(dynamoDB.answer("BatchGetItem", request(keys)).status == 400)
    #expect(dynamoDB.answer("BatchGetItem", request([keys[0], keys[0]])).status == 400)
    let first = dynamoDB.answer("BatchGetItem", request(Array(keys.dropLast()))).document
    #expect(first["Responses"]?["iceberg"]?.array?.count == 90)
    let unprocessed = first["UnprocessedKeys"]?["iceberg"]?["Keys"]?.array ?? []
    #expect(unprocessed.count == 10)
    let second = dynamoDB.answer("BatchGetItem", request(unprocessed)).document
    #expect(second["Responses"]?["iceberg"]?.array?.count == 10)
    #expect(second["UnprocessedKeys"] == .object([:]))
  }

  @Test("A query condition has the forms clients send, with or without placeholders for names")
  func conditions() throws {
    let dynamoDB = DynamoDBAnswers(fixture: try fixture(1), tableName: "iceberg")
    let names: JSONValue = .object(["#i": .string("identifier")])
    let values: JSONValue = .object([":i": .object(["S": .string("NAMESPACE")]), ":n": .object(["S": .string("ma")])])
    let ask = { (condition: String) in
      dynamoDB.answer(
        "Query",
        .object([
          "TableName": .string("iceberg"), "KeyConditionExpression": .string(condition), "ExpressionAttributeNames": names,
          "ExpressionAttributeValues": values,
        ]))
    }
    #expect(ask("identifier = :i AND begins_with(namespace,:n)").document["Count"]?.integer == 1)
    #expect(ask("#i=:i and begins_with( namespace , :n )").document["Count"]?.integer == 1)
    #expect(ask("identifier = :i").document["Count"]?.integer == 1)
    #expect(ask("begins_with(namespace,:n)").status == 400)
    #expect(ask("identifier = :unknown").status == 400)
  }
}
