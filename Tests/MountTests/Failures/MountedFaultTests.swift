// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import TestSupport
import Testing

extension FailureTests {
  @Suite("Services that fail under a mount give errno in bounded time, and nothing hangs")
  struct MountedFaultTests {
    private static let file = "sales/orders/data/large.bin"
    private static let key = "warehouse/orders/data/large.bin"
    private static let size = 24 << 20

    private func withLargeFile(
      _ properties: [String: String] = [:], _ body: (FailureBench, StandInAccount) async throws -> Void
    ) async throws {
      try await FailureBench.withAccount(properties) { bench, account in
        account.put(Self.key, Self.pattern(1))
        try await bench.mount(["--memory-limit", "64M"])
        try await body(bench, account)
      }
    }

    private static func pattern(_ seed: UInt8) -> [UInt8] {
      [UInt8](repeating: seed, count: size)
    }

    @Test("The backend dies: cached answers go on, reads end with an errno, unmounting works")
    func backendDies() async throws {
      try await withLargeFile { bench, account in
        let holder = try await FileHolder(bench, "\(bench.mountpoint)/\(Self.file)")
        #expect(await holder.read(4096, at: 0) == "ok 4096")
        account.server.stop()
        #expect(await holder.read(4096, at: Self.size - 4096) == "ETIMEDOUT")
        let listing = try await bench.shell("ls \"$M/sales/orders/data/nowhere\"", within: .seconds(20))
        #expect(listing.status != 0 && !listing.isTimedOut, "\(listing)")
        await holder.end()
        let umount = try await bench.bergfs(["umount", bench.mountpoint], within: .seconds(20))
        #expect(umount.status == 0 && bench.mountCount(bench.mountpoint) == 0, "\(umount)")
      }
    }

    @Test("S3 says 403: EACCES, with the request's id and reason in errors.jsonl")
    func denied() async throws {
      try await withLargeFile { bench, account in
        // Only the data: the metadata file, which a lookup may want to see again, stays readable.
        account.setFault {
          $0.operation == "GetObject" && $0.path.hasSuffix("large.bin")
            ? StandInAccount.s3Error(403, "AccessDenied", "kms:Decrypt is denied") : nil
        }
        let read = try await bench.shell("cat \"$M/\(Self.file)\"", within: .seconds(20))
        #expect(read.status == 1 && read.errorText.contains("Permission denied"), "\(read)")
        let record = try #require(try await bench.errorRecords().last)
        #expect(record.errno == "EACCES" && record.operation == "read" && record.path == "/\(Self.file)", "\(record)")
        #expect(record.message.contains("kms:Decrypt is denied") && record.requestID == "stand-in-42", "\(record)")
        account.setFault(nil)
        #expect(try await bench.shell("cmp <(head -c \(Self.size) /dev/zero | tr '\\0' '\\1') \"$M/\(Self.file)\"").status == 0)
      }
    }

    @Test("S3 says 500 for good: EIO after the retries, and not before")
    func failing() async throws {
      try await withLargeFile { bench, account in
        account.setFault {
          $0.operation == "GetObject" && $0.path.hasSuffix("large.bin") ? StandInAccount.s3Error(500, "InternalError") : nil
        }
        let read = try await bench.shell("head -c 10 \"$M/\(Self.file)\"", within: .seconds(20))
        #expect(read.status == 1 && read.errorText.contains("Input/output error"), "\(read)")
        #expect(account.calls.count { $0.operation == "GetObject" && $0.path.hasSuffix("large.bin") } >= 2)
        let record = try #require(try await bench.errorRecords().last)
        #expect(record.errno == "EIO" && record.message.contains("InternalError") && record.requestID == "stand-in-42", "\(record)")
      }
    }

    @Test("S3 says 503 for a while: the read waits and succeeds, and nobody sees an error")
    func recovering() async throws {
      try await withLargeFile(["s3.retry.num-retries": "5"]) { bench, account in
        let left = Countdown(3)
        account.setFault { call in
          call.operation == "GetObject" && call.path.hasSuffix("large.bin") && left.take() ? StandInAccount.s3Error(503, "SlowDown") : nil
        }
        let read = try await bench.shell("head -c 10 \"$M/\(Self.file)\" | od -An -tu1", within: .seconds(30))
        #expect(read.status == 0 && read.text.split(separator: " ").allSatisfy { $0.hasPrefix("1") } && !read.text.isEmpty, "\(read)")
        #expect(!left.take(), "the faults were not met")
        #expect(try await bench.errorRecords().isEmpty)
      }
    }

    @Test("Connections that break in the middle of a body cost nobody a byte")
    func broken() async throws {
      try await withLargeFile(["s3.retry.num-retries": "5"]) { bench, account in
        let left = Countdown(3)
        let etag = account.etag(of: Self.key)
        account.setFault { call in
          guard call.operation == "GetObject", call.path.hasSuffix("large.bin"), let range = call.range, left.take() else { return nil }
          let count = range.clamped(to: 0..<Self.size).count
          let head = """
            HTTP/1.1 206 X\r\nContent-Length: \(count)\r\nETag: \(etag)\r
            Content-Range: bytes \(range.lowerBound)-\(range.lowerBound + count - 1)/\(Self.size)\r\n\r\n
            """
          return .bytesThenReset(Array(head.utf8) + [UInt8](repeating: 1, count: count / 3))
        }
        let read = try await bench.shell("cmp <(head -c \(Self.size) /dev/zero | tr '\\0' '\\1') \"$M/\(Self.file)\"", within: .seconds(30))
        #expect(read.status == 0, "\(read)\n\(bench.logText)")
        #expect(!left.take(), "the faults were not met")
      }
    }

    @Test("An object replaced under an open handle is ESTALE there, and whole for whoever opens it anew")
    func replaced() async throws {
      try await withLargeFile { bench, account in
        let holder = try await FileHolder(bench, "\(bench.mountpoint)/\(Self.file)")
        #expect(await holder.read(4096, at: 0) == "ok 4096")
        account.put(Self.key, Self.pattern(2))
        #expect(await holder.read(4096, at: Self.size - 4096) == "ESTALE")
        let record = try #require(try await bench.errorRecords().last)
        #expect(record.errno == "ESTALE" && record.path == "/\(Self.file)", "\(record)")
        let opened = await eventually {
          let whole = try? await bench.shell("cmp <(head -c \(Self.size) /dev/zero | tr '\\0' '\\2') \"$M/\(Self.file)\"")
          return whole?.status == 0
        }
        #expect(opened, "the new version is not read")
        await holder.end()
      }
    }

    @Test("An object deleted under an open handle is ESTALE there")
    func deleted() async throws {
      try await withLargeFile { bench, account in
        let holder = try await FileHolder(bench, "\(bench.mountpoint)/\(Self.file)")
        #expect(await holder.read(4096, at: 0) == "ok 4096")
        account.remove(Self.key)
        #expect(await holder.read(4096, at: Self.size - 4096) == "ESTALE")
        let isAbsent = await eventually { (try? await bench.shell("cat \"$M/\(Self.file)\""))?.errorText.contains("No such file") == true }
        #expect(isAbsent, "the name stays")
        await holder.end()
      }
    }

    @Test("A reader that waits for a silent server goes away at once with kill -9; the mount serves others and can be taken away")
    func killedReader() async throws {
      try await withLargeFile(["http-client.apache.socket-timeout-ms": "4000"]) { bench, account in
        account.setFault { $0.operation == "GetObject" && $0.path.hasSuffix("large.bin") ? .bytesThenStall([]) : nil }
        let reader = try bench.start("/bin/cat", ["\(bench.mountpoint)/\(Self.file)"])
        #expect(await eventually { account.calls.contains { $0.operation == "GetObject" && $0.path.hasSuffix("large.bin") } })
        let killed = ContinuousClock.now
        reader.signal(SIGKILL)
        let result = await reader.finished(within: .seconds(30))
        #expect(result.status == 128 + SIGKILL && ContinuousClock.now - killed < .seconds(2), "\(result)")
        account.setFault(nil)
        // Other bytes at once; the same ones when the kernel's own read of them, which nothing interrupts, has had its answer.
        try await bench.shell("cat \"$M/sales/orders/data/part-0.parquet\"", within: .seconds(2)).succeeded()
        let next = try await bench.shell("head -c 10 \"$M/\(Self.file)\" | wc -c", within: .seconds(20))
        #expect(next.trimmed == "10", "\(next)")
        let umount = try await bench.bergfs(["umount", bench.mountpoint], within: .seconds(10))
        #expect(umount.status == 0, "\(umount)")
      }
    }

    @Test("A daemon that waits for a silent server ends when its mount is taken away by force")
    func forcedAway() async throws {
      try await withLargeFile(["http-client.apache.socket-timeout-ms": "300000"]) { bench, account in
        account.setFault { $0.operation == "GetObject" && $0.path.hasSuffix("large.bin") ? .bytesThenStall([]) : nil }
        let reader = try bench.start("/bin/cat", ["\(bench.mountpoint)/\(Self.file)"])
        #expect(await eventually { account.calls.contains { $0.operation == "GetObject" && $0.path.hasSuffix("large.bin") } })
        let daemon = try #require(bench.daemons.first)
        kill(daemon, SIGTERM)
        #expect(await eventually { bench.daemons.isEmpty }, "\(bench.logText)")
        #expect(bench.mountCount(bench.mountpoint) == 0)
        let result = await reader.finished(within: .seconds(10))
        #expect(result.status == 1 && !result.isTimedOut, "\(result)")
      }
    }

    @Test("A silent server gives a reader ETIMEDOUT in bounded time")
    func silent() async throws {
      try await withLargeFile { bench, account in
        account.setFault { $0.operation == "GetObject" && $0.path.hasSuffix("large.bin") ? .bytesThenStall([]) : nil }
        let read = try await bench.shell("cat \"$M/\(Self.file)\"", within: .seconds(30))
        #expect(read.status == 1 && read.errorText.contains("Connection timed out"), "\(read)")
      }
    }

    @Test("A catalog that fails for a while: errno now, names again after, and open files untouched")
    func catalogFails() async throws {
      try await withLargeFile { bench, account in
        let holder = try await FileHolder(bench, "\(bench.mountpoint)/\(Self.file)")
        account.setFault {
          $0.operation.hasPrefix("Get") && $0.path.isEmpty ? StandInAccount.jsonError(500, "InternalServiceException") : nil
        }
        let failed = await eventually { (try? await bench.shell("ls \"$M/sales\""))?.errorText.contains("Input/output error") == true }
        #expect(failed)
        #expect(await holder.read(4096, at: Self.size / 2) == "ok 4096")
        account.setFault(nil)
        #expect(await eventually { (try? await bench.shell("ls \"$M/sales\""))?.text == "orders\n" })
        await holder.end()
      }
    }
  }
}

/// Says yes a number of times, from any thread.
final class Countdown: Sendable {
  private let left: Mutex<Int>

  init(_ count: Int) {
    left = Mutex(count)
  }

  func take() -> Bool {
    left.withLock { left in
      guard left > 0 else { return false }
      left -= 1
      return true
    }
  }
}
