// SPDX-License-Identifier: Apache-2.0

import Foundation
import Iceberg
import Testing

@testable import Configuration

@Suite("The table of keys")
struct PropertyTableTests {
  @Test("No key stands in the table twice")
  func unique() {
    let keys = PropertyTable.all.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(keys.count > 200)
  }

  @Test("Every default is a value its key accepts", arguments: PropertyTable.all.filter { $0.defaultText != nil })
  func defaults(definition: PropertyDefinition) {
    #expect(PropertyParsing.refusal(of: definition.defaultText ?? "", by: definition) == nil)
  }

  @Test("Prefixes end in a dot, exact keys do not", arguments: PropertyTable.all)
  func prefixes(definition: PropertyDefinition) {
    #expect(definition.key.hasSuffix(".") == (definition.prefixOf != nil))
  }

  @Test("A key under a prefix is found; the bare prefix and an unknown key are not")
  func lookup() {
    #expect(PropertyTable.definition(of: "s3.access-points.my-bucket")?.key == "s3.access-points.")
    #expect(PropertyTable.definition(of: "client.credentials-provider")?.prefixOf == nil)
    #expect(PropertyTable.definition(of: "client.credentials-provider.x")?.prefixOf != nil)
    #expect(PropertyTable.definition(of: "s3.access-points.") == nil)
    #expect(PropertyTable.definition(of: "S3.endpoint") == nil)
  }

  @Test(
    "The nearest known key is named, and none where nothing is near",
    arguments: [
      ("s3.path-style-acess", "s3.path-style-access"), ("s3.endpiont", "s3.endpoint"), ("S3.Endpoint", "s3.endpoint"),
      ("warehose", "warehouse"), ("glue_id", "glue.id"), ("client.regoin", "client.region"),
      ("s3.path_style_access", "s3.path-style-access"),
      ("s3.acces-points.b", "s3.access-points.b"), ("s3.write.tag.owner", "s3.write.tags.owner"),
      ("dynamodb.table.name", "dynamodb.table-name"),
      ("completely.different", nil), ("x", nil), ("", nil), ("foo", nil),
    ])
  func nearest(key: String, expected: String?) {
    #expect(PropertyTable.nearestKnown(to: key) == expected)
  }

  @Test(
    "What must not be shown is secret, in unknown keys too",
    arguments: [
      "s3.secret-access-key", "s3.session-token", "client.secret-access-key", "glue.session-token", "dynamodb.secret-access-key", "token",
      "credential", "header.Authorization", "s3.sse.key", "rest.auth.basic.password", "client.credentials-provider.key",
      "aws_secret_access_key", "s3.secret-acess-key", "my.password", "S3.SESSION-TOKEN",
    ])
  func secrets(key: String) {
    #expect(PropertyTable.isSecret(key))
    #expect(PropertyTable.displayValue("hidden", of: key) == "****")
  }

  @Test("The password of a proxy's address is masked, the rest is shown")
  func userInformation() {
    #expect(PropertyTable.displayValue("http://me:p/w@proxy:8080", of: "http-client.proxy-endpoint") == "http://****@proxy:8080")
    #expect(PropertyTable.displayValue("me:pw@proxy", of: "s3.proxy-uri") == "****@proxy")
    #expect(PropertyTable.displayValue("https://me:pw@host/p@q", of: "uri") == "https://****@host/p@q")
    #expect(PropertyTable.displayValue("http://proxy:8080", of: "s3.proxy-uri") == "http://proxy:8080")
    #expect(PropertyTable.displayValue("s3://bucket/a@b", of: "warehouse") == "s3://bucket/a@b")
  }

  @Test("docs/configuration.md is what the table generates")
  func document() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let written = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
    #expect(written == ConfigurationDocument.markdown(), "run: bergfs generate-docs configuration > docs/configuration.md")
  }
}

@Suite("Property values")
struct PropertyParsingTests {
  @Test(
    "Numbers follow Java",
    arguments: [
      ("5", 5), ("-5", -5), ("+5", 5), ("007", 7), ("9223372036854775807", Int64.max), ("9223372036854775808", nil), ("", nil), (" 5", nil),
      ("5L", nil), ("1e3", nil), ("1_000", nil), ("٣", nil),
    ])
  func integers(text: String, expected: Int64?) {
    #expect(PropertyParsing.int64(text) == expected)
  }

  @Test(
    "Floating-point numbers follow Java",
    arguments: [
      ("1.5", 1.5), ("2", 2), ("1e1", 10), (".5", 0.5), ("5.", 5), ("1.5f", 1.5), (" 1.5 ", 1.5), ("-0.25", -0.25), ("5.e1", 50),
      ("abc", nil),
      ("", nil), ("1,5", nil), ("inf", nil), ("0x10", nil), ("--1", nil), (".", nil),
    ])
  func doubles(text: String, expected: Double?) {
    #expect(PropertyParsing.double(text) == expected)
  }

  @Test("Booleans are true or false; PyIceberg's words only by its own rule")
  func booleans() {
    #expect(PropertyParsing.boolean("TRUE") == true)
    #expect(PropertyParsing.boolean("False") == false)
    for word in ["yes", "1", "", "t", " true"] { #expect(PropertyParsing.boolean(word) == nil) }
    for word in ["y", "Yes", "t", "true", "ON", "1"] { #expect(PropertyParsing.pythonBoolean(word) == true) }
    for word in ["n", "no", "f", "FALSE", "off", "0"] { #expect(PropertyParsing.pythonBoolean(word) == false) }
    #expect(PropertyParsing.pythonBoolean("2") == nil)
  }

  @Test("The typed map gives values, defaults, and errors with key, value and source")
  func map() throws {
    let map = EffectiveProperties(
      ["s3.retry.num-retries": "x", "s3.dualstack-enabled": "true", "s3.access-points.B": "arn"], sources: ["s3.retry.num-retries": "p:3"])
    #expect(try map.boolean("s3.dualstack-enabled") == true)
    #expect(try map.boolean("s3.acceleration-enabled") == false)
    #expect(try map.milliseconds("s3.retry.min-wait-ms") == .seconds(2))
    #expect(map.string("client.region") == nil)
    #expect(map.entries(under: "s3.access-points.") == ["B": "arn"])
    let error = #expect(throws: PropertyValueError.self) { try map.int32("s3.retry.num-retries") }
    #expect(
      error?.description == "s3.retry.num-retries=x (p:3): a whole number from -2147483648 to 2147483647 is expected")
    #expect("\(EffectiveProperties(["token": "hidden"]))" == "token=****")
  }
}
