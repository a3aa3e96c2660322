// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

/// Whether and where data is kept on disk after it was read.
struct DiskCacheOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Keep what was read from S3 in this directory, unencrypted; mounts may share it. (default: only in memory)", valueName: "directory"),
    completion: .directory)
  var cacheDir: String?

  @Option(
    help: ArgumentHelp("What may be kept there, as 100G. (default: 10GiB, at most half of the free space)", valueName: "size"))
  var cacheSize: String?

  func apply(to options: inout MountOptions, _ inputs: ConfigurationInputs) throws(ConfigurationError) {
    options.cacheDirectory = cacheDir.map { inputs.absolute($0) }
    if let cacheSize { options.cacheSize = try OptionParsing.cacheSize(cacheSize) }
  }
}
