// SPDX-License-Identifier: Apache-2.0

import HTTP
import WireFormats

/// What a service says when it refuses: code, message and request id, whatever the protocol (spec: clients.md §10, s3fileio.md §12).
struct ServiceFault: Sendable, Equatable {
  /// The service's code; the HTTP status as text when the answer names none.
  var code: String
  /// The service's own words; empty when it gives none.
  var message = ""
  var requestID: String?
  /// Codes of the cancellation reasons of a DynamoDB transaction, in item order.
  var cancellationReasons: [String] = []
  /// `Region` of an `AuthorizationHeaderMalformed`, or of the bucket by header.
  var region: String?
  /// Whether the answer is a web page.
  var isHTML = false
  /// Whether any of the above came from the service rather than from the status line.
  var isFromService = false

  init(_ response: HTTPResponse, wire: AWSService.Wire) {
    code = String(response.status)
    requestID = Self.requestID(of: response)
    region = response.header("x-amz-bucket-region")
    isHTML = Self.isHTML(response)
    if isHTML { return }
    switch wire {
    case .restXML, .query: readXML(response)
    case .json, .restJSON: readJSON(response)
    }
  }

  /// The request id in an answer's headers.
  static func requestID(of response: HTTPResponse) -> String? {
    response.header("x-amzn-requestid") ?? response.header("x-amz-request-id")
  }

  /// Whether a body is a web page, by what it starts with: servers write `text/html` over XML too.
  static func isHTML(_ response: HTTPResponse) -> Bool {
    let head = response.body.prefix(256).drop { $0 <= 0x20 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }
    let start = String(decoding: head.prefix(64), as: UTF8.self).lowercased()
    return start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
  }

  private mutating func readXML(_ response: HTTPResponse) {
    guard !response.body.isEmpty, let root = try? XMLElement(parsing: response.body) else { return }
    guard let error = root.name == "Error" ? root : root["Error"] ?? root["Errors"]?["Error"] else { return }
    if let text = error["Code"]?.text, !text.isEmpty {
      code = text
      isFromService = true
    }
    message = error["Message"]?.text ?? ""
    requestID = requestID ?? error["RequestId"]?.text ?? root["RequestId"]?.text ?? root["RequestID"]?.text
    region = region ?? error["Region"]?.text
  }

  private mutating func readJSON(_ response: HTTPResponse) {
    let header = response.header("x-amzn-errortype")
    let document = response.body.isEmpty ? nil : try? JSONDocument(parsing: response.body)
    let root = document?.root
    let named = header ?? root?["__type"]?.string ?? root?["code"]?.string ?? root?["Code"]?.string
    if let named, let bare = Self.bareCode(named) {
      code = bare
      isFromService = true
    }
    // Services migrated from the Query protocol keep the old code here; callers know that one.
    if let compatible = response.header("x-amzn-query-error")?.split(separator: ";").first, !compatible.isEmpty {
      code = String(compatible)
      isFromService = true
    }
    message = root?["message"]?.string ?? root?["Message"]?.string ?? root?["errorMessage"]?.string ?? ""
    if let reasons = root?["CancellationReasons"] {
      cancellationReasons = reasons.elements.map { $0["Code"]?.string ?? "None" }
    }
  }

  /// `com.amazonaws.x#Name:http://…` without what surrounds the name.
  private static func bareCode(_ text: String) -> String? {
    let head = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
    guard let name = head.split(separator: "#").last, !name.isEmpty else { return nil }
    return String(name)
  }
}
