// SPDX-License-Identifier: Apache-2.0

import Configuration
import Iceberg

/// `bergfs(1)`: every command, every option, every property.
enum BergfsManual {
  static func text() throws -> String {
    let table = try CommandTable.current()
    var page = ManualPage(
      "bergfs", section: 1, version: BuildVersions.current, purpose: "mount an Apache Iceberg catalog on AWS as a filesystem")
    page.section("Synopsis")
    page.literal(table.commands.map(synopsis))
    page.section("Description")
    page.paragraph(table.command.abstract ?? "")
    page.prose(table.command.discussion ?? "")
    page.section("Commands")
    for command in table.commands {
      page.subsection(synopsis(command))
      page.paragraph(command.abstract ?? "")
      page.prose(command.discussion ?? "")
      page.options(command.shownArguments, term)
    }
    page.section("Properties")
    page.paragraph(
      "A catalog has a name, and properties. They are merged by key; the first place that has a key wins: --property, --properties, "
        + "variables PYICEBERG_CATALOG__NAME__KEY, .pyiceberg.yaml (of --config, PYICEBERG_HOME, the home directory, the working directory)."
    )
    for section in PropertyTable.sections {
      page.subsection(section.title)
      for definition in section.definitions { page.entry(definition.displayKey, meaning(of: definition)) }
    }
    ending(&page)
    return page.text
  }

  private static func ending(_ page: inout ManualPage) {
    page.section("Signals")
    page.entry(
      "SIGTERM, SIGINT",
      "The daemon unmounts, finishes commits and uploads for 55 s at the most, and logs what was left. A mount in use is detached.")
    page.entry(
      "SIGHUP",
      "Credentials and bergfs.log-level are read anew, the log file is opened anew, and everything that has a time to live is forgotten.")
    page.section("Exit status")
    page.entry(
      "0", "What was asked for is done: the mount answers, the daemon has ended, each line of check is ok, each mount of status answers.")
    page.entry(
      "1",
      "It is not; one line on standard error says why, or the output of check and status does. check goes on: 2 credentials, 3 the network, "
        + "4 a permission, 5 something that does not exist, 6 a service.")
    page.section("Files")
    page.entry("~/.pyiceberg.yaml", "Catalogs and their properties.")
    page.entry("/etc/bergfs/catalogs.yaml", "The same, for bergfs@.service and lines in fstab that name it by config=.")
    page.entry("/etc/bergfs/NAME.env", "Settings of bergfs@NAME.service: MOUNTPOINT, BERGFS_OPTIONS, AWS variables.")
    page.entry("MOUNTPOINT/.bergfs/", "status.json, metrics, errors.jsonl, config.json, refresh: what a mount does, by name only.")
    page.entry("/var/tmp/bergfs-UID", "What is not published yet, and the journal of uploads (--staging-dir).")
    page.section("See also")
    page.paragraph("mount.bergfs(8), mount(8), fusermount3(1), systemd.mount(5)")
  }

  static func term(_ argument: CommandTable.Argument) -> String {
    let value = argument.valueName.map { "<\($0)>" } ?? ""
    let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
    switch argument.kind {
    case "positional": return value
    case "flag": return names
    default: return "\(names) \(value)"
    }
  }

  private static func synopsis(_ command: CommandTable.Command) -> String {
    let places = command.shownArguments.filter { $0.kind == "positional" }.map {
      $0.isOptional ? "[\($0.valueName ?? "")]" : "\($0.valueName ?? "")"
    }
    let hasOptions = command.shownArguments.contains { $0.kind != "positional" }
    return (["bergfs", command.commandName] + places.map { $0.uppercased() } + (hasOptions ? ["[options]"] : [])).joined(separator: " ")
  }

  private static func meaning(of definition: PropertyDefinition) -> String {
    var text = definition.meaning
    switch definition.defaultValue {
    case .unset: break
    case .value(let value): text += " (default: \(value.isEmpty ? "empty" : value))"
    case .described(let words): text += " (default: \(words))"
    }
    if definition.isSecret { text += " Secret: never shown." }
    switch definition.status {
    case .honoured, .mapped: break
    case .notApplicable: text += " Accepted, without effect."
    }
    return text
  }
}
