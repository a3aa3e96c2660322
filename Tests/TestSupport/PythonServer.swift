// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A server written in Python below `Tests/`, on a free port of the loopback address. It is told its port, and ends when its input does.
package final class PythonServer: Sendable {
  package let port: UInt16
  private let process: pid_t
  private let input: Int32

  private init(port: UInt16, process: pid_t, input: Int32) {
    self.port = port
    self.process = process
    self.input = input
  }

  /// Runs `body` with a server, and ends the server.
  ///
  /// - Parameters:
  ///   - file: below `Tests/`.
  ///   - arguments: further ones, behind the port.
  ///   - ready: a path that the server answers with 200.
  package static func with<Value>(
    _ file: String, _ arguments: [String] = [], ready: String, _ body: (PythonServer) async throws -> Value
  ) async throws -> Value {
    let server = try await start(file, arguments, ready: ready)
    do {
      let value = try await body(server)
      await server.stop()
      return value
    } catch {
      await server.stop()
      throw error
    }
  }

  private static func start(_ file: String, _ arguments: [String], ready: String) async throws -> PythonServer {
    let (python, path) = (try ProjectPython.interpreter(), ProjectPython.path(file))
    return try await EmulatorThread.run { () throws(EmulatorError) in
      let port = try EmulatorProcess.freePort()
      let (process, input) = try EmulatorProcess.spawn(path: python, [path, "\(port)"] + arguments)
      let server = PythonServer(port: port, process: process, input: input)
      // Python and botocore take a second or two to load.
      for _ in 0..<600 where kill(process, 0) == 0 {
        if EmulatorProcess.answers(port: port, path: ready) { return server }
        usleep(50_000)
      }
      server.end()
      throw EmulatorError(description: "\(file) does not answer on port \(port)")
    }
  }

  private func stop() async {
    try? await EmulatorThread.run { () throws(EmulatorError) in self.end() }
  }

  private func end() {
    close(input)
    _ = EmulatorProcess.wait(process)
  }
}

extension EmulatorProcess {
  fileprivate static func spawn(path: String, _ arguments: [String]) throws(EmulatorError) -> (pid: pid_t, input: Int32) {
    try spawn(path, arguments, environment: ["PATH": "/usr/bin:/bin"], output: 2)
  }
}
