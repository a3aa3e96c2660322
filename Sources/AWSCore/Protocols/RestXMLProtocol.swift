// SPDX-License-Identifier: Apache-2.0

import HTTP
package import WireFormats

/// XML answers of S3 and STS (spec: s3fileio.md §11, §12).
package enum RestXMLProtocol {
  /// The answer's root element.
  package static func document(of response: AWSResponse, operation: String = "") throws(AWSError) -> XMLElement {
    do {
      return try XMLElement(parsing: response.http.body)
    } catch {
      throw .malformed(response, operation: operation, "the answer is not XML: \(error)")
    }
  }

  /// Whether a 200 answer hides a failure: its root element is `Error`, maybe after white space and an XML declaration.
  static func isErrorDocument(_ body: [UInt8]) -> Bool {
    var rest = body[...]
    func skipBlanks() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D } }
    skipBlanks()
    if rest.starts(with: Array("<?xml".utf8)), let end = rest.firstIndex(of: UInt8(ascii: ">")) {
      rest = rest[(end + 1)...]
      skipBlanks()
    }
    let opening = Array("<Error".utf8)
    guard rest.starts(with: opening), let next = rest.dropFirst(opening.count).first else { return false }
    return next == UInt8(ascii: ">") || next == UInt8(ascii: " ") || next == UInt8(ascii: "/")
  }
}
