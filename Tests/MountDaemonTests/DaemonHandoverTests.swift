// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import MountDaemon

struct DaemonHandoverTests {
  @Test("Properties leave the command line in both spellings, everything else stays in order")
  func extraction() {
    let (arguments, handover) = DaemonHandover.extracting(from: [
      "mount", "--property", "s3.secret-access-key=a=b", "lake", "--property=uri=", "/mnt/x", "--property", "broken", "--", "--property",
      "c=d",
    ])
    #expect(arguments == ["mount", "lake", "/mnt/x", "--property", "broken", "--", "--property", "c=d"])
    #expect(
      handover.properties == [
        .init(key: "s3.secret-access-key", value: Secret("a=b")), .init(key: "uri", value: Secret("")),
      ])
  }

  @Test("What is handed over arrives as it was, empty values and newlines included")
  func roundTrip() {
    let handover = DaemonHandover(properties: [
      .init(key: "a", value: Secret("")), .init(key: "b", value: Secret("x\ny")), .init(key: "", value: Secret("")),
    ])
    #expect(DaemonHandover(decoding: handover.encoded()) == handover)
    #expect(DaemonHandover(decoding: [])?.properties.isEmpty == true)
    #expect(DaemonHandover(decoding: Array("no end".utf8)) == nil)
  }
}
