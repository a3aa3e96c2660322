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
      A catalog has a name; its properties come from --property, --properties FILE, variables \
      PYICEBERG_CATALOG__<NAME>__<KEY>, and .pyiceberg.yaml. A first session:

        cat > ~/.pyiceberg.yaml <<END
        catalog:
          lake:
            type: glue
            client.region: eu-west-1
        END
        bergfs check lake
        bergfs mount lake /mnt/lake
        ls /mnt/lake
        bergfs umount /mnt/lake
      """,
    version: BuildVersions.current,
    subcommands: [
      MountCommand.self, UmountCommand.self, CheckCommand.self, ConfigCommand.self, VersionCommand.self, GenerateDocsCommand.self,
    ])

  /// What `bergfs mount` handed to this process, if it is the daemon; taken once, before anything else looks at the environment.
  static let daemon = DaemonChild.inherited()

  static func main() async {
    _ = daemon
    do {
      let arguments = CommandLine.arguments
      let expanded = try CommandLineExpansion.expand(Array(arguments.dropFirst()), calledAs: arguments.first ?? "bergfs")
      var command = try parseAsRoot(expanded)
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
      leave(with: error)
    }
  }

  /// Help and version requests print and succeed; what the parser refuses is one line.
  private static func leave(with error: any Error) -> Never {
    if exitCode(for: error).isSuccess {
      Message.output(fullMessage(for: error))
      Glibc.exit(0)
    }
    var sentence = message(for: error)
    while sentence.hasSuffix(".") { sentence.removeLast() }
    Message.error(sentence + "; see bergfs --help")
    Glibc.exit(1)
  }
}
