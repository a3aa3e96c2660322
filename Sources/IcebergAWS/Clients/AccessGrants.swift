// SPDX-License-Identifier: Apache-2.0

package import AWSCore
package import AWSServices
package import Logging
import Synchronization

/// Keys of S3 Access Grants: each request is signed with what the grant of its prefix and permission gives. Source: spec/s3fileio.md §14.
///
/// A client has one principal, so grants are kept by permission and matched prefix. Operations that grants do not speak of, directory buckets
/// and ARNs are the business of the client's own keys.
package final class AccessGrants: RequestCredentials {
  private struct Grant {
    let permission: DataAccessPermission
    /// What a target must begin with; the whole target for a single object.
    let prefix: String
    let isObject: Bool
    let provider: RefreshingCredentialsProvider

    func covers(_ target: String, _ asked: DataAccessPermission) -> Bool {
      guard permission == asked || permission == .readWrite else { return false }
      return isObject ? target.utf8.elementsEqual(prefix.utf8) : target.utf8.starts(with: prefix.utf8)
    }
  }

  private struct Question: Hashable {
    let target: String
    let permission: DataAccessPermission
  }

  /// One bucket and permission are asked about by one request at a time: what it finds most often answers the others.
  private struct Line: Hashable {
    let bucket: String
    let permission: DataAccessPermission
  }

  private struct State {
    var callerAccount: String?
    /// By bucket.
    var accounts: [String: String] = [:]
    var grants: [Grant] = []
    /// What was denied, and until when that is believed.
    var denials: [Question: Duration] = [:]
    var running: [Line: Asking] = [:]
  }

  private typealias Asking = Task<Result<any AWSCredentialsProvider, AWSError>, Never>

  private enum Step {
    case use(any AWSCredentialsProvider)
    case denied
    /// Another request's question may be answered by what this one finds.
    case wait(Asking)
    case ask(Asking)
  }

  /// A listing looks at many objects: they do not each ask anew.
  private static let denialLife = Duration.seconds(60)
  private static let limit = 1_000

  private let control: S3ControlClient
  private let identity: @Sendable () async throws(AWSError) -> String
  private let fallsBack: Bool
  private let clock: any AWSClock
  private let logger: Logger
  private let state = Mutex(State())

  /// - Parameters:
  ///   - identity: the account of the client's own keys.
  ///   - fallsBack: whether the client's own keys are used where no grant is: `s3.access-grants.fallback-to-iam`.
  package init(
    control: S3ControlClient, fallsBack: Bool, clock: any AWSClock, logger: Logger,
    identity: @escaping @Sendable () async throws(AWSError) -> String
  ) {
    self.control = control
    self.fallsBack = fallsBack
    self.clock = clock
    self.logger = logger
    self.identity = identity
  }

  package func provider(for request: AWSRequest, at resolved: ResolvedEndpoint) async throws(AWSError) -> (any AWSCredentialsProvider)? {
    guard resolved.signingName == "s3", resolved.signingAlgorithm == .sigV4, let bucket = request.bucket, !bucket.hasPrefix("arn:"),
      let permission = Self.permission(request.operation)
    else { return nil }
    let question = Question(target: "s3://\(bucket)/\(Self.key(of: request))", permission: permission)
    let line = Line(bucket: bucket, permission: permission)
    while true {
      switch step(question, line) {
      case .use(let provider): return provider
      case .denied:
        if fallsBack { return nil }
        throw Self.denial(question, nil)
      case .wait(let asking): _ = await asking.value
      case .ask(let asking):
        do {
          return try await asking.value.get()
        } catch {
          guard error.kind == .accessDenied else { throw error }
          if fallsBack { return nil }
          throw Self.denial(question, error)
        }
      }
    }
  }

  // MARK: questions

  private func step(_ question: Question, _ line: Line) -> Step {
    let now = clock.elapsed()
    return state.withLock { state in
      let fitting = state.grants.filter { $0.covers(question.target, question.permission) }
      if let best = fitting.max(by: { $0.prefix.utf8.count < $1.prefix.utf8.count }) { return .use(best.provider) }
      if let end = state.denials[question], now < end { return .denied }
      if let running = state.running[line] { return .wait(running) }
      let asking = Asking { [self] in await answer(to: question, line) }
      state.running[line] = asking
      return .ask(asking)
    }
  }

  private func answer(to question: Question, _ line: Line) async -> Result<any AWSCredentialsProvider, AWSError> {
    let result: Result<any AWSCredentialsProvider, AWSError>
    do throws(AWSError) {
      result = .success(try await ask(question, line.bucket))
    } catch {
      if error.kind == .accessDenied { deny(question) }
      result = .failure(error)
    }
    state.withLock { $0.running[line] = nil }
    return result
  }

  private func ask(_ question: Question, _ bucket: String) async throws(AWSError) -> any AWSCredentialsProvider {
    let account = try await account(of: bucket)
    let target = question.target + "*"
    let access = try await control.dataAccess(account: account, target: target, permission: question.permission)
    let isObject = !access.matchedTarget.hasSuffix("*")
    let prefix = isObject ? access.matchedTarget : String(access.matchedTarget.dropLast())
    let control = control
    let provider = RefreshingCredentialsProvider(
      name: "S3 Access Grants", window: .standard, initial: access.credentials, clock: clock, logger: logger
    ) { [weak self] () throws(AWSError) in
      do throws(AWSError) {
        return try await control.dataAccess(account: account, target: target, permission: question.permission).credentials
      } catch {
        guard error.kind == .accessDenied else { throw error }
        // The grant was taken back: the next request asks from the beginning.
        self?.forget(prefix, question.permission)
        throw Self.denial(question, error)
      }
    }
    let grant = Grant(permission: question.permission, prefix: prefix, isObject: isObject, provider: provider)
    state.withLock { state in
      if state.grants.count >= Self.limit { state.grants.removeAll() }
      state.grants.append(grant)
    }
    return provider
  }

  private func account(of bucket: String) async throws(AWSError) -> String {
    let (known, caller) = state.withLock { ($0.accounts[bucket], $0.callerAccount) }
    if let known { return known }
    let own: String
    if let caller { own = caller } else { own = try await identity() }
    let account = try await control.accessGrantsAccount(callerAccount: own, prefix: "s3://\(bucket)")
    state.withLock { state in
      state.callerAccount = own
      state.accounts[bucket] = account
    }
    return account
  }

  private func deny(_ question: Question) {
    let end = clock.elapsed() + Self.denialLife
    state.withLock { state in
      if state.denials.count >= Self.limit { state.denials.removeAll() }
      state.denials[question] = end
    }
  }

  private func forget(_ prefix: String, _ permission: DataAccessPermission) {
    state.withLock { $0.grants.removeAll { $0.prefix == prefix && $0.permission == permission } }
  }

  private static func denial(_ question: Question, _ cause: AWSError?) -> AWSError {
    AWSError(
      kind: .accessDenied, code: cause?.code ?? "AccessDenied",
      message:
        "S3 Access Grants gives no \(question.permission.rawValue) access to \(question.target)\(cause.map { ": \($0.message)" } ?? "")"
        + "; s3.access-grants.fallback-to-iam=true would use the plain keys",
      operation: "S3Control.GetDataAccess", status: cause?.status ?? 403, requestID: cause?.requestID)
  }

  // MARK: requests

  /// What a request needs; nil for those that grants do not speak of.
  private static func permission(_ operation: String) -> DataAccessPermission? {
    switch operation {
    case "S3.GetObject", "S3.HeadObject", "S3.ListObjectsV2", "S3.ListMultipartUploads": .read
    case "S3.PutObject", "S3.CreateMultipartUpload", "S3.UploadPart", "S3.CompleteMultipartUpload", "S3.AbortMultipartUpload",
      "S3.DeleteObject", "S3.DeleteObjects":
      .write
    case "S3.UploadPartCopy": .readWrite
    default: nil
    }
  }

  /// The key of a request about one object, else what the keys have in common.
  private static func key(of request: AWSRequest) -> String {
    if let common = request.commonPrefix { return common }
    let key = PercentEncoding.decode(String(request.path.dropFirst()))
    if !key.isEmpty { return key }
    return request.query.first { $0.name == "prefix" }?.value ?? ""
  }
}
