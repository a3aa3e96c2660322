// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import Iceberg

/// The one place where errors of S3 calls become errors of file access. Source: spec/s3fileio.md §12.
extension FileIOError {
  /// For HeadObject and GetObject.
  ///
  /// - Parameter etag: the version that was asked for; an object that is gone then counts as changed.
  package init(_ error: AWSError, reading location: ObjectLocation, etag: String?) {
    let isMissing = error.status == 405 || (error.kind == .notFound && error.code != "NoSuchBucket")
    if isMissing, etag == nil {
      self.init(code: .notFound, message: "Location does not exist: \(location)", requestID: error.requestID)
    } else if isMissing || error.kind == .conditionFailed {
      self.init(changed: location, requestID: error.requestID)
    } else {
      self.init(error, "\(location)", bucket: location.bucket)
    }
  }

  /// For ListObjectsV2 and HeadBucket.
  package init(_ error: AWSError, listing place: String, bucket: String) {
    self.init(error, place, bucket: bucket)
  }

  package init(changed location: ObjectLocation, requestID: String?) {
    self.init(
      code: .changed, message: "\(location) was replaced or deleted after it was listed or opened.", requestID: requestID)
  }

  private init(_ error: AWSError, _ place: String, bucket: String) {
    let code: Code =
      switch error.kind {
      // An archived object is refused with 403 though the keys are in order.
      case .accessDenied where error.code == "InvalidObjectState": .failed
      case .credentials, .accessDenied: .denied
      case .notFound where error.code == LakeFormationCredentialsProvider.tableMissing: .denied
      case .timedOut: .timedOut
      case .network: Self.isUnreachable(error) ? .timedOut : .failed
      case .cancelled: .cancelled
      case .unsupported: .unsupported
      case .notFound, .conditionFailed, .throttled, .server, .badRequest, .malformed, .configuration: .failed
      }
    let message =
      switch error.code {
      case "NoSuchBucket": "\(place): the bucket '\(bucket)' does not exist."
      case "InvalidObjectState": "\(place): the object is archived and must be restored before it can be read."
      default: "\(place): \(error.message) (\(error.operation): \(error.code))"
      }
    self.init(code: code, message: message, requestID: error.requestID)
  }

  /// No server there to be reached, as opposed to one whose answers break: the first is a matter of waiting.
  static func isUnreachable(_ error: AWSError) -> Bool {
    switch error.code {
    case "notResolved", "refused", "reset", "timedOut": true
    default: false
    }
  }
}

/// The same for the calls of both catalogs. What "not found" means is for each call to say before it comes here.
extension CatalogError {
  /// - Parameter place: what was asked for, as the sentence's subject.
  package init(_ error: AWSError, _ place: String) {
    let code: Code =
      switch error.kind {
      case .credentials, .accessDenied: .denied
      case .timedOut: .timedOut
      case .network: FileIOError.isUnreachable(error) ? .timedOut : .failed
      case .cancelled: .cancelled
      case .notFound, .conditionFailed, .throttled, .server, .badRequest, .malformed, .unsupported, .configuration: .failed
      }
    self.init(
      code: code, message: "\(place): \(error.message) (\(error.operation): \(error.code))", requestID: error.requestID, cause: error)
  }
}
