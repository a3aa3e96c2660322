// SPDX-License-Identifier: Apache-2.0

import Testing

extension FailureTests {
  @Suite("Configuration that cannot be used is one sentence")
  struct BadConfigurationTests {
    /// Valid as far as nobody asks the network; every case breaks one thing of it.
    private static let good = [
      "type": "glue", "client.region": "eu-central-1", "client.access-key-id": "AKID", "client.secret-access-key": "hidden",
      "glue.endpoint": "http://127.0.0.1:9", "s3.endpoint": "http://127.0.0.1:9",
    ]

    @Test("A name that no source knows is refused with the places where it was sought and the names found there")
    func unknownCatalog() async throws {
      try await FailureBench.with { bench in
        try bench.write("catalog:\n  ocean:\n    type: glue\n", to: "home/.pyiceberg.yaml")
        let words = ["\"lake\"", bench.yaml, "ocean", "PYICEBERG_CATALOG__LAKE__"]
        await bench.expectRefusal(try await bench.tryMount(), words)
      }
    }

    @Test("Without any configuration the sentence names every file that was sought")
    func noConfiguration() async throws {
      try await FailureBench.with { bench in
        let result = try await bench.tryMount(environment: ["PYICEBERG_HOME": bench.folder])
        await bench.expectRefusal(result, ["\(bench.folder)/.pyiceberg.yaml", bench.yaml, "not there"])
      }
    }

    @Test(
      "Malformed YAML is refused with its file and line",
      arguments: [
        ("catalog:\n  lake:\n    type: glue\n   client.region: x\n", 4),
        ("catalog:\n  lake:\n    type: \"glue\n", 3),
        ("catalog:\n  lake: {type: glue}\n", 2),
        ("catalog:\n  lake:\n    type: glue\n    type: dynamodb\n", 3),
      ])
    func malformedYAML(text: String, line: Int) async throws {
      try await FailureBench.with { bench in
        try bench.write(text, to: "home/.pyiceberg.yaml")
        let result = try await bench.tryMount()
        await bench.expectRefusal(result, ["\(bench.yaml):"])
        // A quote that never ends is noticed where the file does.
        let named = result.errorText.split(separator: "\(bench.yaml):").last?.prefix { $0.isNumber } ?? ""
        #expect((Int(named) ?? 0) >= line, "\(result)")
      }
    }

    @Test(
      "A malformed properties file is refused with its file and line",
      arguments: [
        ("type=glue\n\nclient.region\n", 3), ("type=glue\nwarehouse=\\u12G4\n", 2), ("# head\n=glue\n", 2),
      ])
    func malformedProperties(text: String, line: Int) async throws {
      try await FailureBench.with { bench in
        let file = bench.folder + "/lake.properties"
        try bench.write(text, to: "lake.properties")
        await bench.expectRefusal(try await bench.tryMount(["--properties", file]), ["\(file):\(line)"])
      }
    }

    @Test("A file that is named and absent is refused by name", arguments: ["--properties", "--config"])
    func absentFile(option: String) async throws {
      try await FailureBench.with { bench in
        let file = bench.folder + "/absent"
        await bench.expectRefusal(try await bench.tryMount([option, file]), [file, option])
      }
    }

    @Test("A bad value of a known key is refused with key, value and source")
    func badValue() async throws {
      try await FailureBench.with { bench in
        try bench.configure(Self.good)
        let onCommandLine = try await bench.tryMount(["--property", "s3.retry.num-retries=many"])
        await bench.expectRefusal(onCommandLine, ["s3.retry.num-retries=many", "--property"])
        let variable = ["PYICEBERG_CATALOG__LAKE__S3__PATH_STYLE_ACCESS": "perhaps"]
        let inEnvironment = try await bench.tryMount(environment: variable)
        await bench.expectRefusal(inEnvironment, ["s3.path-style-access=perhaps", "PYICEBERG_CATALOG__LAKE__S3__PATH_STYLE_ACCESS"])
        try bench.configure(Self.good.merging(["s3.endpoint": "localhost:9000"]) { $1 })
        await bench.expectRefusal(try await bench.tryMount(), ["s3.endpoint=localhost:9000", "\(bench.yaml):", "http"])
      }
    }

    /// What is taken away from, or put into, a good configuration, and what the sentence must say.
    struct Flaw: Sendable, CustomTestStringConvertible {
      var what: String
      var without: [String] = []
      var with: [String: String] = [:]
      var words: [String]
      var testDescription: String { what }
    }

    @Test(
      "A property that is missing, foreign or half of a pair is refused by name",
      arguments: [
        Flaw(what: "no warehouse", with: ["type": "dynamodb"], words: ["warehouse", "s3://"]),
        Flaw(what: "no type", without: ["type"], words: ["lake", "type=glue", "type=dynamodb"]),
        Flaw(what: "another type", with: ["type": "hive"], words: ["type=hive", "glue", "dynamodb"]),
        Flaw(what: "no region", without: ["client.region"], words: ["region", "client.region"]),
        Flaw(what: "no secret", without: ["client.secret-access-key"], words: ["client.access-key-id", "client.secret-access-key"]),
        Flaw(
          what: "no credentials", without: ["client.access-key-id", "client.secret-access-key"],
          words: ["credentials", "AWS_ACCESS_KEY_ID"]),
        Flaw(
          what: "a profile that does not exist", without: ["client.access-key-id", "client.secret-access-key"],
          with: ["client.profile-name": "nobody"], words: ["nobody", "profile"]),
        Flaw(what: "a foreign class", with: ["client.factory": "com.example.Factory"], words: ["com.example.Factory", "client.factory"]),
      ])
    func flaw(flaw: Flaw) async throws {
      try await FailureBench.with { bench in
        try bench.configure(Self.good.filter { !flaw.without.contains($0.key) }.merging(flaw.with) { $1 })
        await bench.expectRefusal(try await bench.tryMount(), flaw.words)
      }
    }

    @Test(
      "An option that does not exist, or has a value it cannot have, is one line",
      arguments: [
        (["--frobnicate"], "--frobnicate"), (["--memory-limit", "huge"], "--memory-limit huge"),
        (["--metadata-ttl", "-1"], "--metadata-ttl"),
        (["--umask", "999"], "--umask 999"), (["--uid", "root"], "--uid root"), (["--log-level", "loud"], "--log-level loud"),
        (["--delete-min-age", "3w"], "--delete-min-age 3w"), (["--staging-size", "1K"], "--staging-size 1K"),
        (["-o", "ro,allow-drop"], "--read-only and --allow-drop"), (["--staging-dir", "/proc/none"], "staging directory /proc/none"),
        (["--cache-dir", "/proc/none"], "cache directory /proc/none"), (["--cache-size", "1G"], "--cache-size needs --cache-dir"),
        (["--cache-dir", "/var/none", "--cache-size", "1K"], "--cache-size 1K"),
      ])
    func badOption(options: [String], word: String) async throws {
      try await FailureBench.with { bench in
        try bench.configure(Self.good)
        await bench.expectRefusal(try await bench.tryMount(options), [word])
      }
    }

    @Test("The other commands refuse the same configuration the same way")
    func otherCommands() async throws {
      try await FailureBench.with { bench in
        await bench.expectRefusal(try await bench.bergfs(["config", "lake"]), ["\"lake\""])
        await bench.expectRefusal(try await bench.bergfs(["check", "lake"]), ["\"lake\""])
        await bench.expectRefusal(try await bench.bergfs(["status", bench.mountpoint]), [bench.mountpoint, "not a mount point"])
        await bench.expectRefusal(try await bench.bergfs(["umount", bench.mountpoint]), [bench.mountpoint])
        await bench.expectRefusal(try await bench.bergfs(["umount", bench.folder + "/absent"]), [bench.folder + "/absent"])
      }
    }

    @Test("A log file that cannot be written is refused before anything is mounted")
    func logFile() async throws {
      try await FailureBench.withAccount { bench, _ in
        let file = bench.folder + "/absent/bergfs.log"
        await bench.expectRefusal(try await bench.bergfs(["mount", "lake", bench.mountpoint, "--log-file", file]), [file])
      }
    }
  }
}
