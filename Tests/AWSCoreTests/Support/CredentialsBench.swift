// SPDX-License-Identifier: Apache-2.0

import HTTP
import Logging
import Synchronization
import Telemetry

@testable import AWSCore

/// What sources of credentials work with in these tests: scripted services and endpoints, files in memory, a clock that is wound by hand.
final class CredentialsBench: Sendable {
  let services: FakeTransport
  let link: FakeTransport
  let clock = VirtualClock()
  private let files: Mutex<[String: String]>
  private let environment: AWSEnvironment
  private let processes = Mutex<[CredentialProcess]>([])
  private let processOutput: String

  init(
    _ environment: AWSEnvironment, services: [FakeTransport.Outcome] = [.answer(500)], link: [FakeTransport.Outcome] = [.failure(.refused)],
    files: [String: String] = [:], processOutput: String = "{}"
  ) {
    self.environment = environment
    self.services = FakeTransport(services)
    self.link = FakeTransport(link)
    self.files = Mutex(files)
    self.processOutput = processOutput
  }

  /// With shared files of these texts.
  convenience init(
    _ variables: [String: String] = [:], config: String = "", services: [FakeTransport.Outcome] = [.answer(500)],
    link: [FakeTransport.Outcome] = [.failure(.refused)], files: [String: String] = [:], processOutput: String = "{}"
  ) throws {
    let all = ["/home/u/.aws/config": config].merging(files) { $1 }
    let environment = try AWSEnvironment(variables: ["HOME": "/home/u"].merging(variables) { $1 }) { path in
      all[path].map { Array($0.utf8) }
    }
    self.init(environment, services: services, link: link, files: all, processOutput: processOutput)
  }

  var ranProcesses: [CredentialProcess] { processes.withLock { $0 } }

  func write(_ text: String?, to path: String) { files.withLock { $0[path] = text } }

  var context: CredentialsContext {
    var context = CredentialsContext(
      environment: environment, transport: { [services] () throws(HTTPError) in services },
      linkTransport: { [link] () throws(HTTPError) in link }, metrics: Metrics(), logger: Logger(label: "test"), clock: clock,
      readFile: { [self] path throws(AWSError) in files.withLock { $0[path].map { Array($0.utf8) } } })
    context.runProcess = { [self] (process) throws(AWSError) in
      processes.withLock { $0.append(process) }
      return Array(processOutput.utf8)
    }
    return context
  }

  /// The keys of the standard chain.
  func keys() async throws(AWSError) -> AWSCredentials? {
    try await CredentialsChain.standard(context).credentials()
  }

  /// Why the standard chain gives none.
  func refusal() async -> String? {
    do throws(AWSError) {
      _ = try await keys()
      return nil
    } catch {
      return error.message
    }
  }

  /// The form of a request to STS.
  static func form(_ request: HTTPRequest) -> [String: String] {
    var form: [String: String] = [:]
    for pair in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { $0.removingPercentEncoding ?? "" }
      form[parts[0]] = parts.count > 1 ? parts[1] : ""
    }
    return form
  }

  /// An answer of STS with these keys.
  static func assumed(_ key: String, action: String = "AssumeRole", expires: String = "2015-08-30T13:36:00Z") -> FakeTransport.Outcome {
    .answer(
      200,
      body: """
        <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result><Credentials><AccessKeyId>\(key)</AccessKeyId>\
        <SecretAccessKey>s</SecretAccessKey><SessionToken>t-\(key)</SessionToken><Expiration>\(expires)</Expiration></Credentials>\
        </\(action)Result></\(action)Response>
        """)
  }
}

extension Substring {
  fileprivate var removingPercentEncoding: String? {
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
