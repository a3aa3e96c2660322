// SPDX-License-Identifier: Apache-2.0

/// Turns the comma form of options (`-o a,b=c`, as mount(8) and fstab pass it) into long options.
package enum CommandLineExpansion {
  /// The hidden option that carries `env.NAME=VALUE`.
  package static let environmentOption = "--env"

  /// The hidden option for `-f` of mount(8): everything is checked and nothing mounted.
  package static let fakeOption = "--fake"
  /// The hidden option for what the mount table shows as the source.
  package static let sourceOption = "--source"

  /// What mount(8) passes along that has no meaning for a FUSE daemon, or that libfuse and the kernel settle by themselves.
  package static let settledByMount: Set<String> = [
    "defaults", "rw", "auto", "noauto", "user", "nouser", "users", "nousers", "owner", "group", "nofail", "_netdev", "exec", "noexec",
    "suid", "nosuid", "dev", "nodev", "async", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime",
    "nostrictatime", "lazytime", "nolazytime", "mand", "nomand", "silent", "loud",
  ]

  /// The arguments with every `-o` expanded in place. Called as `mount.bergfs`, as mount(8) does, the command is `mount`.
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - program: the name the program was called by, with or without its directory.
  package static func expand(_ arguments: [String], calledAs program: String = "bergfs") throws(ConfigurationError) -> [String] {
    guard program.split(separator: "/").last == "mount.bergfs" else { return try expand(arguments) }
    var kept: [String] = []
    var source: String?
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "-t" || argument == "-N" {
        rest = rest.dropFirst()
      } else if argument == "-o", let list = rest.popFirst() {
        kept += [argument, list]
      } else if argument.count > 1, argument.hasPrefix("-"), argument.dropFirst().allSatisfy({ "sfnv".contains($0) }) {
        if argument.contains("f") { kept.append(fakeOption) }
      } else {
        if source == nil, !argument.hasPrefix("-") { source = argument }
        kept.append(argument)
      }
    }
    // `mount -a` knows what is mounted already by the first field of its line in fstab.
    return try expand(["mount"] + kept + (source.map { ["\(sourceOption)=\($0)"] } ?? []))
  }

  private static func expand(_ arguments: [String]) throws(ConfigurationError) -> [String] {
    var expanded: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return expanded + [argument] + rest }
      if argument == "-o" {
        guard let list = rest.popFirst() else { throw ConfigurationError(.option, "-o needs a list of options, as -o ro,uid=1000") }
        expanded += try options(list)
      } else if argument.hasPrefix("-o"), !argument.hasPrefix("--") {
        expanded += try options(String(argument.dropFirst(2)))
      } else {
        expanded.append(argument)
      }
    }
    return expanded
  }

  private static func options(_ list: String) throws(ConfigurationError) -> [String] {
    var result: [String] = []
    for item in split(list) where !item.isEmpty {
      let name = String(item.prefix { $0 != "=" })
      let value = item.firstIndex(of: "=").map { String(item[item.index(after: $0)...]) }
      if name.hasPrefix("env."), name.count > 4 {
        guard let value else { throw ConfigurationError(.option, "-o \(name) needs a value: env.NAME=VALUE") }
        result.append("\(environmentOption)=\(name.dropFirst(4))=\(value)")
      } else if name == "remount" {
        throw ConfigurationError(.option, "-o remount: a mount cannot change its options; unmount it and mount it anew")
      } else if name == "ro" {
        result.append("--read-only")
      } else if !settledByMount.contains(name), !name.hasPrefix("x-"), !name.hasPrefix("X-"), name != "comment" {
        let long = "--" + name.replacing("_", with: "-")
        result.append(value.map { "\(long)=\($0)" } ?? long)
      }
    }
    return result
  }

  /// Splits at commas; `\,` is a comma and `\\` a backslash, as in libfuse.
  private static func split(_ list: String) -> [String] {
    var items = [""]
    var isEscaped = false
    for character in list {
      if isEscaped {
        items[items.count - 1].append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "," {
        items.append("")
      } else {
        items[items.count - 1].append(character)
      }
    }
    return items
  }
}
