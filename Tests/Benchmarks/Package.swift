// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

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
