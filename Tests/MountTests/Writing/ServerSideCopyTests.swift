// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Copies inside the mount")
struct ServerSideCopyTests {
  /// Requests for objects below `data/`, by method and by what they do.
  private func dataRequests(_ proxy: CountingProxy, _ name: String) -> [String] {
    proxy.requests.filter { $0.operation == nil && $0.target.contains("/data/\(name)") }.map { request in
      if request.headers["x-amz-copy-source"] != nil { return request.target.contains("partNumber=") ? "UploadPartCopy" : "CopyObject" }
      if request.target.contains("uploads") { return "CreateMultipartUpload" }
      if request.target.contains("uploadId=") { return request.method == "POST" ? "CompleteMultipartUpload" : "UploadPart" }
      return request.method
    }
  }

  @Test("cp of a published file moves no byte of it through the machine", arguments: Metastore.allCases)
  func copied(metastore: Metastore) async throws {
    let properties = ["s3.multipart.part-size-bytes": "5242880"]
    try await WritableTable.with(metastore, "test_copies_inside.t", properties: properties, proxied: true) { table in
      let proxy = try #require(table.proxy)
      try await table.shell(#"head -c 16000000 /dev/urandom >"$T/large" && cp "$T/large" "$D/large" && echo 1 >"$D/small" && ls "$D""#)
        .succeeded()
      for (name, size) in [("large", 16_000_000), ("small", 2)] {
        proxy.reset()
        try await table.shell(#"cp "$D/$N" "$D/$N.copy" && stat -c '%a %s' "$D/$N.copy""#, ["N": name]).succeeded()
        let asked = dataRequests(proxy, name)
        #expect(asked.contains("UploadPartCopy"), "\(asked)")
        #expect(!asked.contains("GET") && !asked.contains("UploadPart") && !asked.contains("PUT"), "\(asked)")
        #expect(!asked.contains("CopyObject"), "it would overwrite what another writer has just made")
        let completion = proxy.requests.first { $0.method == "POST" && $0.target.contains("uploadId=") }
        #expect(completion?.headers["if-none-match"] == "*")
        let objects = try await table.objects()
        #expect(objects["data/\(name).copy"]?.size == Int64(size))
        #expect(objects["data/\(name).copy"]?.sha256 ?? "none" == objects["data/\(name)"]?.sha256)
      }
      #expect(try await table.uploads() == [])
      #expect(try await table.stagedNames() == [])
    }
  }

  @Test("What cp cannot take by reference arrives all the same", arguments: Metastore.allCases)
  func others(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_copies_others.t") { table in
      let script = #"""
        set -e
        seq 100000 >"$D/numbers"
        cat "$D/numbers" >"$D/catted"; dd if="$D/numbers" of="$D/dumped" bs=4096 status=none; rsync "$D/numbers" "$D/synced"
        cp --reflink=never --sparse=always "$D/numbers" "$D/sparse"
        # A part of the one and then something of its own.
        python3 - "$D" <<'END'
        import os, sys
        source = os.open(sys.argv[1] + "/numbers", os.O_RDONLY)
        target = os.open(sys.argv[1] + "/mixed", os.O_WRONLY | os.O_CREAT)
        copied = os.copy_file_range(source, target, 1000, 10)
        while copied < 1000:
            copied += os.copy_file_range(source, target, 1000 - copied, 10 + copied)
        os.write(target, b"tail")
        os.close(target)
        END
        { head -c 1010 "$D/numbers" | tail -c 1000; printf tail; } | cmp - "$D/mixed"
        for copy in catted dumped synced sparse; do cmp "$D/numbers" "$D/$copy"; done
        cp "$D/numbers" "$X/numbers.txt" && cmp "$D/numbers" "$X/numbers.txt"
        """#
      try await table.shell(script).succeeded()
      let objects = try await table.objects()
      #expect(objects["data/mixed"]?.size == 1004)
      for name in ["catted", "dumped", "synced", "sparse"] {
        #expect(objects["data/\(name)"]?.sha256 ?? "none" == objects["data/numbers"]?.sha256, "\(name)")
      }
    }
  }

  @Test("A copy of an empty file is an empty file", arguments: Metastore.allCases)
  func empty(metastore: Metastore) async throws {
    try await WritableTable.with(metastore, "test_copies_empty.t") { table in
      try await table.shell(#"touch "$D/nothing" && sync "$D/nothing" && cp "$D/nothing" "$D/copy" && rsync "$D/nothing" "$D/synced""#)
        .succeeded()
      let objects = try await table.objects()
      #expect(objects["data/nothing"]?.size == 0)
      #expect(objects["data/synced"]?.size == 0)
      try await table.shell(#"stat -c %s "$D/copy" && sync "$D/copy""#).succeeded()
      #expect(try await table.objects()["data/copy"]?.size == 0)
    }
  }
}
