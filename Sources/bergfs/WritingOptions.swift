// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

/// What may be changed through the mount, and where bytes wait until they are published.
struct WritingOptions: ParsableArguments {
  @Flag(help: "Change nothing: the kernel refuses every write.")
  var readOnly = false

  @Flag(help: "Let `rm` delete objects that no table needs and that are old enough.")
  var allowDelete = false

  @Option(
    help: ArgumentHelp(
      "With --allow-delete: keep what is younger and not made by this mount, as 3d, 12h, 90m, 45s. (default: 3d)", valueName: "age"))
  var deleteMinAge: String?

  @Flag(help: "Let `rmdir` drop tables and namespaces from the catalog; files stay.")
  var allowDrop = false

  @Flag(help: "Let `mv` rename tables.")
  var allowRename = false

  @Option(
    help: ArgumentHelp(
      "Where bytes wait until they are published. (default: /var/tmp/bergfs-UID, or bergfs in $XDG_CACHE_HOME unless you are root)",
      valueName: "directory"),
    completion: .directory)
  var stagingDir: String?

  @Option(
    help: ArgumentHelp("What may wait there, as 10G. (default: 10GiB, at most half of the free space)", valueName: "size"))
  var stagingSize: String?

  func apply(to options: inout MountOptions, _ inputs: ConfigurationInputs) throws(ConfigurationError) {
    options.readOnly = readOnly
    options.allowDelete = allowDelete
    options.allowDrop = allowDrop
    options.allowRename = allowRename
    if let deleteMinAge { options.deleteMinAge = try OptionParsing.age(deleteMinAge) }
    options.stagingDirectory = stagingDir.map { inputs.absolute($0) }
    if let stagingSize { options.stagingSize = try OptionParsing.stagingSize(stagingSize) }
  }
}
