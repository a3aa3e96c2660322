// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import WireFormats

@Suite("What is installed")
struct InstallTests {
  private static let script = ProjectFiles.root + "/mount-scripts/install"

  private func withInstalled(prefix: String = "/opt/b", _ body: (TemporaryDirectory) async throws -> Void) async throws {
    let directory = try TemporaryDirectory()
    let variables = ["DESTDIR": directory.path, "PREFIX": prefix]
    try await Shell.bash("mkdir \"$T/etc\" && echo 'PRUNEFS=\"NFS\"' > \"$T/etc/updatedb.conf\"", ["T": directory.path]).succeeded()
    try await Shell.run(Self.script, ["--binary", ProjectFiles.bergfs], environment: variables).succeeded()
    try await body(directory)
    try await Shell.run(Self.script, ["--uninstall"], environment: variables).succeeded()
    let left = try await Shell.run("find", [directory.path, "-not", "-type", "d"]).lines
    #expect(left == [directory.file("etc/updatedb.conf")], "uninstalling leaves files")
    #expect(readFile(directory.file("etc/updatedb.conf")) == Array("PRUNEFS=\"NFS\"\n".utf8))
    await directory.remove()
  }

  /// Long names of all options that help shows, by command.
  private func options() async throws -> [String: [String]] {
    let dump = try await Shell.run(ProjectFiles.bergfs, ["--experimental-dump-help"]).succeeded()
    var options: [String: [String]] = [:]
    let commands = elements(try JSONDocument(parsing: dump.output).root["command"]?["subcommands"])
    for command in commands {
      guard command["shouldDisplay"]?.bool == true, let name = command["commandName"]?.string, name != "help" else { continue }
      let shown = elements(command["arguments"]).filter { $0["shouldDisplay"]?.bool == true }
      let names = shown.flatMap { elements($0["names"]) }.filter { $0["kind"]?.string == "long" }
      options[name] = names.compactMap { $0["name"]?.string }
    }
    return options
  }

  private func elements(_ node: JSONNode?) -> [JSONNode] { node.map { Array($0.elements) } ?? [] }

  @Test("install puts program, helper, manual, completions, unit and configuration below DESTDIR, and --uninstall takes all of it away")
  func files() async throws {
    try await withInstalled { directory in
      let found = try await Shell.bash("cd \"$T\" && find . -not -type d | sort", ["T": directory.path]).succeeded().lines
      let places = [
        "./etc/bergfs/catalogs.yaml", "./etc/updatedb.conf", "./opt/b/bin/bergfs", "./opt/b/lib/systemd/system/bergfs@.service",
        "./opt/b/share/bash-completion/completions/bergfs", "./opt/b/share/doc/bergfs/alerts.yaml",
        "./opt/b/share/doc/bergfs/grafana-dashboard.json", "./opt/b/share/fish/vendor_completions.d/bergfs.fish",
        "./opt/b/share/man/man1/bergfs.1.gz", "./opt/b/share/man/man8/mount.bergfs.8.gz", "./opt/b/share/zsh/site-functions/_bergfs",
        "./usr/sbin/mount.bergfs",
      ]
      #expect(found == places)
      #expect(readFile(directory.file("etc/updatedb.conf")) == Array("PRUNEFS=\"NFS fuse.bergfs\"\n".utf8))
      let helper = try await Shell.run("readlink", ["-f", directory.file("usr/sbin/mount.bergfs")]).trimmed
      #expect(helper == directory.file("opt/b/bin/bergfs"))
      let unit = String(decoding: readFile(directory.file("opt/b/lib/systemd/system/bergfs@.service")), as: UTF8.self)
      #expect(unit.contains("ExecStart=/opt/b/bin/bergfs mount %i ${MOUNTPOINT} --foreground") && !unit.contains("@PREFIX@"))
      // A second time changes nothing, and what an administrator wrote stays.
      try directory.write("mine", to: "etc/bergfs/catalogs.yaml")
      try await Shell.run(
        Self.script, ["--binary", ProjectFiles.bergfs], environment: ["DESTDIR": directory.path, "PREFIX": "/opt/b"]
      ).succeeded()
      #expect(readFile(directory.file("etc/bergfs/catalogs.yaml")) == Array("mine".utf8))
      #expect(readFile(directory.file("etc/updatedb.conf")) == Array("PRUNEFS=\"NFS fuse.bergfs\"\n".utf8))
      unlink(directory.file("etc/bergfs/catalogs.yaml"))
    }
  }

  @Test("The manual renders without a fault, and has every command, option and property")
  func manual() async throws {
    try await withInstalled { directory in
      let pages = ["man/man1/bergfs.1", "man/man8/mount.bergfs.8"].map { directory.file("opt/b/share/\($0).gz") }
      var texts: [String] = []
      for page in pages {
        let lint = try await Shell.bash("zcat \"$P\" | mandoc -T lint -W warning", ["P": page])
        // The pages have the version instead of a date, so that they are the same whenever they are made.
        #expect(lint.lines.allSatisfy { $0.contains("missing date") }, "\(lint)")
        texts.append(try await Shell.bash("zcat \"$P\" | mandoc -T utf8 -O width=400 | col -bx", ["P": page]).succeeded().text)
      }
      let options = try await options()
      #expect(options.keys.sorted() == ["check", "config", "mount", "status", "umount", "version"])
      for (command, names) in options {
        #expect(texts[0].contains("bergfs \(command)"), "\(command)")
        for name in names where !["help", "version"].contains(name) {
          #expect(texts[0].contains("--\(name)"), "bergfs(1) has no --\(name)")
          if command == "mount" {
            #expect(texts[1].firstMatch(of: try Regex("\n +\(name)[=\n]")) != nil, "mount.bergfs(8) has no \(name)")
          }
        }
      }
      let page = String(decoding: readFile(ProjectFiles.root + "/docs/configuration.md"), as: UTF8.self)
      let keys = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { $0.split(separator: "`").dropFirst().first }
      #expect(keys.count > 100)
      for key in keys { #expect(texts[0].contains(key), "bergfs(1) has no \(key)") }
    }
  }

  @Test("Completions are valid in bash, zsh and fish, know every option, and complete commands, options and catalogs in bash")
  func completions() async throws {
    try await withInstalled { directory in
      let share = directory.file("opt/b/share")
      let scripts = [
        "bash": "bash-completion/completions/bergfs", "zsh": "zsh/site-functions/_bergfs", "fish": "fish/vendor_completions.d/bergfs.fish",
      ]
      let options = Set(try await options().values.joined())
      for (shell, name) in scripts {
        let check = try await Shell.run(shell, ["-n", "\(share)/\(name)"], environment: ["HOME": directory.path])
        #expect(check.status == 0 && check.errors.isEmpty, "\(check)")
        let text = String(decoding: readFile("\(share)/\(name)"), as: UTF8.self)
        for option in options { #expect(text.contains(shell == "fish" ? option : "--\(option)"), "\(shell) has no --\(option)") }
      }
      try directory.write("catalog:\n  prod:\n    type: glue\n  events:\n    type: glue\n", to: ".pyiceberg.yaml")
      let complete = #"""
        . "$S/bash-completion/completions/bergfs"
        complete_words() {
          COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMPREPLY=()
          $(complete -p bergfs | sed -n 's/.*-F \([^ ]*\) .*/\1/p') bergfs "${*: -1}" "${*: -2:1}"
          echo "${COMPREPLY[@]}"
        }
        complete_words bergfs st
        complete_words bergfs mount --metadata-
        complete_words bergfs mount ''
        complete_words bergfs mount --log-level de
        """#
      let result = try await Shell.bash(
        complete, ["S": share, "HOME": directory.path, "PATH": directory.file("opt/b/bin") + ":/usr/bin:/bin"], directory: directory.path)
      let lines = result.lines.map { $0.split(separator: " ").map(String.init) }
      try #require(lines.count == 4, "\(result)")
      #expect(lines[0] == ["status"] && lines[1] == ["--metadata-ttl"] && lines[3] == ["debug"], "\(result)")
      #expect(Set(lines[2]).isSuperset(of: ["events", "prod"]), "\(result)")
      unlink(directory.file(".pyiceberg.yaml"))
    }
  }
}
