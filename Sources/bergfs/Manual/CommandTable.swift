// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials

/// The commands and options as the parser has them: what `--experimental-dump-help` prints, as far as the manual needs it.
struct CommandTable: Decodable {
  struct Command: Decodable {
    var commandName: String
    var abstract: String?
    var discussion: String?
    var shouldDisplay: Bool
    var subcommands: [Command]?
    var arguments: [Argument]?
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String

      var text: String { (kind == "long" ? "--" : "-") + name }
    }

    /// `positional`, `option` or `flag`.
    var kind: String
    var shouldDisplay: Bool
    var sectionTitle: String?
    var isOptional: Bool
    var isRepeating: Bool
    var names: [Name]?
    var valueName: String?
    var abstract: String?

    /// Without dashes; nil for what has only a short name.
    var longName: String? { names?.first { $0.kind == "long" }?.name }
  }

  var command: Command

  /// The table of this program.
  static func current() throws -> CommandTable {
    try JSONDecoder().decode(CommandTable.self, from: Data(Bergfs._dumpHelp().utf8))
  }

  /// Commands that help lists, but for help itself.
  var commands: [Command] {
    (command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
  }

  func command(_ name: String) -> Command? {
    command.subcommands?.first { $0.commandName == name }
  }
}

extension CommandTable.Command {
  /// What help shows, but for help itself.
  var shownArguments: [CommandTable.Argument] {
    (arguments ?? []).filter { $0.shouldDisplay && !["help", "version"].contains($0.longName ?? "") }
  }
}
