// SPDX-License-Identifier: Apache-2.0

import Testing

/// Another process that holds one file of a mount open and reads from it on demand: a call that hangs does not hang the test.
final class FileHolder {
  let program: RunningProcess
  private var answered = 0

  init(_ bench: FailureBench, _ path: String) async throws {
    program = try bench.start("/usr/bin/python3", ["-u", "-c", Self.script, path])
    let answer = await next()
    try #require(answer == "open", "\(answer)")
  }

  /// Reads: `ok <count>`, or the name of the error number.
  func read(_ count: Int, at offset: Int) async -> String {
    program.write("\(offset) \(count)\n")
    return await next()
  }

  /// Closes the file and ends.
  func end() async {
    program.closeInput()
    _ = await program.finished(within: .seconds(20))
  }

  private func next() async -> String {
    let wanted = answered + 1
    let program = program
    _ = await eventually(within: .seconds(30)) { program.output.count { $0 == UInt8(ascii: "\n") } >= wanted || program.status != nil }
    let lines = String(decoding: program.output, as: UTF8.self).split(separator: "\n")
    guard lines.count >= wanted else { return "no answer; \(String(decoding: program.errors, as: UTF8.self))" }
    answered = wanted
    return String(lines[wanted - 1])
  }

  private static let script = """
    import errno, os, sys
    def attempt(call):
        try:
            return call()
        except OSError as error:
            return errno.errorcode[error.errno]
    descriptor = attempt(lambda: os.open(sys.argv[1], os.O_RDONLY))
    print("open" if isinstance(descriptor, int) else descriptor)
    for line in sys.stdin:
        offset, count = map(int, line.split())
        data = attempt(lambda: os.pread(descriptor, count, offset))
        print(data if isinstance(data, str) else f"ok {len(data)}")
    """
}
