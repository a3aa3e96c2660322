// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@Suite("Secrets")
struct SecretTests {
  private struct Holder {
    var key = "id"
    var secret = Secret("hunter2")
    var optional: Secret? = Secret("hunter2")
  }

  @Test("A secret shows as stars however it is printed, alone or inside something")
  func printing() {
    let secret = Secret("hunter2")
    #expect("\(secret)" == "****")
    #expect(String(describing: secret) == "****")
    #expect(String(reflecting: secret) == "****")
    var dumped = ""
    dump(secret, to: &dumped)
    dump(Holder(), to: &dumped)
    dump([secret: secret], to: &dumped)
    let texts = ["\(Holder())", "\([secret])", "\(Secret?.some(secret) as Any)", String(reflecting: Holder()), "\(["k": secret])", dumped]
    for text in texts {
      #expect(!text.contains("hunter2"))
      #expect(text.contains("****"))
    }
  }

  @Test("A mirror of a secret has no children")
  func reflection() {
    let mirror = Mirror(reflecting: Secret("hunter2"))
    #expect(mirror.children.isEmpty)
    #expect(mirror.superclassMirror == nil)
  }

  @Test("A secret's text comes out by reveal alone, and its texts are compared")
  func value() {
    #expect(Secret("a").reveal() == "a")
    #expect(Secret("a") == Secret("a"))
    #expect(Secret("a") != Secret("b"))
    #expect(Secret("").isEmpty)
    #expect(!Secret(" ").isEmpty)
  }
}
