// SPDX-License-Identifier: Apache-2.0

/// Keys of BergFS itself, which no other client knows.
package enum MountKeys {
  package static let logLevel = "bergfs.log-level"
  package static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

  package static let definitions: [PropertyDefinition] = [
    PropertyDefinition(
      logLevel, type: .choice(logLevels, ignoringCase: true), default: "info", user: .mount,
      "What the daemon logs, where `--log-level` does not say; read anew at SIGHUP.")
  ]
}
