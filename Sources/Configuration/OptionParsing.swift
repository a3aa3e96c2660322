// SPDX-License-Identifier: Apache-2.0

/// Reads the texts of command line options; each error is one sentence that names option and text.
package enum OptionParsing {
  /// `--memory-limit`: bytes.
  package static func memoryLimit(_ text: String) throws(ConfigurationError) -> Int64 {
    guard let bytes = ByteSize.parse(text) else {
      throw ConfigurationError(.option, "--memory-limit \(text): a size is expected, as 128M, 512MiB or 1G")
    }
    guard bytes >= MemoryLimit.minimum else {
      throw ConfigurationError(.option, "--memory-limit \(text): at least \(ByteSize.text(MemoryLimit.minimum)) is needed")
    }
    return bytes
  }

  /// `--metadata-ttl`: seconds, with a fraction if wanted.
  package static func metadataTTL(_ text: String) throws(ConfigurationError) -> Duration {
    let isNumber = text.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
    guard isNumber, let seconds = Double(text), seconds <= 31_536_000 else {
      throw ConfigurationError(.option, "--metadata-ttl \(text): seconds are expected, from 0 to 31536000, as 1 or 0.5")
    }
    return .milliseconds(Int64((seconds * 1000).rounded()))
  }

  /// `--interval`: seconds, with a fraction if wanted.
  package static func interval(_ text: String) throws(ConfigurationError) -> Duration {
    let isNumber = text.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
    guard isNumber, let seconds = Double(text), seconds >= 0.1, seconds <= 3_600 else {
      throw ConfigurationError(.option, "--interval \(text): seconds are expected, from 0.1 to 3600")
    }
    return .milliseconds(Int64((seconds * 1000).rounded()))
  }

  /// `--delete-min-age`: a number with `d`, `h`, `m` or `s`, or seconds.
  package static func age(_ text: String) throws(ConfigurationError) -> Duration {
    let units: [Character: Int64] = ["d": 86_400, "h": 3_600, "m": 60, "s": 1]
    let unit = text.last.flatMap { units[$0] }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(digits), number <= 1_000_000_000 else {
      throw ConfigurationError(.option, "--delete-min-age \(text): a time is expected, as 3d, 12h, 90m, 45s, or a number of seconds")
    }
    return .seconds(number * (unit ?? 1))
  }

  /// `--staging-size`: bytes.
  package static func stagingSize(_ text: String) throws(ConfigurationError) -> Int64 {
    guard let bytes = ByteSize.parse(text), bytes >= 1 << 20 else {
      throw ConfigurationError(.option, "--staging-size \(text): a size of at least 1M is expected, as 512M or 10G")
    }
    return bytes
  }

  /// `--cache-size`: bytes.
  package static func cacheSize(_ text: String) throws(ConfigurationError) -> Int64 {
    guard let bytes = ByteSize.parse(text), bytes >= 16 << 20 else {
      throw ConfigurationError(.option, "--cache-size \(text): a size of at least 16M is expected, as 512M or 100G")
    }
    return bytes
  }

  /// `--umask`, `--file-mode`, `--dir-mode`: octal permission bits.
  package static func permissions(_ text: String, option: String) throws(ConfigurationError) -> UInt16 {
    let digits = text.hasPrefix("0o") ? text.dropFirst(2) : text[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...55).contains($0) }), let mode = UInt16(digits, radix: 8), mode <= 0o777 else {
      throw ConfigurationError(.option, "\(option) \(text): octal permissions from 000 to 777 are expected, as 0440")
    }
    return mode
  }

  /// `--uid`, `--gid`: a number.
  package static func identity(_ text: String, option: String) throws(ConfigurationError) -> UInt32 {
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt32(text), number != UInt32.max else {
      throw ConfigurationError(.option, "\(option) \(text): a number is expected, as 1000")
    }
    return number
  }

  /// `--log-level`.
  package static func logLevel(_ text: String) throws(ConfigurationError) -> MountOptions.LogLevel {
    guard let level = MountOptions.LogLevel(rawValue: text.lowercased()) else {
      let names = MountOptions.LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationError(.option, "--log-level \(text): one of \(names) is expected")
    }
    return level
  }

  /// `--log-format`.
  package static func logFormat(_ text: String) throws(ConfigurationError) -> MountOptions.LogFormat {
    guard let format = MountOptions.LogFormat(rawValue: text.lowercased()) else {
      throw ConfigurationError(.option, "--log-format \(text): text or json is expected")
    }
    return format
  }

  /// `--namespace`: not empty.
  package static func namespace(_ text: String) throws(ConfigurationError) -> String {
    guard !text.isEmpty else { throw ConfigurationError(.option, "--namespace needs a name") }
    return text
  }

  /// `-o env.NAME=VALUE`: the name and value.
  package static func environment(_ text: String) throws(ConfigurationError) -> (name: String, value: String) {
    guard let separator = text.firstIndex(of: "="), separator != text.startIndex else {
      throw ConfigurationError(.option, "-o env.NAME=VALUE needs a name and a value")
    }
    return (String(text[..<separator]), String(text[text.index(after: separator)...]))
  }
}
