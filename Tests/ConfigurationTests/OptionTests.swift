// SPDX-License-Identifier: Apache-2.0

import Iceberg
import Testing

@testable import Configuration

@Suite("Options of a mount")
struct OptionTests {
  @Test(
    "Sizes are read with their units",
    arguments: [
      ("128M", 134_217_728), ("128m", 134_217_728), ("128MiB", 134_217_728), ("128MB", 128_000_000), ("1g", 1_073_741_824),
      ("1GiB", 1_073_741_824),
      ("1.5K", 1536), ("4096", 4096), ("4096b", 4096), ("2T", 2_199_023_255_552), ("", nil), ("M", nil), ("-1M", nil), ("1 M", nil),
      ("1X", nil),
      ("1..5M", nil), (".5M", nil), ("5.", nil), ("9999999999999T", nil), ("9223372036854775807", Int64.max), ("9223372036854775808", nil),
      ("8388608T", nil), ("nan", nil),
    ] as [(String, Int64?)])
  func sizes(text: String, expected: Int64?) {
    #expect(ByteSize.parse(text) == expected)
  }

  @Test("A size is shown with the largest unit that divides it")
  func sizeText() {
    #expect(ByteSize.text(134_217_728) == "128 MiB")
    #expect(ByteSize.text(1536) == "1536 bytes")
    #expect(ByteSize.text(0) == "0 bytes")
  }

  @Test("Values that an option cannot have are one sentence")
  func refusals() {
    func message<T>(_ body: () throws(ConfigurationError) -> T) -> String {
      do throws(ConfigurationError) {
        _ = try body()
        return "no error"
      } catch { return error.message }
    }
    #expect(
      message { () throws(ConfigurationError) in try OptionParsing.memoryLimit("big") }
        == "--memory-limit big: a size is expected, as 128M, 512MiB or 1G")
    #expect(
      message { () throws(ConfigurationError) in try OptionParsing.memoryLimit("1M") } == "--memory-limit 1M: at least 16 MiB is needed")
    for text in ["-1", "x", "", "1e3", "nan", "inf", "99999999999999999999"] {
      #expect(message { () throws(ConfigurationError) in try OptionParsing.metadataTTL(text) }.hasPrefix("--metadata-ttl \(text): seconds"))
    }
    for text in ["8", "1000", "rw", "", "-1", "0x1"] {
      #expect(
        message { () throws(ConfigurationError) in try OptionParsing.permissions(text, option: "--umask") }.hasPrefix(
          "--umask \(text): octal"))
    }
    for text in ["root", "-1", "", "4294967295", "4294967296"] {
      #expect(
        message { () throws(ConfigurationError) in try OptionParsing.identity(text, option: "--uid") }.hasPrefix("--uid \(text): a number"))
    }
    #expect(
      message { () throws(ConfigurationError) in try OptionParsing.logLevel("loud") }.hasPrefix("--log-level loud: one of trace, debug"))
    #expect(message { () throws(ConfigurationError) in try OptionParsing.logFormat("xml") } == "--log-format xml: text or json is expected")
  }

  @Test("Values in their forms are read")
  func values() throws {
    #expect(try OptionParsing.metadataTTL("0.5") == .milliseconds(500))
    #expect(try OptionParsing.metadataTTL("0") == .zero)
    #expect(try OptionParsing.permissions("0440", option: "--file-mode") == 0o440)
    #expect(try OptionParsing.permissions("22", option: "--umask") == 0o22)
    #expect(try OptionParsing.identity("1000", option: "--uid") == 1000)
    #expect(try OptionParsing.logLevel("DEBUG") == .debug)
  }

  @Test(
    "An age is a number of days, hours, minutes or seconds",
    arguments: [
      ("3d", 259_200), ("12h", 43_200), ("90m", 5_400), ("45s", 45), ("45", 45), ("0", 0), ("", nil), ("d", nil), ("-1d", nil),
      ("1.5d", nil),
      ("3w", nil), ("3 d", nil), ("1000000001", nil), ("٣d", nil),
    ] as [(String, Int64?)])
  func age(text: String, expected: Int64?) throws {
    guard let expected else {
      let error = #expect(throws: ConfigurationError.self) { try OptionParsing.age(text) }
      #expect(error?.message == "--delete-min-age \(text): a time is expected, as 3d, 12h, 90m, 45s, or a number of seconds")
      return
    }
    #expect(try OptionParsing.age(text) == .seconds(expected))
  }

  @Test("A staging size is at least a mebibyte")
  func stagingSize() throws {
    #expect(try OptionParsing.stagingSize("1M") == 1 << 20)
    #expect(try OptionParsing.stagingSize("10GiB") == 10 << 30)
    for text in ["1048575", "0", "big", "-1G"] {
      let error = #expect(throws: ConfigurationError.self) { try OptionParsing.stagingSize(text) }
      #expect(error?.message == "--staging-size \(text): a size of at least 1M is expected, as 512M or 10G")
    }
  }

  @Test("A size of the disk cache is at least 16 MiB, and needs its directory")
  func cacheSize() throws {
    #expect(try OptionParsing.cacheSize("16M") == 16 << 20)
    #expect(try OptionParsing.cacheSize("100GiB") == 100 << 30)
    for text in ["15M", "0", "big", "-1G"] {
      let error = #expect(throws: ConfigurationError.self) { try OptionParsing.cacheSize(text) }
      #expect(error?.message == "--cache-size \(text): a size of at least 16M is expected, as 512M or 100G")
    }
    var options = MountOptions(catalog: "c", mountpoint: "/m", memoryLimit: 1)
    options.cacheSize = 16 << 20
    let error = #expect(throws: ConfigurationError.self) { try options.checkTogether() }
    #expect(error?.message == "--cache-size needs --cache-dir: say where the disk cache is")
    options.cacheDirectory = "/c"
    try options.checkTogether()
  }

  @Test("A read-only mount allows nothing, and a mount that nobody restricted is writable and keeps objects for three days")
  func readOnly() throws {
    var options = MountOptions(catalog: "c", mountpoint: "/m", memoryLimit: 1)
    #expect(!options.readOnly && !options.allowDelete && !options.allowDrop && !options.allowRename)
    #expect(options.deleteMinAge == .seconds(259_200))
    try options.checkTogether()
    options.readOnly = true
    try options.checkTogether()
    for (name, option) in [("--allow-delete", \MountOptions.allowDelete), ("--allow-drop", \.allowDrop), ("--allow-rename", \.allowRename)]
    {
      var both = options
      both[keyPath: option] = true
      let error = #expect(throws: ConfigurationError.self) { try both.checkTogether() }
      #expect(error?.message == "--read-only and \(name) cannot both be given: leave one of them out")
      both.readOnly = false
      try both.checkTogether()
    }
  }

  @Test("The metadata TTL is the option's, else 0 without cache, else the property's, else one second")
  func metadataTTL() throws {
    var options = MountOptions(catalog: "c", mountpoint: "/m", memoryLimit: 1)
    #expect(try options.metadataTTL(with: EffectiveProperties([:])) == .seconds(1))
    #expect(try options.metadataTTL(with: EffectiveProperties(["cache.expiration-interval-ms": "30000"])) == .seconds(30))
    #expect(try options.metadataTTL(with: EffectiveProperties(["cache.expiration-interval-ms": "-1"])) == MountOptions.endless)
    #expect(try options.metadataTTL(with: EffectiveProperties(["cache-enabled": "false", "cache.expiration-interval-ms": "5"])) == .zero)
    options.metadataTTL = .seconds(7)
    #expect(
      try options.metadataTTL(with: EffectiveProperties(["cache-enabled": "false", "cache.expiration-interval-ms": "5"])) == .seconds(7))
  }

  @Test(
    "The default memory limit is a quarter of what machine and control group allow, from 16 MiB to 1 GiB",
    arguments: [
      (["/proc/meminfo": "MemTotal:       24000000 kB\nMemFree: 1 kB\n"], Int64(1) << 30),
      (["/proc/meminfo": "MemTotal:       2097152 kB\n"], 512 << 20),
      (
        ["/proc/meminfo": "MemTotal: 8388608 kB\n", "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/memory.max": "1073741824\n"],
        256 << 20
      ),
      (
        [
          "/proc/meminfo": "MemTotal: 8388608 kB\n", "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
          "/sys/fs/cgroup/memory.max": "536870912\n",
        ], 128 << 20
      ),
      (
        [
          "/proc/meminfo": "MemTotal: 8388608 kB\n", "/proc/self/cgroup": "5:cpu,memory:/d\n1:name=x:/\n",
          "/sys/fs/cgroup/memory/d/memory.limit_in_bytes": "268435456\n",
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ], 64 << 20
      ),
      (["/proc/meminfo": "MemTotal: 32768 kB\n"], 16 << 20),
      ([:], 16 << 20),
    ] as [([String: String], Int64)])
  func memory(files: [String: String], expected: Int64) {
    #expect(MemoryLimit.defaultLimit { files[$0] } == expected)
  }

  @Test(
    "The comma form becomes long options",
    arguments: [
      (["mount", "lake", "/m", "-o", "ro,uid=1000,allow_other"], ["mount", "lake", "/m", "--read-only", "--uid=1000", "--allow-other"]),
      (["mount", "lake", "/m", "-o", "show_views"], ["mount", "lake", "/m", "--show-views"]),
      (["mount", "-oro", "lake", "/m"], ["mount", "--read-only", "lake", "/m"]),
      (["mount", "a", "/m", "-o", "rw,_netdev,nofail,x-systemd.automount,defaults,noatime"], ["mount", "a", "/m"]),
      (["mount", "-o", "env.AWS_PROFILE=x=y,log-level=debug"], ["mount", "--env=AWS_PROFILE=x=y", "--log-level=debug"]),
      (["mount", "-o", "property=s3.endpoint=http://h\\,1"], ["mount", "--property=s3.endpoint=http://h,1"]),
      (["mount", "--", "-o", "ro"], ["mount", "--", "-o", "ro"]),
      (
        ["mount", "a", "/m", "-o", "allow-delete,delete_min_age=12h,allow-drop,allow-rename,staging-dir=/s,staging_size=1G"],
        [
          "mount", "a", "/m", "--allow-delete", "--delete-min-age=12h", "--allow-drop", "--allow-rename", "--staging-dir=/s",
          "--staging-size=1G",
        ]
      ),
      (["mount", "a", "/m", "-o", "cache_dir=/c,cache-size=1G"], ["mount", "a", "/m", "--cache-dir=/c", "--cache-size=1G"]),
      (["config", "lake", "--all"], ["config", "lake", "--all"]),
    ])
  func commaForm(arguments: [String], expected: [String]) throws {
    #expect(try CommandLineExpansion.expand(arguments) == expected)
  }

  @Test("Called as mount.bergfs the command is mount, and mount(8)'s own flags fall away")
  func mountHelper() throws {
    let arguments = ["lake", "/m", "-sv", "-t", "bergfs", "-o", "ro"]
    #expect(
      try CommandLineExpansion.expand(arguments, calledAs: "/sbin/mount.bergfs") == ["mount", "lake", "/m", "--read-only", "--source=lake"])
  }

  @Test("Of mount(8), -f asks for everything but the mount, a helper's options may hold what looks like a flag, and remount is refused")
  func mountHelperFlags() throws {
    func expanded(_ arguments: [String]) throws -> [String] {
      try CommandLineExpansion.expand(arguments, calledAs: "mount.bergfs")
    }
    #expect(try expanded(["-fv", "a b", "/m", "-N", "/ns"]) == ["mount", "--fake", "a b", "/m", "--source=a b"])
    #expect(try expanded(["lake", "/m", "-o", "uid=1"]) == ["mount", "lake", "/m", "--uid=1", "--source=lake"])
    let error = #expect(throws: ConfigurationError.self) { try expanded(["lake", "/m", "-o", "remount,ro"]) }
    #expect(error?.message == "-o remount: a mount cannot change its options; unmount it and mount it anew")
  }

  @Test("The log level of a catalog is its property bergfs.log-level, in any case; a level that there is not is an error")
  func logLevel() throws {
    func inputs(_ level: String?) -> ConfigurationInputs {
      var inputs = ConfigurationInputs(environment: [:], homeDirectory: nil, workingDirectory: "/") { _ in nil }
      inputs.properties = ["type=glue"] + (level.map { ["bergfs.log-level=\($0)"] } ?? [])
      return inputs
    }
    #expect(try CatalogConfiguration.load("c", from: inputs("Debug")).logLevel == .debug)
    #expect(try CatalogConfiguration.load("c", from: inputs(nil)).logLevel == nil)
    #expect(throws: ConfigurationError.self) { try CatalogConfiguration.load("c", from: inputs("loud")) }
  }

  @Test("An interval is a number of seconds from 0.1 to an hour")
  func interval() throws {
    #expect(try OptionParsing.interval("0.5") == .milliseconds(500))
    for text in ["0", "0.05", "3601", "-1", "x", "", "nan"] {
      #expect(throws: ConfigurationError.self) { try OptionParsing.interval(text) }
    }
  }

  @Test("The names that can be completed are those of .pyiceberg.yaml and the environment")
  func names() throws {
    let inputs = ConfigurationInputs(
      environment: ["PYICEBERG_CATALOG__WEB__TYPE": "glue"], homeDirectory: "/home/u", workingDirectory: "/"
    ) { path in
      path == "/home/u/.pyiceberg.yaml" ? Array("catalog:\n  prod:\n    type: glue\n".utf8) : nil
    }
    #expect(try CatalogConfiguration.names(from: inputs) == ["prod", "web"])
  }

  @Test(
    "A list of options that is missing, and a variable without a value, say so",
    arguments: [
      (["mount", "-o"], "-o needs a list of options, as -o ro,uid=1000"),
      (["mount", "-o", "env.X"], "-o env.X needs a value: env.NAME=VALUE"),
    ])
  func incomplete(arguments: [String], message: String) {
    let error = #expect(throws: ConfigurationError.self) { try CommandLineExpansion.expand(arguments) }
    #expect(error?.message == message)
  }
}
