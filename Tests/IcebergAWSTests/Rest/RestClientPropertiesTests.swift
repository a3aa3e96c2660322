// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Glibc
import HTTP
import Iceberg
import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing
import WireFormats

@testable import IcebergAWS

@Suite("Settings of REST connections")
struct RestClientPropertiesTests {
  @Test("Timeouts and connections are those of the transport, the smaller of the two limits")
  func transport() throws {
    let settings = try RestClientProperties(
      PropertyMap([
        "rest.client.max-connections": "40", "rest.client.connections-per-route": "7", "rest.client.connection-timeout-ms": "1234",
        "rest.client.socket-timeout-ms": "5000",
      ]), caBundle: "/ca.pem")
    #expect(settings.transport.maxConnections == 7)
    #expect(settings.transport.connectTimeout == .milliseconds(1234))
    #expect(settings.transport.socketTimeout == .seconds(5))
    #expect(settings.transport.caBundle == "/ca.pem")
    #expect(try RestClientProperties(PropertyMap([:])).transport.maxConnections == 100)
    let single = try RestClientProperties(PropertyMap(["rest.client.max-connections": "3"]))
    #expect(single.transport.maxConnections == 3)
  }

  @Test("A proxy needs host and port, and a login user and password")
  func proxy() throws {
    func transport(_ settings: [String: String]) throws -> CurlTransportConfiguration {
      try RestClientProperties(PropertyMap(settings)).transport
    }
    let host = ["rest.client.proxy.hostname": "proxy.example", "rest.client.proxy.port": "3128"]
    #expect(try transport(host).proxy == .endpoint("http://proxy.example:3128"))
    #expect(try transport(["rest.client.proxy.hostname": "proxy.example"]).proxy == .environment)
    #expect(try transport(["rest.client.proxy.port": "3128"]).proxy == .environment)
    #expect(try transport(host.merging(["rest.client.proxy.username": "u"]) { $1 }).proxyLogin == nil)
    let login = try transport(host.merging(["rest.client.proxy.username": "u", "rest.client.proxy.password": "p"]) { $1 }).proxyLogin
    #expect(login?.user == "u")
    #expect(login?.password == Secret("p"))
  }

  @Test("On the wire: through the proxy, with its login and the user agent, to the signer and to nobody else")
  func wire() async throws {
    let proxy = try LoopbackServer { request in
      let ask = try? JSONDocument(parsing: request.body).root
      let answer: JSONValue = ["uri": .string(ask?["uri"]?.string ?? ""), "headers": ["Authorization": ["signed"]]]
      return .answer(headers: [("Cache-Control", "no-cache")], body: answer.serialized())
    }
    defer { proxy.stop() }
    let s3 = try LoopbackServer { _ in .answer(headers: [("ETag", "\"e\"")]) }
    defer { s3.stop() }
    let pool = TransportPool()
    let factory = try DefaultAwsClientFactory(
      properties: [
        "client.region": "eu-west-1", "s3.endpoint": "http://127.0.0.1:\(s3.port)", "s3.remote-signing-enabled": "true",
        "signer.uri": "http://signer.invalid:8080", "rest.client.proxy.hostname": "127.0.0.1", "rest.client.proxy.port": "\(proxy.port)",
        "rest.client.proxy.username": "us:er", "rest.client.proxy.password": "pass@word", "rest.client.user-agent": "lake/1",
      ], variables: [:], transport: { settings throws(HTTPError) in try pool.transport(settings) }, metrics: Metrics(),
      logger: Logger(label: "test"))
    _ = try await factory.s3().headObject(bucket: "b", key: "k")
    let call = try #require(proxy.requests.first)
    #expect(call.target == "http://signer.invalid:8080/v1/aws/s3/sign")
    #expect(call.header("Proxy-Authorization") == "Basic \(Base64.encode(Array("us:er:pass@word".utf8)))")
    #expect(call.header("User-Agent") == "lake/1")
    #expect(s3.requests.map { $0.header("Authorization") } == ["signed"])
    #expect(s3.requests.first?.header("User-Agent") == "bergfs")
    #expect(s3.requests.first?.header("Proxy-Authorization") == nil)
    pool.shutdown()
  }

  @Test(
    "Calls beyond rest.client.max-connections or rest.client.connections-per-route wait for others to end",
    arguments: [["rest.client.max-connections": "1"], ["rest.client.connections-per-route": "1"], [:]])
  func connections(limits: [String: String]) async throws {
    let inFlight = Mutex((now: 0, most: 0))
    let signer = try LoopbackServer { request in
      inFlight.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      // Without a limit the first stays until the second is there.
      for _ in 0..<5000 where limits.isEmpty && inFlight.withLock({ $0.most < 2 }) { usleep(1000) }
      inFlight.withLock { $0.now -= 1 }
      let ask = try? JSONDocument(parsing: request.body).root
      return .answer(body: (["uri": .string(ask?["uri"]?.string ?? ""), "headers": [:]] as JSONValue).serialized())
    }
    defer { signer.stop() }
    let s3 = try LoopbackServer { _ in .answer(headers: [("ETag", "\"e\"")]) }
    defer { s3.stop() }
    let pool = TransportPool()
    let properties = [
      "client.region": "eu-west-1", "s3.endpoint": "http://127.0.0.1:\(s3.port)", "s3.remote-signing-enabled": "true",
      "signer.uri": "http://127.0.0.1:\(signer.port)",
    ]
    let factory = try DefaultAwsClientFactory(
      properties: properties.merging(limits) { $1 }, variables: [:],
      transport: { settings throws(HTTPError) in try pool.transport(settings) },
      metrics: Metrics(), logger: Logger(label: "test"))
    let client = try factory.s3()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<4 { group.addTask { _ = try await client.headObject(bucket: "b", key: "k\(index)") } }
      try await group.waitForAll()
    }
    #expect(signer.requests.count == 4)
    #expect(limits.isEmpty == (inFlight.withLock { $0.most } > 1))
    pool.shutdown()
  }

  @Test("A signer that does not answer costs no more than its socket timeout", .timeLimit(.minutes(1)))
  func silentSigner() async throws {
    let signer = try LoopbackServer { _ in .bytesThenStall([]) }
    defer { signer.stop() }
    let pool = TransportPool()
    let factory = try DefaultAwsClientFactory(
      properties: [
        "client.region": "eu-west-1", "s3.endpoint": "http://127.0.0.1:1", "s3.remote-signing-enabled": "true",
        "signer.uri": "http://127.0.0.1:\(signer.port)", "rest.client.socket-timeout-ms": "1000",
      ], variables: [:], transport: { settings throws(HTTPError) in try pool.transport(settings) }, metrics: Metrics(),
      logger: Logger(label: "test"))
    let error = await #expect(throws: AWSError.self) { _ = try await factory.s3().headObject(bucket: "b", key: "k") }
    #expect(error?.kind == .timedOut)
    #expect(signer.requests.count == 1)
    pool.shutdown()
  }
}
