// SPDX-License-Identifier: Apache-2.0

import Glibc
import ObjectServer

let help = """
  read-server: a fast S3 endpoint for benchmarks, with recorded Glue and DynamoDB answers.

    --root DIR                   serve DIR's folders as buckets
    --port N                     listen on 127.0.0.1:N (0, the default: a free port); prints `listening 127.0.0.1:PORT`
    --synthetic B/KEY=SIZE       an object of generated content, held in memory (repeatable; K, M, G are powers of 1024)
    --synthetic-many B/PREFIX=N[/D]  N small objects in D directories (10) under PREFIX, each holding its key and a newline
    --print-content SIZE[@OFF]   write that much of the generated content to standard output and exit
    --writable BUCKET            take PUT, multipart uploads and DELETE there, and keep what is written in memory
    --table NS.T=s3://B/LOC      an Iceberg table that Glue and DynamoDB know; its metadata file is generated
    --glue-tables N              N such tables, many.t000000 and on, at s3://bench/many/…
    --dynamodb-table NAME        the catalog table of the DynamoDB answers (default iceberg)
    --answers DIR                recorded answers by X-Amz-Target: TARGET.1.json, TARGET.2.json, …, then TARGET.json
    --latency-ms N               wait before the first byte of each answer
    --bandwidth-mbps N           at most N megabytes (10^6 bytes) a second on each connection
    --log FILE                   a line a request: method target range status bytes x-amz-target microseconds
    --exit-with-stdin            exit when standard input ends

  GET /__stats tells requests by kind and bytes sent as JSON; POST /__reset zeroes them.
  """

/// Prints one line to standard error and ends the process.
func fail(_ reason: String, status: Int32) -> Never {
  let line = Array("read-server: \(reason)\n".utf8)
  _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  exit(status)
}

/// Ends the process when standard input does.
func watchStandardInput() {
  let failure = Listener.startThread {
    var byte: UInt8 = 0
    while true {
      let count = read(STDIN_FILENO, &byte, 1)
      if count == 0 || (count < 0 && errno != EINTR) { exit(0) }
    }
  }
  if let failure { fail("\(failure)", status: 1) }
}

/// Raises the limit of open files to what is allowed: each connection and each object being sent holds one.
func raiseFileLimit() {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

do {
  let options = try ServerOptions(Array(CommandLine.arguments.dropFirst()))
  if options.showsHelp {
    print(help)
    exit(0)
  }
  if let content = options.printContent {
    try SyntheticContent.write(size: content.size, to: STDOUT_FILENO, from: content.offset)
    exit(0)
  }
  signal(SIGPIPE, SIG_IGN)
  signal(SIGTERM) { _ in _exit(0) }
  raiseFileLimit()
  let server = try ObjectServer(options)
  let listener = try Listener(port: options.port)
  print("listening 127.0.0.1:\(listener.port)")
  fflush(nil)
  if options.exitsWithStandardInput { watchStandardInput() }
  fail("\(server.run(on: listener))", status: 1)
} catch let error as UsageError {
  fail("\(error); see --help", status: 2)
} catch {
  fail("\(error)", status: 1)
}
