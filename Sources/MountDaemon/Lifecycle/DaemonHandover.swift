// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Catalog properties of the command line on their way from `bergfs mount` to its daemon.
///
/// They may be secrets, so they stand neither in the daemon's argv nor in its environment, which `ps` and `/proc` show: they travel in a
/// memory file without a name. Form: key, NUL, value, NUL, …; an argument never holds a NUL.
package struct DaemonHandover: Sendable, Equatable {
  package struct Property: Sendable, Equatable {
    package let key: String
    package let value: Secret

    package init(key: String, value: Secret) {
      self.key = key
      self.value = value
    }
  }

  package var properties: [Property]

  package init(properties: [Property]) {
    self.properties = properties
  }

  /// Takes `--property key=value` and `--property=key=value` out of a command line (without the program's name).
  ///
  /// An argument that has no `=` stays where it is, for the daemon's parser to complain about. Behind `--` nothing is an option.
  package static func extracting(from arguments: [String]) -> (arguments: [String], handover: DaemonHandover) {
    var kept: [String] = []
    var properties: [Property] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        kept.append(argument)
        kept += rest
        break
      }
      let value: Substring
      if argument == "--property", let next = rest.first, next.contains("=") {
        value = rest.removeFirst()[...]
      } else if argument.hasPrefix("--property="), argument.dropFirst(11).contains("=") {
        value = argument.dropFirst(11)
      } else {
        kept.append(argument)
        continue
      }
      let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      properties.append(Property(key: String(parts[0]), value: Secret(String(parts[1]))))
    }
    return (kept, DaemonHandover(properties: properties))
  }

  func encoded() -> [UInt8] {
    properties.flatMap { Array($0.key.utf8) + [0] + Array($0.value.reveal().utf8) + [0] }
  }

  /// Nil if the bytes do not have the form.
  init?(decoding bytes: [UInt8]) {
    let fields = bytes.split(separator: 0, omittingEmptySubsequences: false)
    guard fields.count % 2 == 1, fields.last?.isEmpty == true else { return nil }
    properties = stride(from: 0, to: fields.count - 1, by: 2).map { index in
      Property(key: String(decoding: fields[index], as: UTF8.self), value: Secret(String(decoding: fields[index + 1], as: UTF8.self)))
    }
  }
}
