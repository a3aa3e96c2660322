// SPDX-License-Identifier: Apache-2.0

import CFuse
import Glibc
import Logging
import Processes
import Synchronization
import Telemetry

/// One libfuse session and what its callbacks need. Owns the C session: requests hold the bridge, so the session is destroyed when the last
/// of them is answered, however late that is.
final class FuseBridge: Sendable {
  /// libfuse's session. Its functions that are called from here are thread-safe.
  struct Session: @unchecked Sendable {
    // SAFETY: libfuse locks the session itself; `FuseBridge.deinit` is the only place that destroys it.
    let pointer: OpaquePointer
  }

  let fileSystem: any FuseFileSystem
  let options: FuseMountOptions
  let metrics: Metrics
  let logger: Logger
  let interrupts = InterruptTable()
  private let session = Mutex<Session?>(nil)

  init(fileSystem: any FuseFileSystem, options: FuseMountOptions, metrics: Metrics, logger: Logger) {
    self.fileSystem = fileSystem
    self.options = options
    self.metrics = metrics
    self.logger = logger
  }

  deinit {
    if let session = session.withLock({ $0 }) {
      fuse_session_destroy(session.pointer)
    }
  }

  /// The session after ``open()``.
  var current: Session? { session.withLock { $0 } }

  /// Makes the session; false if libfuse refuses (its reason is in ``FuseLog``).
  func open() -> Bool {
    var operations = Self.makeOperations()
    return CStringArray.withPointers(["bergfs", "-o", options.mountOptionText]) { arguments in
      var list = fuse_args(argc: 3, argv: UnsafeMutablePointer(mutating: arguments), allocated: 0)
      defer { fuse_opt_free_args(&list) }
      // SAFETY: unretained, because the session's life is inside the bridge's: `deinit` destroys it.
      let context = Unmanaged.passUnretained(self).toOpaque()
      guard let pointer = fuse_session_new(&list, &operations, MemoryLayout<fuse_lowlevel_ops>.size, context) else { return false }
      session.withLock { $0 = Session(pointer: pointer) }
      return true
    }
  }

  /// The bridge to which a request belongs.
  static func of(_ request: fuse_req_t) -> FuseBridge? {
    guard let context = fuse_req_userdata(request) else { return nil }
    // SAFETY: the context is the bridge given in `open()`, which outlives the session and so each of its requests.
    return Unmanaged<FuseBridge>.fromOpaque(context).takeUnretainedValue()
  }

  /// Answers a request by an operation of the filesystem that may wait.
  ///
  /// The operation starts at once on the libfuse thread that calls; if it never waits, its reply has gone out when this returns. Once it
  /// waits, the libfuse thread goes back to the kernel and the reply comes from the cooperative pool.
  static func serve(
    _ raw: fuse_req_t?, _ operation: FuseOperation,
    _ body: @escaping @Sendable (any FuseFileSystem, FuseRequest) async throws(Errno) -> Void
  ) {
    guard let raw, let bridge = of(raw) else { return }
    let request = FuseRequest(raw, bridge: bridge, operation: operation)
    let task = Task.immediate {
      do throws(Errno) {
        try await body(bridge.fileSystem, request)
      } catch {
        request.reply(error: Task.isCancelled && operation.isUndoneByCancellation ? Errno(rawValue: EINTR) : error)
      }
    }
    request.becomesInterruptible(task)
  }

  /// Answers a request by work that never waits.
  static func serveNow(_ raw: fuse_req_t?, _ operation: FuseOperation, _ body: (any FuseFileSystem, FuseRequest) -> Void) {
    guard let raw, let bridge = of(raw) else { return }
    body(bridge.fileSystem, FuseRequest(raw, bridge: bridge, operation: operation))
  }
}
