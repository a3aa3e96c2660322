// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import Glibc
import MountDaemon

/// The command line. Help goes to standard output; any mistake is one line on standard error and exit status 1.
@main
struct Bergfs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bergfs",
    abstract: "Mounts an Apache Iceberg catalog on AWS (Glue or DynamoDB, files in S3) as a filesystem.",
    discussion: """
      A catalog has a name and properties. The properties come from --property, --properties FILE, \
      variables PYICEBERG_CATALOG__<NAME>__<KEY>, and .pyiceberg.yaml. For a first session, write \
      this into .pyiceberg.yaml in your home directory:

        catalog:
          lake:
            type: glue
            client.region: eu-west-1

      and then:

        bergfs check lake
        mkdir -p /mnt/lake
        bergfs mount lake /mnt/lake
        ls /mnt/lake
        bergfs umount /mnt/lake
      """,
    version: BuildVersions.current,
    subcommands: [
      MountCommand.self, UmountCommand.self, StatusCommand.self, CheckCommand.self, ConfigCommand.self, VersionCommand.self,
      GenerateDocsCommand.self,
    ])

  /// What `bergfs mount` handed to this process, if it is the daemon; taken once, before anything else looks at the environment.
  static let daemon = DaemonChild.inherited()

  static func main() async {
    _ = daemon
    var arguments: [String] = []
    do {
      let given = CommandLine.arguments
      arguments = try CommandLineExpansion.expand(Array(given.dropFirst()), calledAs: given.first ?? "bergfs")
      var command = try parseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error as ConfigurationError {
      Message.error(error.message)
      Glibc.exit(1)
    } catch let status as ExitCode {
      Glibc.exit(status.rawValue)
    } catch {
      leave(with: error, command: arguments.first ?? "")
    }
  }

  /// Help and version requests print and succeed; what the parser refuses is one line.
  private static func leave(with error: any Error, command: String) -> Never {
    if exitCode(for: error).isSuccess {
      Message.output(fullMessage(for: error))
      Glibc.exit(0)
    }
    var sentence = message(for: error)
    while sentence.hasSuffix(".") { sentence.removeLast() }
    // The help of the command that was meant tells more than the list of all.
    let isKnown = configuration.subcommands.contains { $0.configuration.commandName == command }
    if !isKnown, !command.hasPrefix("-") { sentence = "there is no command '\(command)'" }
    Message.error("\(sentence); see bergfs \(isKnown ? "\(command) " : "")--help")
    Glibc.exit(1)
  }
}
