// SPDX-License-Identifier: Apache-2.0

import Configuration
import Fuse
import Glibc
import Logging

/// The log of one mount: its place, its level, and its loggers.
///
/// A log file if one is given; else the journal for whatever systemd started; else standard error in the foreground; else nothing, and
/// `.bergfs/errors.jsonl` still tells what failed.
final class DaemonLog: Sendable {
  /// For everything that this mount logs.
  let logger: Logger
  private let sink: LogSink?
  private let threshold: LogThreshold

  /// - Parameters:
  ///   - isDaemon: whether standard error is somebody's who waits for the mount only.
  ///   - journalStream: the value of `JOURNAL_STREAM`.
  init(
    _ options: MountOptions, isDaemon: Bool, journalStream: String? = getenv("JOURNAL_STREAM").map { String(cString: $0) }
  ) throws(LifecycleError) {
    let format: DaemonLogHandler.Format = options.logFormat == .json ? .json : .text
    let sink: LogSink?
    if let path = options.logFile {
      sink = try LogSink(path: path)
    } else if JournalSocket.isMeant(stream: journalStream, descriptor: isDaemon ? nil : STDERR_FILENO), isDaemon || format == .text,
      let journal = JournalSocket()
    {
      sink = LogSink(journal: journal)
    } else {
      sink = isDaemon ? nil : LogSink()
    }
    self.sink = sink
    threshold = LogThreshold(Logger.Level(rawValue: options.logLevel.rawValue) ?? .info)
    guard let sink else {
      logger = Logger(label: "bergfs") { _ in SwiftLogNoOpLogHandler() }
      return
    }
    let (limiter, threshold) = (LogLimiter(), threshold)
    logger = Logger(label: "bergfs") { _ in DaemonLogHandler(sink: sink, format: format, threshold: threshold, limiter: limiter) }
  }

  /// The descriptor of the log file, if there is one; stays the log's.
  var file: Int32? { sink?.file }

  /// Opens the log file anew, and logs from another level on.
  ///
  /// - Parameter level: nil for the one that was.
  func reload(level: MountOptions.LogLevel?) {
    if let level = level.flatMap({ Logger.Level(rawValue: $0.rawValue) }) { threshold.level = level }
    do throws(LifecycleError) {
      try sink?.reopen()
    } catch {
      logger.error("the log file cannot be opened anew", metadata: ["reason": "\(error.message)"])
    }
    logger.notice("credentials, log level and log file are read anew", metadata: ["level": "\(threshold.level)"])
  }
}
