// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Why the emulator or one of its scripts failed.
package struct EmulatorError: Error, Sendable, CustomStringConvertible {
  package var description: String
}

/// Starts processes with an environment of their own and talks to them through pipes. Nothing here is called on the cooperative pool: see
/// ``EmulatorThread``.
enum EmulatorProcess {
  /// Starts a program whose standard input is a new pipe.
  ///
  /// - Parameter output: descriptor that becomes its standard output.
  /// - Returns: its process id, and the end of the pipe to write to; the caller closes it.
  static func spawn(
    _ path: String, _ arguments: [String], environment: [String: String], output: Int32
  ) throws(EmulatorError) -> (pid: pid_t, input: Int32) {
    let (reader, writer) = try pipe()
    defer { close(reader) }
    do throws(EmulatorError) {
      return (try spawn(path, arguments, environment: environment, descriptors: [reader, output, 2]), writer)
    } catch {
      close(writer)
      throw error
    }
  }

  /// Starts a program.
  ///
  /// - Parameter descriptors: become its standard input, output and error.
  static func spawn(
    _ path: String, _ arguments: [String], environment: [String: String], descriptors: [Int32]
  ) throws(EmulatorError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in descriptors.enumerated() { posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number)) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads of the test runner block most signals, and a child inherits that: SIGTERM would never reach it.
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let arguments = ([path] + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let status = posix_spawn(&pid, path, &actions, &attributes, arguments, variables)
    guard status == 0 else {
      throw EmulatorError(description: "\(path) cannot be started: \(String(cString: strerror(status)))")
    }
    return pid
  }

  /// Runs a program to its end with some input. Throws unless it ends with 0.
  ///
  /// - Returns: its standard output. Its standard error is the test's own.
  static func run(
    _ path: String, _ arguments: [String], environment: [String: String], input: [UInt8]
  ) throws(EmulatorError) -> [UInt8] {
    let (reader, writer) = try pipe()
    defer { close(reader) }
    let (pid, stdin) = try spawn(path, arguments, environment: environment, output: writer)
    close(writer)
    // The scripts read all their input before they write.
    write(input, to: stdin)
    close(stdin)
    let output = read(reader)
    let status = wait(pid)
    guard status == 0 else {
      throw EmulatorError(description: "\(path) \(arguments.joined(separator: " ")) ended with status \(status)")
    }
    return output
  }

  /// Waits for a process to end. Returns its exit code, or the negative number of the signal that ended it.
  static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { return -1 }
    }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
  }

  /// A TCP port of the loopback address that nobody listened on a moment ago.
  static func freePort() throws(EmulatorError) -> UInt16 {
    while true {
      let port = try unboundPort()
      if given.withLock({ $0.insert(port).inserted }) { return port }
    }
  }

  /// Ports that servers of this process were told: a second one, started before the first listens, would else get the first one's.
  private static let given = Mutex<Set<UInt16>>([])

  private static func unboundPort() throws(EmulatorError) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
      }
    }
    guard status == 0 else { throw EmulatorError(description: "no free port: \(String(cString: strerror(errno)))") }
    return UInt16(bigEndian: address.sin_port)
  }

  /// Whether an HTTP server on a loopback port answers a GET with 200.
  static func answers(port: UInt16, path: String) -> Bool {
    exchange(port: port, "GET", path, []) != nil
  }

  /// The body of an HTTP server's answer with status 200; nil for any other, or none.
  static func exchange(port: UInt16, _ method: String, _ path: String, _ body: [UInt8]) -> [UInt8]? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var timeout = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var address = loopback(port: port)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
    guard isConnected else { return nil }
    let head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: \(body.count)\r\n\r\n"
    write(Array(head.utf8) + body, to: descriptor)
    let answer = read(descriptor)
    guard String(decoding: answer.prefix(12), as: UTF8.self) == "HTTP/1.1 200",
      let end = answer.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
    else { return nil }
    return Array(answer[end...])
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  /// Two connected ends that no other child inherits: unlike with `pipe`, not even one that is started this moment.
  private static func pipe() throws(EmulatorError) -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw EmulatorError(description: "no pipe: \(String(cString: strerror(errno)))")
    }
    return (ends[0], ends[1])
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(count, 0))
    }
  }

  private static func read(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count > 0 {
        bytes += buffer.prefix(count)
      } else if count == 0 || errno != EINTR {
        return bytes
      }
    }
  }
}

/// Runs blocking work on a thread made for it, so that waiting for a process never holds one of the cooperative pool.
enum EmulatorThread {
  private final class Work: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
      self.run = run
    }
  }

  static func run<Value: Sendable>(_ body: @escaping @Sendable () throws(EmulatorError) -> Value) async throws(EmulatorError) -> Value {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, EmulatorError>, Never>) in
      let work = Work {
        do throws(EmulatorError) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
          return nil
        }, Unmanaged.passRetained(work).toOpaque())
      if status == 0 {
        pthread_detach(thread)
      } else {
        continuation.resume(returning: .failure(EmulatorError(description: "no thread: \(String(cString: strerror(status)))")))
      }
    }
    return try result.get()
  }
}
