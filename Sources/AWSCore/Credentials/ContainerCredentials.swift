// SPDX-License-Identifier: Apache-2.0

import HTTP
import Telemetry

/// Keys from the endpoint that ECS and EKS Pod Identity give a container (spec: clients.md §6.5).
enum ContainerCredentials {
  private static let relativeVariable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
  private static let fullVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  private static let tokenFileVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
  private static let tokenVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
  static let absence = "\(relativeVariable) and \(fullVariable) are not set"

  /// Where the keys are asked for.
  struct Place: Sendable, Hashable {
    var endpoint: HTTPEndpoint
    var target: String
  }

  /// Nil where no variable names an endpoint.
  static func fromVariables(_ context: CredentialsContext) throws(AWSError) -> (any AWSCredentialsProvider)? {
    guard let place = try place(context.environment) else { return nil }
    let request = LinkRequest(
      endpoint: place.endpoint, timeout: .seconds(2), tries: 3, clock: context.clock,
      transport: try CredentialsContext.made(context.linkTransport))
    let origin = "the container endpoint \(place.endpoint.description)"
    return context.refreshing("container", .container) { () throws(AWSError) in
      var headers = [(name: "Accept", value: "application/json")]
      if let token = try authorization(context) { headers.append(("Authorization", token.reveal())) }
      switch await request.send("GET", place.target, headers: headers) {
      case .success(let response) where response.status == 200:
        return try KeyDocument(response.body, origin: origin).credentials(token: "Token", source: "container")
      case .success(let response):
        let reason = (try? KeyDocument(response.body, origin: origin)).flatMap { $0.string("message") ?? $0.string("Message") }
        throw .missingCredentials("\(origin) answered HTTP \(response.status)\(reason.map { ": \($0)" } ?? "")")
      case .failure(let error): throw .missingCredentials("\(origin): \(error.message)")
      }
    }
  }

  static func place(_ environment: AWSEnvironment) throws(AWSError) -> Place? {
    if let path = environment.variable(relativeVariable) {
      guard path.hasPrefix("/") else { throw .missingCredentials("\(relativeVariable) does not start with /") }
      return Place(endpoint: HTTPEndpoint(isSecure: false, host: "169.254.170.2"), target: path)
    }
    guard let text = environment.variable(fullVariable) else { return nil }
    let afterScheme = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    let target = text[afterScheme...].drop { $0 != "/" && $0 != "?" }
    let url: EndpointURL
    do {
      url = try EndpointURL(String(text[..<target.startIndex]), source: fullVariable)
    } catch {
      throw .missingCredentials(error.message)
    }
    guard url.endpoint.isSecure || isTrusted(url.endpoint.host) else {
      throw .missingCredentials(
        "\(fullVariable) names \(url.endpoint.host) over http: keys come that way only from this machine, 169.254.170.2, 169.254.170.23 or "
          + "[fd00:ec2::23]; use https")
    }
    return Place(endpoint: url.endpoint, target: target.isEmpty ? "/" : target.hasPrefix("?") ? "/\(target)" : String(target))
  }

  /// Hosts that plain HTTP may ask: nobody between could answer for them.
  private static func isTrusted(_ host: String) -> Bool {
    if ["localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::1]"].contains(host) { return true }
    let pieces = host.split(separator: ".", omittingEmptySubsequences: false)
    return pieces.count == 4 && pieces[0] == "127" && pieces.allSatisfy { UInt8($0) != nil }
  }

  /// Read anew each time: the file is replaced as its token ends.
  private static func authorization(_ context: CredentialsContext) throws(AWSError) -> Secret? {
    var text: String
    if let path = context.environment.variable(tokenFileVariable) {
      guard let bytes = try context.readFile(path) else {
        throw .missingCredentials("\(tokenFileVariable) names \(path), which does not exist")
      }
      text = String(decoding: bytes, as: UTF8.self).trimmingLine()
    } else if let token = context.environment.variable(tokenVariable) {
      text = token
    } else {
      return nil
    }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw .missingCredentials("the authorization token of the container endpoint holds a line end or another control character")
    }
    return Secret(text)
  }
}
