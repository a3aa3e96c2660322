// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The read server: S3 from buckets, Glue and DynamoDB from a fixed catalog, its own counters under `/__stats` and `/__reset`.
package final class ObjectServer: Sendable {
  let shape: Shape
  let log: RequestLog?
  let statistics = RequestStatistics()
  private let s3: S3Service
  private let metastore: MetastoreService

  /// Builds everything the options name; large synthetic objects are generated here, a second or so a GiB.
  package init(_ options: ServerOptions) throws(SystemFailure) {
    let born = time(nil)
    s3 = S3Service(buckets: try Buckets(options, born: born))
    let fixture = CatalogFixture(tables: options.tables, born: born)
    metastore = MetastoreService(fixture: fixture, dynamoDBTable: options.dynamoDBTable, recordings: options.recordings)
    shape = options.shape
    if let path = options.logPath { log = try RequestLog(path: path) } else { log = nil }
  }

  /// Accepts connections for ever, one thread each.
  ///
  /// - Returns: only when accepting fails for good, with the reason.
  package func run(on listener: Listener) -> SystemFailure {
    while true {
      switch listener.accept() {
      case .failure(let failure):
        return failure
      case .success(let socket):
        let started = Listener.startThread {
          var connection = Connection(socket: socket, server: self)
          connection.serve()
        }
        if let failure = started { return failure }
      }
    }
  }

  func answer(_ request: HTTPRequest) -> HTTPResponse {
    let path = String(decoding: request.path, as: UTF8.self)
    if path == "/__stats" { return HTTPResponse(status: 200, kind: "__stats", body: .bytes(statistics.document.serialized)) }
    if path == "/__reset", request.method == "POST" {
      statistics.reset()
      metastore.reset()
      return HTTPResponse(status: 200, kind: "__reset", body: .bytes(Array("{}".utf8)))
    }
    if request.method == "POST", let target = request.amzTarget { return metastore.answer(target, request) }
    return s3.answer(request)
  }
}
