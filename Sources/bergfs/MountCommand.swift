// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import MountDaemon
import Telemetry

struct MountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mount",
    abstract: "Mount a catalog; returns when the mount answers.",
    discussion: """
      Keys are resolved and the catalog is listed once before the daemon goes to the background: a \
      wrong key, region or endpoint is one line here, the exit status is 1, and nothing is mounted. \
      Nothing is deleted, dropped or renamed unless an option below allows it. Unmount with bergfs \
      umount, which says what was never published.

      Examples:
        bergfs mount lake /mnt/lake
        bergfs mount lake /mnt/lake --namespace sales --metadata-ttl 5 --foreground
        bergfs mount lake /mnt/lake --read-only --properties /etc/lake.properties
        bergfs mount lake /mnt/lake -o ro,allow-other,uid=1000,env.AWS_PROFILE=reader

      In /etc/fstab, see mount.bergfs(8):
        lake  /mnt/lake  bergfs  ro,_netdev,config=/etc/bergfs/catalogs.yaml  0 0
      """)

  @Argument(help: "The catalog's name in your configuration.", completion: .catalogs)
  var catalog: String

  @Argument(help: "An empty directory.", completion: .directory)
  var mountpoint: String

  @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions
  @OptionGroup(title: "Ownership and permissions") var ownership: OwnershipOptions
  @OptionGroup(title: "Logging") var logging: LogOptions

  @OptionGroup(title: "Writing") var writing: WritingOptions

  @Option(
    help: ArgumentHelp(
      "How long a change made elsewhere may stay unseen. (default: 1, or cache.expiration-interval-ms)", valueName: "seconds"))
  var metadataTTL: String?

  @Option(
    help: ArgumentHelp(
      "Memory for cached data, as 128M or 2GiB. (default: a quarter of the memory, 1GiB at most)", valueName: "size"))
  var memoryLimit: String?

  @OptionGroup(title: "Disk cache") var diskCache: DiskCacheOptions

  @Option(
    name: .customLong("namespace"), help: ArgumentHelp("Show only this namespace; may be repeated. (default: all)", valueName: "name"))
  var namespaces: [String] = []

  @Flag(help: "List the directory .iceberg of each table, which is found by its name in any case: find and du go into it then.")
  var showViews = false

  @Flag(help: "Let other users in (needs user_allow_other in /etc/fuse.conf unless you are root).")
  var allowOther = false

  @Flag(help: "Stay in the foreground and log to the terminal.")
  var foreground = false

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp("The same options in the form of mount(8), as ro,uid=1000; env.NAME=VALUE sets a variable.", valueName: "a,b=c"))
  var commaForm: [String] = []

  @Option(name: .customLong(String(CommandLineExpansion.sourceOption.dropFirst(2))), help: .hidden)
  var source: String?

  @Flag(name: .customLong(String(CommandLineExpansion.fakeOption.dropFirst(2))), help: .hidden)
  var isFake = false

  func run() async throws {
    let daemon = Bergfs.daemon
    let inputs = try configurationOptions.inputs(handedOver: daemon?.handover.properties.map { "\($0.key)=\($0.value.reveal())" } ?? [])
    var options = try mountOptions(inputs)
    let configuration = try CatalogConfiguration.load(catalog, from: inputs)
    if logging.logLevel == nil, let level = configuration.logLevel { options.logLevel = level }
    if isFake { return }
    if daemon == nil, !options.foreground {
      let arguments = try CommandLineExpansion.expand(
        Array(CommandLine.arguments.dropFirst()), calledAs: CommandLine.arguments.first ?? "bergfs")
      throw ExitCode(await MountEntry.start(options: options, configuration: configuration, arguments: arguments))
    }
    let (catalog, isGiven) = (catalog, logging.logLevel != nil)
    throw ExitCode(
      await MountEntry.serve(options: options, configuration: configuration, daemon: daemon) {
        // What cannot be read now leaves the level as it is.
        guard !isGiven, let fresh = try? CatalogConfiguration.load(catalog, from: inputs) else { return nil }
        return fresh.logLevel ?? .info
      })
  }

  private func mountOptions(_ inputs: ConfigurationInputs) throws(ConfigurationError) -> MountOptions {
    let limit: Int64 = if let memoryLimit { try OptionParsing.memoryLimit(memoryLimit) } else { MemoryLimit.defaultLimit() }
    var options = MountOptions(catalog: catalog, mountpoint: inputs.absolute(mountpoint), memoryLimit: limit)
    try writing.apply(to: &options, inputs)
    try diskCache.apply(to: &options, inputs)
    try options.checkTogether()
    if let metadataTTL { options.metadataTTL = try OptionParsing.metadataTTL(metadataTTL) }
    options.allowOther = allowOther
    options.showViews = showViews
    options.foreground = foreground
    options.source = source
    for namespace in namespaces { options.namespaces.append(try OptionParsing.namespace(namespace)) }
    try ownership.apply(to: &options)
    try logging.apply(to: &options, inputs)
    return options
  }
}
