// SPDX-License-Identifier: Apache-2.0

package import WireFormats

/// The AWS Query protocol of STS: a form in, XML out (spec: clients.md §2, §10).
package enum QueryProtocol {
  /// - Parameters:
  ///   - parameters: in the order given, after `Action` and `Version`; not encoded.
  ///   - operation: name for metrics and messages: `STS.AssumeRole`.
  package static func request(
    action: String, version: String, parameters: [(name: String, value: String)], operation: String, deadline: Duration = .seconds(60)
  ) -> AWSRequest {
    let pairs = [("Action", action), ("Version", version)] + parameters
    let body = pairs.map { "\(PercentEncoding.query($0.0))=\(PercentEncoding.query($0.1))" }.joined(separator: "&")
    return AWSRequest(
      operation: operation, method: "POST", headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
      body: Array(body.utf8), deadline: deadline)
  }

  /// The `<Action>Result` element of an answer.
  package static func result(of response: AWSResponse, action: String, operation: String = "") throws(AWSError) -> XMLElement {
    let root = try RestXMLProtocol.document(of: response, operation: operation)
    guard root.name == "\(action)Response", let result = root["\(action)Result"] else {
      throw .malformed(response, operation: operation, "the answer is <\(root.name)>, not <\(action)Response>")
    }
    return result
  }
}
