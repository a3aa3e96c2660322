// SPDX-License-Identifier: Apache-2.0

package import Configuration
import Fuse
import Logging

/// What the commands of the program call; each answers with the process's exit status and has written its own messages.
package enum MountEntry {
  /// Mounts the catalog; returns 0 when the mount answers (or, in the foreground, when it has ended in order).
  ///
  /// Writes the configuration's warnings, to standard error and the log.
  @concurrent package static func mount(options: MountOptions, configuration: CatalogConfiguration) async -> Int32 {
    for warning in configuration.warnings where !warning.isNotice { Message.warning(warning.message) }
    let logger = Logger(label: "bergfs")
    do {
      let service = try await MountService.prepare(options: options, configuration: configuration, logger: logger)
      try service.session.mount()
      try await service.session.run()
      return 0
    } catch {
      Message.error("\(error)")
      return 1
    }
  }

  /// Unmounts after commits and uploads in flight.
  /// - Parameter mountpoint: absolute.
  @concurrent package static func umount(mountpoint: String) async -> Int32 {
    Message.error("unmounting is not part of this build")
    return 1
  }

  /// Checks credentials, region, catalog and warehouse, a line each on standard output.
  @concurrent package static func check(configuration: CatalogConfiguration) async -> Int32 {
    Message.error("checking is not part of this build")
    return 1
  }

  /// The versions of this program and of the C libraries it runs on.
  package static func versions() -> BuildVersions {
    BuildVersions()
  }
}
