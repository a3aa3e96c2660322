// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import MountDaemon

@Suite(.serialized)
struct DaemonSignalsTests {
  @Test("SIGHUP and SIGTERM come as events, SIGPIPE ends nothing, and a second listener is refused")
  func events() async throws {
    let stream = try #require(DaemonSignals.listen())
    #expect(DaemonSignals.listen() == nil)
    kill(getpid(), SIGPIPE)
    kill(getpid(), SIGHUP)
    var events = stream.makeAsyncIterator()
    #expect(await events.next() == .hangUp)
    kill(getpid(), SIGTERM)
    #expect(await events.next() == .terminate)
    kill(getpid(), SIGINT)
    #expect(await events.next() == .terminate)
  }
}
