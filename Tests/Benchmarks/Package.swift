// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Warnings are errors where the scripts ask for it, as in the main package.
let warningsAreErrors = Context.environment["BERGFS_WARNINGS_AS_ERRORS"] == "1"

let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
  name: "Benchmarks",
  products: [.executable(name: "read-server", targets: ["read-server"])],
  targets: [
    .target(name: "CLinux"),
    .target(name: "ObjectServer", dependencies: ["CLinux"], swiftSettings: settings),
    .executableTarget(name: "read-server", dependencies: ["ObjectServer"], swiftSettings: settings),
    .testTarget(name: "ObjectServerTests", dependencies: ["ObjectServer"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
