// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The command line.
@main
struct Bergfs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bergfs", abstract: "Mounts an Apache Iceberg catalog on AWS (Glue or DynamoDB, files in S3) as a filesystem.")
}
