// SPDX-License-Identifier: Apache-2.0

import Testing

/// One tool's way to do something, with the exit status and the words that a person sees.
struct ToolRun: Sendable {
  let name: String
  /// In bash, as ``WritableTable/shell(_:_:within:)`` runs it.
  let script: String
  let status: Int32
  /// In what it writes to standard error, which is empty if it succeeds.
  let says: String?

  init(_ name: String, _ script: String, fails status: Int32 = 0, saying says: String? = nil) {
    self.name = name
    self.script = script
    self.status = status
    self.says = says
  }

  /// Runs it and checks status and words.
  @discardableResult
  func run(
    on table: WritableTable, _ variables: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> ProcessResult {
    let result = try await table.shell(script, variables.merging(["NAME": name]) { $1 })
    #expect(result.status == status && !result.isTimedOut, "\(name): \(result)", sourceLocation: sourceLocation)
    if let says {
      #expect(result.errorText.contains(says), "\(name): \(result)", sourceLocation: sourceLocation)
    } else {
      #expect(result.errorText == "", "\(name): \(result)", sourceLocation: sourceLocation)
    }
    return result
  }
}

/// Python programs that hold files as no command does. The path is `sys.argv[1]`, and what to write comes from standard input.
enum WriterPrograms {
  static let closes = #"import sys; file = open(sys.argv[1], "wb"); file.write(sys.stdin.buffer.read()); file.close()"#
  /// Says whether the file has been published when fsync returned, and what a later write gives.
  static let syncs = """
    import os, sys
    file = open(sys.argv[1], "wb", 0)
    file.write(sys.stdin.buffer.read())
    os.fsync(file.fileno())
    print(oct(os.stat(sys.argv[1]).st_mode & 0o777))
    try:
        file.write(b"more")
    except OSError as error:
        print(error.strerror)
    """
  /// Ends by the signal `sys.argv[2]` with the file open.
  static let dies = """
    import os, signal, sys
    file = open(sys.argv[1], "wb", 0)
    file.write(sys.stdin.buffer.read())
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), int(sys.argv[2]))
    """
  /// Forks, closes, and lets the child write afterwards.
  static let forks = """
    import os, sys
    descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(descriptor, sys.stdin.buffer.read())
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(reading, 1)
        try:
            os.write(descriptor, b"late")
        except OSError as error:
            print(error.strerror, flush=True)
        os.close(descriptor)
        os._exit(0)
    os.close(descriptor)
    print(oct(os.stat(sys.argv[1]).st_mode & 0o777), flush=True)
    os.write(writing, b"x")
    os.waitpid(child, 0)
    """
}
