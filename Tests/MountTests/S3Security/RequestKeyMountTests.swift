// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// Real mounts whose S3 is the stand-in that makes every signature again by botocore's signers; their catalog is the emulator's.
@Suite("Directory buckets and S3 Access Grants under a mount")
struct RequestKeyMountTests {
  private static let bucket = "lake--euc1-az1--x-s3"

  @Test("A mount of a directory bucket lists, reads, writes and commits, and outlives its sessions")
  func directoryBucket() async throws {
    try await Self.mounted("test_directory_bucket.t", life: 6) { bench, table, standIn in
      let script = """
        set -e; cd "$M/\(table.path)"
        ls data | grep -c parquet; sha256sum <"$(ls -d data/*.parquet)" | cut -c1-8
        mkdir data/deep; head -c 3000000 /dev/urandom >"$M/../new"; cp "$M/../new" data/deep/new; cmp "$M/../new" data/deep/new
        cp data/deep/new data/deep/copy; cmp data/deep/new data/deep/copy; ls data/deep | tr '\\n' ' '; echo
        jq '.properties.owner="ops"' metadata/current.metadata.json >metadata/new.json; mv metadata/new.json metadata/current.metadata.json
        jq -r .properties.owner metadata/current.metadata.json; rm data/deep/copy; ls data/deep
        """
      let result = try await bench.shell(script)
      try #require(result.status == 0, "\(result)\n\(bench.logText)")
      #expect(result.lines.first == "1" && Array(result.lines.dropFirst(2)) == ["copy new ", "ops", "new"])
      // Three sessions of six seconds, while files come and go.
      var number = 0
      let isRenewed = try await Self.untilTrue {
        number += 1
        let write = try await bench.shell(#"echo 1 >"$M/\#(table.path)/data/n\#(number)" && cat "$M/\#(table.path)/data/n\#(number)""#)
        #expect(write.status == 0, "\(write)\n\(bench.logText)")
        return try await Self.count(standIn, #"e["query"].get("session") == """#) >= 3
      }
      #expect(isRenewed)
      let log = try await Self.tell(standIn, "GET", "/.log", "")
      #expect(try await Self.count(standIn, #"e.get("refused") not in (None, "NoSuchKey", "PreconditionFailed")"#) == 0, "\(log)")
      #expect(try await Self.count(standIn, #"e["path"].startswith("/lake--") and e.get("service") != "s3express""#) == 0)
    }
  }

  @Test("A mount whose own keys may do nothing in S3 reads and writes with the keys of its grants, and nothing beside them")
  func accessGrants() async throws {
    let properties = ["s3.access-grants.enabled": "true"]
    try await Self.mounted("test_access_grants.t", properties: properties, life: 300) { bench, table, standIn in
      let script = """
        set -e; cd "$M/\(table.path)"
        cat data/*.parquet | wc -c; echo 1 >data/new; cat data/new; ls data | grep new
        """
      let result = try await bench.shell(script)
      try #require(result.status == 0, "\(result)\n\(bench.logText)")
      #expect(result.lines.suffix(2) == ["1", "new"])
      #expect(
        try await Self.count(standIn, #"e["service"] == "s3" and e["path"].startswith("/bergfs-lake/") and e["key"] != "grant""#) == 0)
      let asked = try await Self.count(standIn, #"e["path"].endswith("/dataaccess")"#)
      #expect((2...3).contains(asked), "\(asked) calls of GetDataAccess")
      try await Self.tell(standIn, "POST", "/.grants", #"{"grants": [], "iam": false}"#)
      try await Self.tell(standIn, "POST", "/.end", "")
      let denied = try await bench.shell(#"cp /etc/hostname "$M/\#(table.path)/data/second""#)
      #expect(denied.errorText.contains("Permission denied"), "\(denied)")
      let errors = try await bench.shell(#"cat "$M/.bergfs/errors.jsonl""#)
      #expect(errors.text.contains("S3 Access Grants"), "\(errors)")
    }
  }

  // MARK: the stand-in

  /// Mounts a table of the emulator's catalog whose objects lie in the stand-in.
  private static func mounted(
    _ name: String, properties: [String: String] = [:], life: Int, _ body: (FailureBench, OwnTable, PythonServer) async throws -> Void
  ) async throws {
    let emulator = try await EmulatorWithSeed.shared()
    let hasGrants = !properties.isEmpty
    try await PythonServer.with("IcebergAWSTests/S3Security/Support/s3_stand_in.py", ["\(life)"], ready: "/.log") { standIn in
      try await TestSlots.mounts.occupied {
        let table = try await emulator.createTable(name, in: .glue)
        let (source, prefix) = EmulatorWithSeed.split(table.location)
        try await move(from: emulator, source, prefix, to: standIn, hasGrants ? source : Self.bucket)
        let grants = hasGrants ? #"[["s3://\#(source)/\#(prefix)/*", "READWRITE"]]"# : "[]"
        try await tell(standIn, "POST", "/.grants", #"{"grants": \#(grants), "iam": \#(!hasGrants)}"#)
        var settings = MountSettings(.glue, properties: properties.mapValues { $0 })
        settings.mayWrite = true
        let endpoint = "http://127.0.0.1:\(standIn.port)"
        let own: [String: String?] = [
          "s3.endpoint": endpoint, "s3.access-key-id": "OWNKEY", "s3.secret-access-key": "own/secret", "s3.session-token": "own//token==",
        ]
        settings.properties.merge(own) { $1 }
        if !hasGrants { settings.properties["s3.access-points.\(source)"] = Self.bucket }
        try await FailureBench.with { bench in
          try bench.write(settings.configuration(emulator), to: "home/.pyiceberg.yaml")
          try await bench.mount(
            ["--allow-delete", "--delete-min-age", "0"],
            environment: ["AWS_ENDPOINT_URL_S3_CONTROL": endpoint, "AWS_ENDPOINT_URL_STS": endpoint])
          try await body(bench, table, standIn)
          try await bench.shell(#"umount "$M""#).succeeded()
        }
      }
    }
  }

  private static func move(
    from emulator: EmulatorWithSeed, _ source: String, _ prefix: String, to standIn: PythonServer, _ bucket: String
  ) async throws {
    let program = """
      import sys, urllib.parse, urllib.request, boto3
      endpoint, region, access, secret, source, prefix, port, bucket = sys.argv[1:]
      s3 = boto3.client("s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=access, aws_secret_access_key=secret)
      for entry in s3.list_objects_v2(Bucket=source, Prefix=prefix)["Contents"]:
          body = s3.get_object(Bucket=source, Key=entry["Key"])["Body"].read()
          url = f"http://127.0.0.1:{port}/.object/{bucket}/{urllib.parse.quote(entry['Key'])}"
          urllib.request.urlopen(urllib.request.Request(url, data=body, method="PUT")).read()
      """
    try await Shell.run(
      ProjectFiles.clientsPython,
      [
        "-c", program, emulator.endpoint, EmulatorWithSeed.region, emulator.owner.access, emulator.owner.secret, source, prefix + "/",
        "\(standIn.port)", bucket,
      ]
    ).succeeded()
  }

  @discardableResult
  private static func tell(_ standIn: PythonServer, _ method: String, _ path: String, _ body: String) async throws -> String {
    let program = """
      import sys, urllib.request
      print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=sys.argv[3].encode() or None, method=sys.argv[2])).read().decode())
      """
    return try await Shell.run(
      "/usr/bin/python3", ["-c", program, "http://127.0.0.1:\(standIn.port)\(path)", method, body]
    ).succeeded().text
  }

  /// How many of the requests so far are such, in Python.
  private static func count(_ standIn: PythonServer, _ condition: String) async throws -> Int {
    let program = """
      import json, sys, urllib.request
      log = json.load(urllib.request.urlopen(sys.argv[1]))
      print(sum(1 for e in log if \(condition)))
      """
    let text = try await Shell.run("/usr/bin/python3", ["-c", program, "http://127.0.0.1:\(standIn.port)/.log"]).succeeded().lines.first
    return text.flatMap { Int($0) } ?? -1
  }

  /// Asks until it is so; false after a minute.
  private static func untilTrue(_ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      if try await condition() { return true }
    }
    return false
  }
}
