// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Processes
import Telemetry
import Testing

@testable import MountDaemon

/// The daemon is played by shell scripts: what matters is what the parent hands over and how it takes the report.
@Suite(.serialized)
struct DaemonizerTests {
  private func start(_ script: String, _ properties: [DaemonHandover.Property] = []) async throws -> Result<
    Daemonizer.Started, LifecycleError
  > {
    try #require(
      await NamedThread.run("test-daemon") {
        Result { () throws(LifecycleError) in
          try Daemonizer.start(
            arguments: ["-c", script, "bergfs"], handover: DaemonHandover(properties: properties), executable: "/bin/bash")
        }
      })
  }

  @Test("A daemon that reports ready is started, and what it printed before is kept")
  func ready() async throws {
    let started = try await start("echo careful >&2; echo ready >&3").get()
    #expect(started.output == "careful\n")
    #expect(ChildProcess.exitStatus(of: started.process) == 0)
  }

  @Test("The daemon's own sentence is the error")
  func sentence() async throws {
    let result = try await start("echo noise >&2; echo 'error no region: set client.region' >&3; exit 1")
    let error = #expect(throws: LifecycleError.self) { try result.get() }
    #expect(error?.message == "no region: set client.region")
  }

  @Test("A daemon that dies without a word is reported with its status and last line")
  func death() async throws {
    guard case .failure(let error) = try await start("echo first; echo 'Fatal: out of luck' >&2; exit 7") else {
      Issue.record("the daemon cannot have started")
      return
    }
    #expect(error.message == "the daemon ended with status 7 before the mount was ready: Fatal: out of luck")
    guard case .failure(let killed) = try await start("kill -9 $$") else {
      Issue.record("the daemon cannot have started")
      return
    }
    #expect(killed.message == "the daemon was killed by signal 9 before the mount was ready")
  }

  @Test("Properties reach the daemon through its handover descriptor, not through argv or environment")
  func secrecy() async throws {
    let script = """
      cat /proc/$$/cmdline /proc/$$/environ | tr '\\0' '\\n' | grep -c 'the-secret[-]value' >&2
      tr '\\0' '|' <&4 | sed 's/^/got:/' >&2
      echo >&2; echo ready >&3
      """
    let started = try await start(script, [.init(key: "s3.secret-access-key", value: Secret("the-secret-value"))]).get()
    #expect(started.output == "0\ngot:s3.secret-access-key|the-secret-value|\n")
    _ = ChildProcess.exitStatus(of: started.process)
  }

  @Test("The daemon begins in the process group of its starter, reads /dev/null, inherits no other descriptor and no ignored signal")
  func isolation() async throws {
    signal(SIGPIPE, SIG_IGN)
    let script = """
      ps -o pgid= -p $$ | tr -d ' ' >&2; echo $$ >&2
      readlink /proc/$$/fd/0 >&2; ls -x -w 1000 /proc/$$/fd >&2
      grep SigIgn /proc/$$/status | cut -f2 >&2
      echo $BERGFS_DAEMON >&2; echo ready >&3
      """
    let started = try await start(script).get()
    let lines = started.output.split(separator: "\n")
    try #require(lines.count == 6)
    // Where the kernel lets it into an automount point; its own session begins when its mount answers.
    #expect(lines[0] == "\(getpgrp())" && lines[1] == "\(started.process)")
    #expect(lines[2] == "/dev/null")
    #expect(lines[3].split(separator: " ") == ["0", "1", "2", "3", "4"])
    let ignored = try #require(UInt64(lines[4], radix: 16))
    #expect(ignored & 1 << UInt64(SIGPIPE - 1) == 0)
    #expect(lines[5] == "3,4")
    _ = ChildProcess.exitStatus(of: started.process)
  }
}
