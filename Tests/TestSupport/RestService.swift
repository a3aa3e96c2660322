// SPDX-License-Identifier: Apache-2.0

import Glibc
package import WireFormats

/// A signer, token service and vendor of credentials of a test's own: `rest_service.py` in a process that ends with this object.
package final class RestService: Sendable {
  /// One request that it answered.
  package struct Call: Sendable {
    /// `sign`, `tokens`, `credentials` or `none`.
    package let route: String
    package let path: String
    /// Lower-case names.
    package let headers: [String: String]
    package let body: String
    package let status: Int64
    /// The answer where it was JSON.
    package let answer: JSONNode?

    init(_ node: JSONNode) {
      route = node["route"]?.string ?? ""
      path = node["path"]?.string ?? ""
      headers = node["headers"]?.members.reduce(into: [:]) { $0[$1.key] = $1.value.string } ?? [:]
      body = node["body"]?.string ?? ""
      status = node["status"]?.int64 ?? 0
      answer = node["answer"]
    }

    /// The request's body as JSON.
    package var document: JSONNode? { try? JSONDocument(parsing: Array(body.utf8)).root }
  }

  private let port: UInt16
  private let pid: pid_t
  private let pipe: Int32

  /// `http://127.0.0.1:PORT`
  package var endpoint: String { "http://127.0.0.1:\(port)" }

  /// Starts one whose signatures are by these keys, and that vends keys of the emulator's STS.
  package static func start(_ emulator: Emulator, accessKeyID: String, secretAccessKey: String) async throws -> RestService {
    let environment = [
      "SERVICE_ACCESS_KEY": accessKeyID, "SERVICE_SECRET_KEY": secretAccessKey, "EMULATOR_ENDPOINT": emulator.endpoint,
    ]
    return try await EmulatorThread.run { () throws(EmulatorError) in
      for _ in 0..<3 {
        let port = try EmulatorProcess.freePort()
        let (pid, pipe) = try Emulator.startScript(
          "Tests/ConformanceTests/Support/rest_service.py", ["\(port)"], environment: environment)
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(30))
        while clock.now < deadline {
          if EmulatorProcess.answers(port: port, path: "/control/record") { return RestService(port: port, pid: pid, pipe: pipe) }
          usleep(20_000)
        }
        close(pipe)
        _ = EmulatorProcess.wait(pid)
      }
      throw EmulatorError(description: "the stand-in of the signer did not start; its messages stand above")
    }
  }

  private init(port: UInt16, pid: pid_t, pipe: Int32) {
    self.port = port
    self.pid = pid
    self.pipe = pipe
  }

  deinit { stop() }

  /// Ends the process; further calls are refused. May be called more than once.
  package func stop() {
    kill(pid, SIGTERM)
    close(pipe)
    _ = EmulatorProcess.wait(pid)
  }

  /// Merges settings: see SETTINGS of the script.
  package func set(_ settings: JSONValue) async throws {
    _ = try await control("POST", "set", settings.serialized())
  }

  package func calls(_ route: String? = nil) async throws -> [Call] {
    let calls = try JSONDocument(parsing: try await control("GET", "record", [])).root.elements.map { Call($0) }
    return calls.filter { route == nil || $0.route == route }
  }

  /// Forgets the calls.
  package func reset() async throws {
    _ = try await control("POST", "reset", [])
  }

  /// Makes every token that was ever issued worthless.
  package func revokeTokens() async throws {
    _ = try await control("POST", "revoke", [])
  }

  private func control(_ method: String, _ command: String, _ body: [UInt8]) async throws -> [UInt8] {
    try await EmulatorThread.run { [port] () throws(EmulatorError) in
      guard let answer = EmulatorProcess.exchange(port: port, method, "/control/\(command)", body) else {
        throw EmulatorError(description: "the stand-in of the signer does not answer")
      }
      return answer
    }
  }
}
