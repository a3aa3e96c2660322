// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import AWSTestSupport
import Testing
import WireFormats

@Suite("Glue client")
struct GlueClientTests {
  @Test("Calls carry target, protocol and only the members that Iceberg sends")
  func requestShape() async throws {
    let sender = ScriptedSender([.text(#"{"Table":{"Name":"t"}}"#)])
    _ = try await GlueClient(sender: sender, catalogID: nil).getTable(databaseName: "db", name: "t")
    let request = try #require(sender.requests.first)
    #expect(request.method == "POST")
    #expect(request.path == "/")
    #expect(request.header("X-Amz-Target") == "AWSGlue.GetTable")
    #expect(request.header("Content-Type") == "application/x-amz-json-1.1")
    #expect(String(decoding: request.body, as: UTF8.self) == #"{"DatabaseName":"db","Name":"t"}"#)
  }

  @Test("CatalogId is sent with every call if one is set")
  func catalogID() async throws {
    let sender = ScriptedSender { request, _ in
      .text(request.operation == "Glue.GetTable" ? #"{"Table":{"Name":"t"}}"# : #"{"Database":{"Name":"d"}}"#)
    }
    let client = GlueClient(sender: sender, catalogID: "123456789012")
    _ = try await client.getTable(databaseName: "d", name: "t")
    _ = try await client.getDatabase(name: "d")
    _ = try await client.getTables(databaseName: "d", nextToken: nil)
    _ = try await client.getDatabases(nextToken: nil)
    #expect(sender.requests.count == 4)
    for request in sender.requests {
      #expect(request.json?.root["CatalogId"]?.string == "123456789012")
    }
  }

  @Test("A table's members are read")
  func table() async throws {
    let body = """
      {"Table":{"Name":"t","DatabaseName":"d","Parameters":{"table_type":"ICEBERG","n":null},"VersionId":"3",
       "UpdateTime":1700000000.5,"CreateTime":1.6E9}}
      """
    let table = try await GlueClient(sender: ScriptedSender([.text(body)]), catalogID: nil).getTable(databaseName: "d", name: "t")
    #expect(table.parameters == ["table_type": "ICEBERG"])
    #expect(table.versionID == "3")
    #expect(table.updateTime == 1_700_000_000_500_000_000)
    #expect(table.createTime == 1_600_000_000_000_000_000)
  }

  @Test("A page gives its token on verbatim and may lack the list")
  func paging() async throws {
    let sender = ScriptedSender([.text(#"{"NextToken":"a/+="}"#), .text(#"{"DatabaseList":[{"Name":"d","CreateTime":1}]}"#)])
    let client = GlueClient(sender: sender, catalogID: nil)
    let first = try await client.getDatabases(nextToken: nil)
    #expect(first.elements.isEmpty)
    #expect(first.nextToken == "a/+=")
    let second = try await client.getDatabases(nextToken: first.nextToken)
    #expect(second.elements.map(\.name) == ["d"])
    #expect(second.nextToken == nil)
    #expect(sender.requests.map { $0.json?.root["NextToken"]?.string } == [nil, "a/+="])
    #expect(sender.requests[0].json?.root["MaxResults"] == nil)
  }

  @Test("A token that repeats is an error, not an endless listing")
  func repeatingToken() async {
    let client = GlueClient(sender: ScriptedSender([.text(#"{"TableList":[],"NextToken":"x"}"#)]), catalogID: nil)
    let error = await #expect(throws: AWSError.self) { _ = try await client.getTables(databaseName: "d", nextToken: "x") }
    #expect(error?.kind == .malformed)
  }

  @Test(
    "An answer without what was asked for is an error",
    arguments: ["{}", #"{"Table":{}}"#, #"{"Table":[1]}"#, "<html>", "[]", #"{"Table":{"Name":7}}"#])
  func malformed(body: String) async {
    let client = GlueClient(sender: ScriptedSender([.text(body)]), catalogID: nil)
    let error = await #expect(throws: AWSError.self) { _ = try await client.getTable(databaseName: "d", name: "t") }
    #expect(error?.kind == .malformed)
    #expect(error?.operation == "Glue.GetTable")
  }
}

@Suite("STS client")
struct STSClientTests {
  @Test("The caller's identity is read")
  func identity() async throws {
    let body = """
      <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
      <Arn>arn:aws:iam::1:user/u</Arn><UserId>U</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>
      """
    let sender = ScriptedSender([.text(body)])
    let identity = try await STSClient(sender: sender).getCallerIdentity()
    #expect(identity.account == "1")
    #expect(identity.arn == "arn:aws:iam::1:user/u")
    #expect(identity.userID == "U")
    #expect(sender.requests.first.map { String(decoding: $0.body, as: UTF8.self) } == "Action=GetCallerIdentity&Version=2011-06-15")
  }

  @Test("An answer without an account is an error", arguments: ["<html></html>", "", "<GetCallerIdentityResponse/>"])
  func malformed(body: String) async {
    let error = await #expect(throws: AWSError.self) {
      _ = try await STSClient(sender: ScriptedSender([.text(body)])).getCallerIdentity()
    }
    #expect(error?.kind == .malformed)
  }
}
