// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

/// Who owns the files of a mount, and their permission bits.
struct OwnershipOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Owner of all files and directories. (default: you)", valueName: "number"))
  var uid: String?

  @Option(help: ArgumentHelp("Group of all files and directories. (default: yours)", valueName: "number"))
  var gid: String?

  @Option(help: ArgumentHelp("Permission bits to take away from files and directories.", valueName: "octal"))
  var umask: String?

  @Option(help: ArgumentHelp("Permissions of files. (default: 0444)", valueName: "octal"))
  var fileMode: String?

  @Option(help: ArgumentHelp("Permissions of directories. (default: 0755, read-only 0555)", valueName: "octal"))
  var dirMode: String?

  func apply(to options: inout MountOptions) throws(ConfigurationError) {
    if let uid { options.uid = try OptionParsing.identity(uid, option: "--uid") }
    if let gid { options.gid = try OptionParsing.identity(gid, option: "--gid") }
    if let umask { options.umask = try OptionParsing.permissions(umask, option: "--umask") }
    if let fileMode { options.fileMode = try OptionParsing.permissions(fileMode, option: "--file-mode") }
    if let dirMode { options.directoryMode = try OptionParsing.permissions(dirMode, option: "--dir-mode") }
  }
}
