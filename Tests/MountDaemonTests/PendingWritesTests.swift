// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MountDaemon

@Suite("What umount waits for")
struct PendingWritesTests {
  private static let busy = #"{"writing":{"staged":[],"in-flight":[{"path":"a/t","operation":"commit"}]}}"#
  private static let left =
    #"{"writing":{"staged":[{"path":"a/t/data/x","bytes":7,"scratch":false,"reason":"it is no Avro"},"#
    + #"{"path":"a/t/data/y","bytes":1,"reason":null},{"path":"a/t/.x.swp","bytes":9,"scratch":true,"reason":null},"#
    + #"{"path":"a/t/new.json","bytes":3,"scratch":true,"reason":"another commit came first"}],"in-flight":[]}}"#

  /// Runs a wait over statuses, one a second; the last one stays.
  private func wait(_ statuses: [String], patience: Duration = .seconds(60)) -> (
    result: Result<PendingWrites, LifecycleError>, said: [String], seconds: Int
  ) {
    var (asked, seconds, said) = (0, 0, [String]())
    let result = Result { () throws(LifecycleError) in
      try Unmounter.waitForWork(
        "/m", patience: patience,
        status: {
          defer { asked += 1 }
          return Array(statuses[min(asked, statuses.count - 1)].utf8)
        },
        say: { said.append($0) }, elapsed: { .seconds(seconds) }, pause: { seconds += 1 })
    }
    return (result, said, seconds)
  }

  @Test("With nothing under way nothing is waited for and nothing said", arguments: [left, "{}", #"{"writing":null}"#, "", "<html>", "[]"])
  func idle(status: String) throws {
    let (result, said, seconds) = wait([status])
    #expect(try result.get().inFlight.isEmpty)
    #expect(said.isEmpty && seconds == 0)
  }

  @Test("Work under way is waited for and named, once for each thing that changes; what is staged in the end is told")
  func work() throws {
    let two = #"{"writing":{"in-flight":[{"path":"a/t","operation":"commit"},{"path":"a/t/data/x","operation":"upload"}]}}"#
    let (result, said, seconds) = wait([two, two, Self.busy, Self.left])
    #expect(said == ["/m: waiting for commit of a/t, upload of a/t/data/x", "/m: waiting for commit of a/t"])
    #expect(seconds == 3)
    #expect(
      try result.get().staged.map(\.sentence) == [
        "a/t/data/x: 7 bytes were never published: it is no Avro",
        "a/t/data/y: 1 byte was never published: the file was not closed with complete content",
        "a/t/new.json: 3 bytes were never published: another commit came first",
      ])
  }

  @Test("Work that does not end keeps the mount: busy, with a sentence that names it")
  func endless() {
    let (result, _, seconds) = wait([Self.busy], patience: .seconds(60))
    #expect(seconds == 60)
    guard case .failure(let error) = result else {
      Issue.record("the wait ended: \(result)")
      return
    }
    #expect(error.code == .busy)
    #expect(
      error.message
        == "/m is busy and stays mounted: commit of a/t has not ended after 60 s; try again later, or see /m/.bergfs/status.json")
  }

  @Test("Of much work three pieces are named, the rest counted")
  func much() {
    let many = PendingWrites(inFlight: (1...5).map { PendingWrites.Work(path: "t\($0)", operation: "upload") })
    #expect(many.inFlightClause == "upload of t1, upload of t2, upload of t3 and 2 more")
  }
}
