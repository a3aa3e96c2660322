// SPDX-License-Identifier: Apache-2.0

import AWSCore
import AWSServices
import Configuration
import Fuse
import Iceberg
import IcebergAWS
import Logging
import Telemetry

/// `bergfs check`: a finding for each thing a mount needs, with what was found or what to do.
///
/// Every question is asked of the services themselves, so that a refusal tells its kind; nothing is asked that only fails for what failed before.
struct CatalogCheck: Sendable {
  /// Services accept five minutes.
  private static let tolerableSkew = 240.0

  private let assembly: CatalogAssembly
  private let probe: CatalogProbe

  init(_ assembly: CatalogAssembly) {
    self.assembly = assembly
    probe = CatalogProbe(assembly: assembly)
  }

  /// Asks everything, also after a failure: what is independent is still worth knowing.
  ///
  /// - Parameter writes: tries what new files and commits need, too, if all else is well.
  func findings(writes: Bool = false) async -> [CheckFinding] {
    var findings: [CheckFinding] = []
    for service in assembly.services { findings.append(region(of: service)) }
    let hasRegions = findings.allSatisfy(\.isGood)
    var hasKeys: [String: Bool] = [:]
    for service in assembly.services {
      let finding = await credentials(of: service)
      hasKeys[service.name] = finding.isGood
      findings.append(finding)
    }
    guard hasRegions else { return findings }
    findings.append(await clock())
    if hasKeys.values.contains(true) { findings += await identities(hasKeys) }
    var namespaces: [NamespaceEntry] = []
    var hasLockTable = false
    if hasKeys[assembly.metastore.name] == true {
      let metastore = await MetastoreCheck(assembly: assembly, probe: probe).findings()
      findings += metastore.findings
      namespaces = metastore.namespaces
      let lockTable = await LockTableCheck(assembly: assembly).finding()
      hasLockTable = lockTable.verdict == .good
      findings.append(lockTable)
    }
    if hasKeys[AWSService.s3.name] == true { findings.append(await warehouse()) }
    if findings.allSatisfy(\.isGood) {
      let objects = await probe.conditionalWrites(asksAWS: writes)
      // Where writing is tried, what is not known is a fault of it.
      if case .unknown? = objects, writes {} else { findings.append(Self.conditions(objects)) }
      if writes {
        findings += await WriteCheck(assembly: assembly, namespaces: namespaces).findings(objects: objects, hasLockTable: hasLockTable)
      }
    }
    findings.append(Self.processes(areVisible: CallerProcess.isProcVisible))
    return findings
  }

  /// A kill looks like a close; only /proc tells them apart. Source: filesystem contract §4.1.
  static func processes(areVisible: Bool) -> CheckFinding {
    guard !areVisible else { return .good("processes", "/proc shows who writes") }
    return .warning(
      "processes",
      "/proc hides other users' processes (hidepid): what they write through a mount is published by fsync, by a rename, or by the close "
        + "of a process that is known to live, not by every close; mount /proc without hidepid, or run bergfs with CAP_SYS_PTRACE")
  }

  static let noConditions =
    "this S3 server keeps no conditions: two writers of one file name are not kept apart in S3; commits still are"

  /// - Parameter found: nil where nobody asked.
  static func conditions(_ found: ConditionalWrites?) -> CheckFinding {
    let subject = "conditions"
    return switch found {
    case nil: .good(subject, "S3 keeps two writers of one file name apart")
    case .kept: .good(subject, "this S3 server keeps two writers of one file name apart")
    case .ignored, .refused: .warning(subject, noConditions)
    case .unknown(let error): .warning(subject, "whether this S3 server keeps conditions is not known: \(error.message)")
    }
  }

  static func clock(difference: Double?) -> CheckFinding {
    guard let difference else { return .warning("clock", "the metastore told no time to compare this machine's with") }
    let seconds = Int(difference.rounded())
    guard abs(difference) >= tolerableSkew else { return .good("clock", "differs from the service's by \(abs(seconds)) s") }
    return .warning(
      "clock",
      "this machine's clock is \(abs(seconds)) s \(seconds > 0 ? "behind" : "ahead of") the service's: requests are signed with the service's "
        + "time, but keys will seem to end at the wrong time; set the clock (timedatectl set-ntp true)")
  }

  // MARK: questions

  private func credentials(of service: AWSService) async -> CheckFinding {
    let provider: any AWSCredentialsProvider
    do throws(IcebergAWS.PropertyError) {
      provider = try assembly.factory.credentials(for: service)
    } catch {
      return .bad("credentials", .configuration, "\(service.name): \(error.message)")
    }
    let links = await provider.links()
    let details = links.count > 1 ? links.map(Self.line) : []
    guard let last = links.last(where: { if case .notTried = $0.outcome { false } else { true } }) else {
      return .bad("credentials", .credentials, "\(service.name): nothing gives keys")
    }
    switch last.outcome {
    case .used(let keys):
      let expiry = keys.expiration.map { ", until \(Timestamp.text(seconds: $0))" } ?? ""
      let key = keys.isAnonymous ? "" : " (\(CatalogProbe.abbreviated(keys.accessKeyID))\(expiry))"
      return .good("credentials", "\(service.name): \(keys.source)\(key)", details: details)
    case .failed(let error):
      return .bad(
        "credentials", error.kind == .accessDenied ? .permission : CheckFinding.Fault(error), "\(service.name): \(error.message)",
        details: details)
    case .absent, .notTried:
      return .bad(
        "credentials", .credentials,
        "\(service.name): nothing gives keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or client.access-key-id and "
          + "client.secret-access-key", details: details)
    }
  }

  private static func line(_ link: CredentialsLink) -> String {
    switch link.outcome {
    case .used(let keys): "\(link.name): \(CatalogProbe.abbreviated(keys.accessKeyID))"
    case .absent(let reason): "\(link.name): none, \(reason)"
    case .failed(let error): "\(link.name): FAILED, \(error.message)"
    case .notTried: "\(link.name): not asked"
    }
  }

  private func region(of service: AWSService) -> CheckFinding {
    do throws(IcebergAWS.PropertyError) {
      let found = try assembly.factory.foundRegion(of: service)
      let endpoint = assembly.factory.customEndpoint(of: service).map { "; endpoint \($0.url) from \($0.source)" } ?? ""
      return .good("region", "\(service.name): \(found.name) from \(found.source)\(endpoint)")
    } catch {
      return .bad("region", .configuration, "\(service.name): \(error.message)")
    }
  }

  private func clock() async -> CheckFinding {
    let service = await assembly.factory.time(of: assembly.metastore)
    return Self.clock(difference: service.map { $0 - Double(Timestamp.now) / 1e9 })
  }

  /// Whose the keys are, once for services that share them.
  private func identities(_ hasKeys: [String: Bool]) async -> [CheckFinding] {
    // A server that is not AWS has no identities that AWS knows.
    let isElsewhere = assembly.services.contains { assembly.factory.customEndpoint(of: $0) != nil }
    if isElsewhere, assembly.factory.customEndpoint(of: .sts) == nil {
      return [.good("identity", "not asked: the services have endpoints of their own, and STS has none (AWS_ENDPOINT_URL_STS)")]
    }
    var findings: [CheckFinding] = []
    var seen: Set<String> = []
    for service in assembly.services where hasKeys[service.name] == true {
      guard let provider = try? assembly.factory.credentials(for: service), let keys = try? await provider.credentials(), !keys.isAnonymous,
        seen.insert(keys.accessKeyID).inserted
      else { continue }
      findings.append(await identity(of: service))
    }
    return findings
  }

  private func identity(of service: AWSService) async -> CheckFinding {
    do {
      let found = try await assembly.factory.sts(for: service).getCallerIdentity()
      return .good("identity", "\(service.name): \(found.arn) in account \(found.account)")
    } catch let error as AWSError {
      // Whoever has no way to STS may have one to the metastore.
      if error.kind == .network || error.kind == .timedOut {
        return .warning("identity", "\(service.name): STS cannot be asked: \(error.message)")
      }
      return .bad("identity", CheckFinding.Fault(error), "\(service.name): \(error.message)")
    } catch {
      return .bad("identity", .configuration, "\(service.name): \(error)")
    }
  }

  private func warehouse() async -> CheckFinding {
    guard let text = assembly.configuration.properties.nonEmptyString("warehouse") else {
      return .good("warehouse", "not set; tables are found by their own locations")
    }
    let bucket: String
    let key: String
    do throws(FileIOError) {
      let location = try assembly.catalog.fileIO(for: CatalogProbe.anyTable).location(text)
      (bucket, key) = (location.bucket, location.key)
    } catch {
      return .bad("warehouse", .configuration, error.message)
    }
    do {
      let properties = try S3FileIOProperties(assembly.configuration.properties.values)
      let prefix = key.isEmpty || key.hasSuffix("/") ? key : key + "/"
      _ = try await assembly.factory.s3().listObjectsV2(
        bucket: properties.accessPoints[bucket] ?? bucket, prefix: prefix, delimiter: "/", from: .start)
      return .good("warehouse", "\(text): can be listed")
    } catch let error as AWSError {
      let sentence = error.code == "NoSuchBucket" ? "the bucket '\(bucket)' does not exist" : error.message
      return .bad("warehouse", CheckFinding.Fault(error), "\(text): \(sentence)")
    } catch {
      return .bad("warehouse", .configuration, "\(text): \(error)")
    }
  }
}
