// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

extension FailureTests {
  @Suite("No secret is written anywhere")
  struct SecretTests {
    /// One secret for each way into the program.
    private static let byFile = "sEcReT-yaml-4b1f"
    private static let byProperties = "sEcReT-properties-77aa"
    private static let byOption = "sEcReT-option-c0de"
    private static let byEnvironment = "sEcReT-environment-e2e2"
    private static let token = "sEcReT-token-9d9d"
    private static let all = [byFile, byProperties, byOption, byEnvironment, token]

    private static let options = [
      "--property", "glue.access-key-id=AKIDGLUE", "--property", "glue.secret-access-key=\(byOption)",
      "--property", "s3.sse.key=\(byOption)", "--log-level", "trace",
    ]

    private static let environment = [
      "PYICEBERG_CATALOG__LAKE__S3__SSE__MD5": byEnvironment, "AWS_SECRET_ACCESS_KEY": byEnvironment, "AWS_ACCESS_KEY_ID": "AKIDENV",
      "AWS_SESSION_TOKEN": token,
    ]

    private func expectNone(_ text: String, _ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
      for secret in Self.all {
        #expect(!text.contains(secret), "\(secret) in \(place): \(text)", sourceLocation: sourceLocation)
      }
    }

    private func withSecrets(_ body: (FailureBench, StandInAccount, [String]) async throws -> Void) async throws {
      let properties = ["client.secret-access-key": Self.byFile, "client.session-token": Self.token]
      try await FailureBench.withAccount(properties) { bench, account in
        try bench.write("s3.access-key-id=AKIDS3\ns3.secret-access-key=\(Self.byProperties)\n", to: "lake.properties")
        try await body(bench, account, Self.options + ["--properties", bench.folder + "/lake.properties"])
      }
    }

    @Test("Neither log, control files, messages, arguments nor environment of the daemon hold a secret")
    func mounted() async throws {
      try await withSecrets { bench, account, options in
        let mount = try await bench.mount(options, environment: Self.environment)
        expectNone(mount.errorText + mount.text, "the output of mount")
        #expect(mount.errorText.contains("glue.secret-access-key stands on the command line"), "\(mount)")
        #expect(mount.errorText.contains("s3.sse.key stands on the command line"), "\(mount)")

        try await bench.shell("ls -lR \"$M\" && cat \"$M/sales/orders/data/part-0.parquet\"").succeeded()
        account.put("warehouse/orders/data/part-1.parquet", Array("PAR1".utf8))
        account.setFault { $0.operation == "GetObject" ? StandInAccount.s3Error(403, "SignatureDoesNotMatch") : nil }
        let isRefused = await eventually {
          (try? await bench.shell("cat \"$M/sales/orders/data/part-1.parquet\""))?.errorText.contains("Permission denied") == true
        }
        #expect(isRefused)

        for file in ["status.json", "errors.jsonl", "config.json", "metrics", "refresh"] {
          let text = try await bench.shell("cat \"$M/.bergfs/\(file)\"").succeeded().text
          expectNone(text, file)
          #expect(!text.isEmpty, "\(file) is empty")
        }
        let log = bench.logText
        expectNone(log, "the log")
        #expect(log.contains("GetObject"), "the log at its most talkative shows no request: \(log.prefix(2000))")

        let daemon = try #require(bench.daemons.first)
        expectNone(ProcessList.arguments(of: daemon).joined(separator: " "), "the daemon's arguments")
        let environment = String(decoding: readFile("/proc/\(daemon)/environ"), as: UTF8.self)
        for secret in [Self.byOption, Self.byProperties, Self.byFile] { #expect(!environment.contains(secret), "the daemon's environment") }

        let umount = try await bench.bergfs(["umount", bench.mountpoint])
        expectNone(umount.errorText + umount.text, "the output of umount")
        expectNone(bench.logText, "the log at the end")
      }
    }

    @Test("`config` and `check` mask every secret, whatever its source")
    func commands() async throws {
      try await withSecrets { bench, _, options in
        let sources = options.filter { $0 != "--log-level" && $0 != "trace" }
        for command in [["config", "lake"], ["config", "lake", "--all"], ["check", "lake"]] {
          let result = try await bench.bergfs(command + sources, environment: Self.environment)
          expectNone(result.text + result.errorText, command.joined(separator: " "))
          #expect(!result.text.isEmpty, "\(result)")
        }
      }
    }

    @Test("A refused mount does not print the secret that was refused")
    func refused() async throws {
      try await withSecrets { bench, account, options in
        account.setFault { _ in StandInAccount.jsonError(400, "InvalidSignatureException", "The signature does not match") }
        let result = try await bench.tryMount(options, environment: Self.environment)
        #expect(result.status == 1 && result.errorText.contains("secret key does not match"), "\(result)")
        expectNone(result.errorText + result.text + bench.logText, "the output of a refused mount")
        let bad = try await bench.tryMount(options + ["--property", "client.session-token"], environment: Self.environment)
        #expect(bad.status == 1)
        expectNone(bad.errorText + bad.text, "the output of a mount with a broken option")
      }
    }
  }
}
