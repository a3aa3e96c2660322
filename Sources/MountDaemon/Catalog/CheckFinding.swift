// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Iceberg
import WireFormats

/// What `bergfs check` found about one thing that a mount needs.
struct CheckFinding: Sendable, Hashable {
  /// Kinds of faults, each with an exit status of its own.
  enum Fault: String, Sendable, Hashable, CaseIterable {
    /// What is configured cannot be used.
    case configuration
    /// No keys, or keys that are not taken.
    case credentials
    /// No connection: name, port, TLS, time.
    case network
    /// The keys are good and may not do what is needed.
    case permission
    /// Something is not there: the catalog's table, the bucket.
    case missing
    /// The service fails, or what answers is none.
    case service

    var exitStatus: Int32 {
      switch self {
      case .configuration: 1
      case .credentials: 2
      case .network: 3
      case .permission: 4
      case .missing: 5
      case .service: 6
      }
    }

    init(_ error: AWSError) {
      self =
        switch error.kind {
        case .credentials: .credentials
        case .accessDenied: .permission
        case .network, .timedOut, .cancelled: .network
        case .configuration: .configuration
        case .notFound: .missing
        case .conditionFailed, .throttled, .server, .badRequest, .malformed, .unsupported: .service
        }
    }

    /// The service's own answer tells the kind best.
    init(_ error: CatalogError) {
      if let answer = error.cause as? AWSError {
        self.init(answer)
        return
      }
      self =
        switch error.code {
        case .denied: .permission
        case .timedOut, .cancelled: .network
        case .namespaceNotFound, .tableNotFound, .catalogNotFound: .missing
        case .alreadyExists, .notEmpty, .conflict, .invalid, .unknown, .failed: .service
        }
    }

    init(_ error: FileIOError) {
      self =
        switch error.code {
        case .denied: .permission
        case .timedOut, .cancelled: .network
        case .notFound, .changed: .missing
        case .unsupported: .configuration
        default: .service
        }
    }
  }

  enum Verdict: Sendable, Hashable {
    case good
    /// A mount works, but something is to be known.
    case warning
    case fault(Fault)
  }

  var verdict: Verdict
  var subject: String
  var text: String
  /// Lines below it.
  var details: [String] = []

  static func good(_ subject: String, _ text: String, details: [String] = []) -> CheckFinding {
    CheckFinding(verdict: .good, subject: subject, text: text, details: details)
  }

  static func warning(_ subject: String, _ text: String) -> CheckFinding {
    CheckFinding(verdict: .warning, subject: subject, text: text)
  }

  static func bad(_ subject: String, _ fault: Fault, _ text: String, details: [String] = []) -> CheckFinding {
    CheckFinding(verdict: .fault(fault), subject: subject, text: text, details: details)
  }

  var isGood: Bool { if case .fault = verdict { false } else { true } }

  /// `ok    region       Glue eu-central-1`, and the details below it.
  var lines: [String] {
    let mark =
      switch verdict {
      case .good: "ok  "
      case .warning: "warn"
      case .fault: "FAIL"
      }
    let padding = String(repeating: " ", count: max(1, 13 - subject.count))
    return ["\(mark)  \(subject)\(padding)\(text)"] + details.map { String(repeating: " ", count: 21) + $0 }
  }

  var line: String { lines[0] }

  var document: JSONValue {
    let (status, fault): (String, JSONValue) =
      switch verdict {
      case .good: ("ok", .null)
      case .warning: ("warning", .null)
      case .fault(let fault): ("fault", .string(fault.rawValue))
      }
    return [
      "subject": .string(subject), "status": .string(status), "fault": fault, "text": .string(text),
      "details": .array(details.map { .string($0) }),
    ]
  }

  /// That of the first fault, as later ones mostly follow from it; 0 if there is none.
  static func exitStatus(of findings: [CheckFinding]) -> Int32 {
    for finding in findings {
      if case .fault(let fault) = finding.verdict { return fault.exitStatus }
    }
    return 0
  }
}
