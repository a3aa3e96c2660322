// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

extension FailureTests {
  @Suite("A service that does not answer as it should is one sentence, and nothing is mounted")
  struct UnreachableBackendTests {
    @Test("A refused connection names the address")
    func refused() async throws {
      let port: Int
      do {
        let server = try LoopbackServer { _ in .bytesThenClose([]) }
        port = server.port
        server.stop()
      }
      try await refusal(of: "http://127.0.0.1:\(port)", words: ["127.0.0.1:\(port)", "refused the connection"])
    }

    @Test("A host name that does not resolve is named")
    func notResolving() async throws {
      try await refusal(of: "http://glue.no-such-host.invalid", words: ["glue.no-such-host.invalid"], within: .seconds(30))
    }

    @Test("A server that accepts and never answers is given up")
    func silent() async throws {
      let server = try LoopbackServer { _ in .bytesThenStall([]) }
      defer { server.stop() }
      try await refusal(of: "http://127.0.0.1:\(server.port)", words: ["127.0.0.1:\(server.port)", "did not answer in time"])
      #expect(!server.requests.isEmpty)
    }

    @Test("TLS to a port that speaks plain HTTP says so")
    func plainPort() async throws {
      try await FailureBench.with { bench in
        let plain = try bench.start(
          "/usr/bin/python3", ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", bench.home])
        var port: Substring = ""
        _ = await eventually {
          port = String(decoding: plain.output, as: UTF8.self).split(separator: " port ").dropFirst().first?.prefix { $0.isNumber } ?? ""
          return !port.isEmpty
        }
        try #require(!port.isEmpty, "\(String(decoding: plain.errors, as: UTF8.self))")
        try bench.configure(Self.properties("https://127.0.0.1:\(port)"))
        await bench.expectRefusal(try await bench.tryMount(), ["127.0.0.1:\(port)", "TLS"])
      }
    }

    @Test("A certificate of an unknown authority is refused; with AWS_CA_BUNDLE the mount works")
    func ownAuthority() async throws {
      try await StandInAccount.with { account in
        try await FailureBench.with { bench in
          let front = try await TLSFront(bench, to: account.server.port)
          defer { front.stop() }
          let own = ["glue.endpoint": front.endpoint, "s3.endpoint": front.endpoint]
          try bench.configure(account.properties.merging(own) { $1 })
          let refused = try await bench.tryMount()
          await bench.expectRefusal(refused, ["certificate", "not trusted", "AWS_CA_BUNDLE"])
          #expect(account.calls.isEmpty, "a request went to a server that is not trusted")

          try await bench.mount(environment: ["AWS_CA_BUNDLE": front.authority])
          let listing = try await bench.shell("ls \"$M/sales/orders/metadata\"")
          #expect(listing.text.contains(StandInAccount.metadataName), "\(listing)")
          let other = bench.folder + "/other"
          mkdir(other, 0o755)
          let missing = try await bench.tryMount(at: other, environment: ["AWS_CA_BUNDLE": bench.folder + "/absent.pem"])
          #expect(missing.status == 1 && missing.errorText.contains("absent.pem"), "\(missing)")
        }
      }
    }

    /// An HTML page where an API was expected, as proxies and web consoles answer.
    @Test("An endpoint that answers HTML is named as such", arguments: [200, 404, 503])
    func html(status: Int) async throws {
      let page = Array("<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>".utf8)
      let server = try LoopbackServer { _ in
        .answer(status: status, headers: [("Content-Type", "text/html; charset=utf-8")], body: page)
      }
      defer { server.stop() }
      try await refusal(of: "http://127.0.0.1:\(server.port)", words: ["HTML", "right endpoint for Glue"])
    }

    @Test("An expired token is called expired")
    func expiredToken() async throws {
      let message = "The security token included in the request is expired"
      try await answerRefused(StandInAccount.jsonError(400, "ExpiredTokenException", message), words: ["expired"])
    }

    @Test("A denied call names the permission that is missing")
    func denied() async throws {
      let message = "User: arn:aws:iam::1:user/reader is not authorized to perform: glue:GetDatabases"
      try await answerRefused(StandInAccount.jsonError(400, "AccessDeniedException", message), words: ["glue:GetDatabases"])
    }

    @Test("A service that fails again and again is given up")
    func failing() async throws {
      try await answerRefused(StandInAccount.jsonError(500, "InternalServiceException"), words: ["InternalService", "Glue.GetDatabases"])
    }

    /// The emulator checks the signatures of users, and not those of its root.
    @Test("Where signatures are checked: right keys mount, a wrong secret and an unknown key are told apart", arguments: Metastore.allCases)
    func wrongSecret(metastore: Metastore) async throws {
      let emulator = try await EmulatorWithSeed.shared()
      let (accessKey, secretKey) = (emulator.reader.access, emulator.reader.secret)
      try await FailureBench.with { bench in
        func use(_ key: String, _ secret: String) throws {
          var settings = MountSettings(metastore)
          settings.properties = ["client.access-key-id": key, "client.secret-access-key": secret]
          try bench.write(try settings.configuration(emulator), to: "home/.pyiceberg.yaml")
        }
        try use(accessKey, "not-the-secret")
        let wrong = try await bench.tryMount()
        await bench.expectRefusal(wrong, ["secret key does not match", String(accessKey.suffix(4)), "client.access-key-id"])
        #expect(!wrong.errorText.contains("not-the-secret"))
        try use("AKIDNOBODYATALL", secretKey)
        let unknown = try await bench.tryMount()
        await bench.expectRefusal(unknown, ["does not know access key", "TALL", "client.access-key-id"])
        #expect(!unknown.errorText.contains(secretKey))
        try use(accessKey, secretKey)
        try await bench.mount()
        let read = try await bench.shell("find \"$M/lab/odd_keys\" -type f -exec cat {} + | wc -c").succeeded()
        #expect((Int(read.trimmed) ?? 0) > 1000, "\(read)")
      }
    }

    @Test("A DynamoDB table that does not exist is a sentence and is not created")
    func tableAbsent() async throws {
      try await StandInAccount.with { account in
        account.setFault { call in
          StandInAccount.jsonError(400, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "Requested resource not found")
        }
        try await FailureBench.with { bench in
          let own = ["type": "dynamodb", "dynamodb.endpoint": account.endpoint, "dynamodb.table-name": "lake_catalog"]
          try bench.configure(account.properties.merging(own) { $1 })
          await bench.expectRefusal(try await bench.tryMount(), ["lake_catalog", "DynamoDB"])
          #expect(!account.calls.isEmpty)
          #expect(!account.calls.contains { $0.operation.hasPrefix("Create") || $0.operation.hasPrefix("Put") })
        }
      }
    }

    @Test("Only the region's own failure is told: a silent S3 does not keep a Glue catalog from mounting")
    func silentS3() async throws {
      try await StandInAccount.with { account in
        try await FailureBench.with { bench in
          try bench.configure(account.properties.merging(["s3.endpoint": "http://127.0.0.1:9"]) { $1 })
          try await bench.mount()
          let listing = try await bench.shell("ls \"$M/sales\"")
          #expect(listing.text == "orders\n", "\(listing)")
        }
      }
    }

    // MARK: One mount against one endpoint

    private static func properties(_ endpoint: String) -> [String: String] {
      [
        "type": "glue", "client.region": "eu-central-1", "client.access-key-id": "AKID", "client.secret-access-key": "hidden",
        "glue.endpoint": endpoint, "s3.endpoint": endpoint,
      ].merging(StandInAccount.impatience) { $1 }
    }

    private func refusal(of endpoint: String, words: [String], within limit: Duration = .seconds(20)) async throws {
      try await FailureBench.with { bench in
        try bench.configure(Self.properties(endpoint))
        await bench.expectRefusal(try await bench.tryMount(), words, within: limit)
      }
    }

    private func answerRefused(_ reply: LoopbackServer.Reply, words: [String]) async throws {
      try await StandInAccount.with { account in
        account.setFault { _ in reply }
        try await FailureBench.with { bench in
          try bench.configure(account.properties)
          await bench.expectRefusal(try await bench.tryMount(), words)
        }
      }
    }
  }
}
