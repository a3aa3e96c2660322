// SPDX-License-Identifier: Apache-2.0

import AWSCore
import Configuration
import Fuse
import Iceberg
import IcebergAWS
import Logging
import Telemetry

/// `bergfs check`: a line for each thing a mount needs, with what was found or what to do.
struct CatalogCheck: Sendable {
  struct Finding: Sendable, Hashable {
    var isGood: Bool
    /// A mount works, but something is to be known.
    var isWarning = false
    var subject: String
    var text: String

    /// `ok    region       Glue eu-central-1`
    var line: String {
      let padding = String(repeating: " ", count: max(1, 13 - subject.count))
      return "\(isGood ? isWarning ? "warn" : "ok  " : "FAIL")  \(subject)\(padding)\(text)"
    }
  }

  private let probe: CatalogProbe

  init(_ assembly: CatalogAssembly) {
    probe = CatalogProbe(assembly: assembly)
  }

  /// Asks everything, also after a failure: what is independent is still worth knowing.
  func findings() async -> [Finding] {
    var findings: [Finding] = []
    for service in probe.assembly.services { findings.append(await credentials(of: service)) }
    for service in probe.assembly.services { findings.append(region(of: service)) }
    findings.append(await catalog())
    findings.append(await warehouse())
    if findings.allSatisfy(\.isGood) { findings.append(Self.conditions(await probe.conditionalWrites())) }
    findings.append(await LockTableCheck(assembly: probe.assembly).finding())
    findings.append(Self.processes(areVisible: CallerProcess.isProcVisible))
    return findings
  }

  /// A kill looks like a close; only /proc tells them apart. Source: filesystem contract §4.1.
  static func processes(areVisible: Bool) -> Finding {
    guard !areVisible else { return Finding(isGood: true, subject: "processes", text: "/proc shows who writes") }
    return Finding(
      isGood: true, isWarning: true, subject: "processes",
      text:
        "/proc hides other users' processes (hidepid): what they write through a mount is published by fsync, by a rename, or by the close "
        + "of a process that is known to live, not by every close; mount /proc without hidepid, or run bergfs with CAP_SYS_PTRACE")
  }

  static let noConditions =
    "this S3 server keeps no conditions: two writers of one file name are not kept apart in S3; commits still are"

  /// - Parameter found: nil where nobody asked.
  static func conditions(_ found: ConditionalWrites?) -> Finding {
    let subject = "conditions"
    return switch found {
    case nil: Finding(isGood: true, subject: subject, text: "S3 keeps two writers of one file name apart")
    case .kept: Finding(isGood: true, subject: subject, text: "this S3 server keeps two writers of one file name apart")
    case .ignored, .refused: Finding(isGood: true, isWarning: true, subject: subject, text: noConditions)
    case .unknown(let reason):
      Finding(isGood: true, isWarning: true, subject: subject, text: "whether this S3 server keeps conditions is not known: \(reason)")
    }
  }

  private func credentials(of service: AWSService) async -> Finding {
    do throws(MountError) {
      let found = try await probe.credentials(of: service)
      let expiry = found.expiration.map { ", until \(Timestamp.text(seconds: $0))" } ?? ""
      let key = found.accessKeyID.isEmpty ? "" : " (\(found.accessKeyID)\(expiry))"
      return Finding(isGood: true, subject: "credentials", text: "\(service.name): \(found.source)\(key)")
    } catch {
      return Finding(isGood: false, subject: "credentials", text: error.message)
    }
  }

  private func region(of service: AWSService) -> Finding {
    do throws(IcebergAWS.PropertyError) {
      return Finding(isGood: true, subject: "region", text: "\(service.name): \(try probe.assembly.factory.region(of: service))")
    } catch {
      return Finding(isGood: false, subject: "region", text: error.message)
    }
  }

  private func catalog() async -> Finding {
    do throws(MountError) {
      let page = try await probe.firstPage()
      return Finding(
        isGood: true, subject: "catalog",
        text: "\(probe.assembly.catalog.kind): \(page.count)\(page.hasMore ? " or more" : "") namespaces can be listed")
    } catch {
      return Finding(isGood: false, subject: "catalog", text: error.message)
    }
  }

  private func warehouse() async -> Finding {
    guard let text = probe.assembly.configuration.properties.nonEmptyString("warehouse") else {
      return Finding(isGood: true, subject: "warehouse", text: "not set; tables are found by their own locations")
    }
    let files = probe.assembly.catalog.fileIO(for: TableIdentifier(namespace: Namespace(["check"]), name: "check"))
    do throws(FileIOError) {
      let location = try files.location(text)
      let prefix = location.key.isEmpty || location.key.hasSuffix("/") ? location.key : location.key + "/"
      _ = try await files.list(bucket: location.bucket, prefix: prefix, isDirectory: true, from: .start)
      return Finding(isGood: true, subject: "warehouse", text: "\(text): can be listed")
    } catch {
      return Finding(isGood: false, subject: "warehouse", text: error.message)
    }
  }
}
