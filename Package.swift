// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Warnings are errors where the scripts ask for it (`mount-scripts/test`, CI); a plain `swift build` only shows them.
let warningsAreErrors = Context.environment["BERGFS_WARNINGS_AS_ERRORS"] == "1"

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
  name: "bergfs",
  products: [.executable(name: "bergfs", targets: ["bergfs"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CFuse", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

    module("Telemetry", [logging]),
    module("Processes", ["CLinux"]),
    module("WireFormats", ["CExpat", "CZlib", "CSnappy", "CZstd"]),
    module("HTTP", ["CCurl", "Telemetry", logging]),
    module("AWSCore", ["HTTP", "WireFormats", "Processes", "Telemetry", "COpenSSL", logging]),
    module("AWSServices", ["AWSCore", "HTTP", "WireFormats", "Telemetry"]),
    module("Iceberg", ["WireFormats", "Processes", "Telemetry", logging]),
    module("IcebergAWS", ["AWSServices", "AWSCore", "HTTP", "Iceberg", "WireFormats", "Telemetry", logging]),
    module("ObjectCache", ["CZlib", "Iceberg", "Telemetry", logging]),
    module("CatalogFS", ["CLinux", "ObjectCache", "Iceberg", "WireFormats", "Telemetry", logging]),
    module("Fuse", ["CFuse", "CLinux", "Processes", "Telemetry", logging]),
    module("Configuration", ["Iceberg", "Telemetry", .product(name: "Yams", package: "Yams")]),
    module(
      "MountDaemon",
      [
        "Fuse", "CLinux", "CatalogFS", "ObjectCache", "IcebergAWS", "Iceberg", "AWSServices", "AWSCore", "HTTP", "Configuration",
        "WireFormats", "Processes", "Telemetry", logging,
      ]),
    .executableTarget(
      name: "bergfs",
      dependencies: [
        "MountDaemon", "Configuration", "Iceberg", "Telemetry", logging,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    .executableTarget(
      name: "microbench", dependencies: ["Iceberg", "WireFormats"], path: "Tests/Microbench", swiftSettings: settings),
    .executableTarget(name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz", swiftSettings: settings),
    .target(
      name: "Fuzzing", dependencies: ["Iceberg", "TestSupport", "WireFormats"], path: "Tests/Fuzzing", exclude: ["Corpus"],
      swiftSettings: settings),
    .target(
      name: "TestSupport", dependencies: ["Iceberg", "Telemetry", "WireFormats", logging], path: "Tests/TestSupport",
      swiftSettings: settings),
    .target(
      name: "AWSTestSupport", dependencies: ["AWSCore", "HTTP", "WireFormats"], path: "Tests/AWSTestSupport", swiftSettings: settings),
    tests("TelemetryTests", ["Telemetry"]),
    tests("WireFormatsTests", ["WireFormats", "TestSupport"]),
    tests("HTTPTests", ["HTTP", "TestSupport"]),
    tests(
      "AWSCoreTests", ["AWSCore", "HTTP", "WireFormats", "Telemetry", "TestSupport", logging],
      exclude: ["Support/resolve_with_botocore.py", "Support/sign_with_botocore.py", "Support/verify_with_awscrt.py"]),
    tests("AWSServicesTests", ["AWSServices", "AWSCore", "HTTP", "WireFormats", "AWSTestSupport", "TestSupport"]),
    tests("IcebergTests", ["Iceberg", "WireFormats", "Telemetry", "TestSupport", "Fuzzing", logging], exclude: ["Fixtures"]),
    tests(
      "IcebergAWSTests",
      ["IcebergAWS", "AWSServices", "AWSCore", "HTTP", "Iceberg", "WireFormats", "Telemetry", "AWSTestSupport", "TestSupport", logging],
      exclude: ["S3Security/Support"]),
    tests("ObjectCacheTests", ["ObjectCache", "Iceberg", "Telemetry", "TestSupport", logging]),
    tests("CatalogFSTests", ["CatalogFS", "ObjectCache", "Iceberg", "Telemetry", "TestSupport", "WireFormats", logging]),
    tests("FuseTests", ["Fuse", "Processes", "TestSupport", "Telemetry", logging]),
    tests("ConfigurationTests", ["Configuration", "Iceberg", "Telemetry", "TestSupport"]),
    tests(
      "MountDaemonTests",
      ["MountDaemon", "AWSServices", "AWSCore", "Configuration", "Fuse", "Processes", "TestSupport", "Telemetry", logging]),
    tests(
      "ConformanceTests",
      [
        "Iceberg", "IcebergAWS", "AWSServices", "AWSCore", "HTTP", "Configuration", "Telemetry", "AWSTestSupport", "TestSupport",
        "WireFormats", logging,
      ], exclude: ["Support"]),
    tests(
      "MountTests",
      [
        "MountDaemon", "CatalogFS", "Iceberg", "Configuration", "Telemetry", "TestSupport", "WireFormats", logging,
        .target(name: "bergfs"),
      ], exclude: ["Writing/RaceSupport", "Security/gateway.py", "Operation/Support", "Views/Support"]),
  ]
)
