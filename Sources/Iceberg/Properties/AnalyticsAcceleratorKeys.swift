// SPDX-License-Identifier: Apache-2.0

/// Keys of the analytics accelerator library, whose work the block cache of the mount does. Source: spec/properties.md §4.5.
///
/// The library's sizes are plain numbers of bytes, whatever its documents write.
package enum AnalyticsAcceleratorKeys {
  package static let prefix = "s3.analytics-accelerator."
  package static let enabled = prefix + "enabled"
  package static let smallObjectsPrefetchingEnabled = prefix + "logicalio.small.objects.prefetching.enabled"
  package static let smallObjectSizeThreshold = prefix + "logicalio.small.object.size.threshold"
  package static let blockSizeBytes = prefix + "physicalio.blocksizebytes"
  package static let readAheadBytes = prefix + "physicalio.readaheadbytes"
  package static let maxRangeSizeBytes = prefix + "physicalio.maxrangesizebytes"
  package static let partSizeBytes = prefix + "physicalio.partsizebytes"
  package static let sequentialPrefetchBase = prefix + "physicalio.sequentialprefetch.base"
  package static let sequentialPrefetchSpeed = prefix + "physicalio.sequentialprefetch.speed"
  package static let metadataStoreCapacity = prefix + "physicalio.metadatastore.capacity"
  package static let userAgentPrefix = prefix + "useragentprefix"

  package static let definitions: [PropertyDefinition] =
    [
      PropertyDefinition(
        enabled, type: .boolean, default: "false", user: .s3,
        status: .mapped(
          "the keys below that say yes count only where it is `true`, which by itself changes nothing; sizes are bytes, without a unit, and a value "
            + "outside of a row's limits becomes the nearest inside"),
        "Read through the accelerator library.")
    ] + effective
    + ignored.map { suffix, value, meaning in
      PropertyDefinition(prefix + suffix, default: value, user: .s3, status: library, meaning)
    }

  private static let library = PropertyStatus.notApplicable("the block cache of the mount does this work")
  private static let positive = PropertyRange(minimum: 1, sentence: "the number of bytes must be above 0")
  private static let factor = PropertyRange(minimum: .leastNormalMagnitude, sentence: "a number above 0 is expected")

  private static let effective: [PropertyDefinition] = [
    PropertyDefinition(
      smallObjectsPrefetchingEnabled, type: .boolean, default: .described("those of at most 1179648 bytes"), user: .mount,
      status: .mapped("`true`: those of at most as many bytes as the next key says, else 3145728; `false`: none"),
      "Read small objects whole at the first touch."),
    PropertyDefinition(
      smallObjectSizeThreshold, type: .int64, default: "1179648", user: .mount, status: .mapped("at most 67108864"),
      "What a small object is, bytes.", range: positive),
    PropertyDefinition(
      blockSizeBytes, type: .int64, default: .described("grows with the window"), user: .mount,
      status: .mapped(
        "size of the requests ahead of a sequential reader, in whole MiB, at most that of the longest request; blocks of the cache stay 1 MiB"
      ),
      "Size of a block, bytes.", range: positive),
    PropertyDefinition(
      readAheadBytes, type: .int64, default: .described("up to 1048576 after reads of at most 65536"), user: .mount,
      status: .mapped("what a read outside of a sequence fetches at least, from its first byte on, in chunks of 16384; at most 67108864"),
      "Read-ahead, bytes.", range: positive),
    PropertyDefinition(
      maxRangeSizeBytes, type: .int64, default: "8388608", user: .mount,
      status: .mapped("the longest request, or `partsizebytes` if that is set and smaller; in whole MiB, from 1 to 64"),
      "Longest range of a request, bytes.", range: positive),
    PropertyDefinition(
      partSizeBytes, type: .int64, default: "8388608", user: .mount,
      status: .mapped("as `maxrangesizebytes`: the smaller of those set counts"),
      "Size of the requests that a longer range is cut into, bytes.", range: positive),
    PropertyDefinition(
      sequentialPrefetchBase, type: .double, default: "2.0", user: .mount, status: .mapped("1 to 64; the window ends at 67108864 bytes"),
      "How many times larger the window ahead of a sequential reader becomes at each step.", range: factor),
    PropertyDefinition(
      sequentialPrefetchSpeed, type: .double, default: "1.0", user: .mount, status: .mapped("at most 32"),
      "Steps of that growth for each step of the reader.", range: factor),
    PropertyDefinition(
      metadataStoreCapacity, type: .int32, default: "4096", user: .mount,
      status: .mapped("files of snapshots whose version (ETag) the next reader names in its first request; at most 65536"),
      "Objects whose attributes are kept.", range: PropertyRange(minimum: 1, sentence: "the number must be above 0")),
    PropertyDefinition(
      userAgentPrefix, user: .s3, status: .mapped("of every request to S3; ASCII, in which `()<>[]{}@,;:/\\=?` and blanks become `_`"),
      "Stands before the user agent."),
  ]

  private static let ignored: [(String, PropertyDefault, String)] = [
    ("logicalio.prefetch.footer.enabled", "true", "Prefetch Parquet footers."),
    ("logicalio.prefetch.page.index.enabled", "true", "Prefetch Parquet page indexes."),
    ("logicalio.prefetch.file.metadata.size", "32KB", "Size of prefetched metadata."),
    ("logicalio.prefetch.large.file.metadata.size", "1MB", "The same for large files."),
    ("logicalio.prefetch.file.page.index.size", "1MB", "Size of prefetched page indexes."),
    ("logicalio.prefetch.large.file.page.index.size", "8MB", "The same for large files."),
    ("logicalio.large.file.size", "1GB", "What a large file is."),
    ("logicalio.parquet.metadata.store.size", "45", "Parquet metadata kept."),
    ("logicalio.max.column.access.store.size", "15", "Column accesses kept."),
    ("logicalio.parquet.format.selector.regex", "^.*.(parquet|par)$", "Which files are Parquet."),
    ("logicalio.prefetching.mode", "ROW_GROUP", "`OFF`, `ALL`, `ROW_GROUP` or `COLUMN_BOUND`."),
    ("telemetry.level", "STANDARD", "`CRITICAL`, `STANDARD` or `VERBOSE`."),
    ("telemetry.std.out.enabled", "false", "Telemetry to standard output."),
    ("telemetry.logging.enabled", "true", "Telemetry to the log."),
    ("telemetry.aggregations.enabled", "false", "Aggregated telemetry."),
    ("telemetry.aggregations.flush.interval.seconds", "-1", "Period of aggregated telemetry."),
    ("telemetry.logging.level", "INFO", "Log level of telemetry."),
    ("telemetry.logging.name", "com.amazon.connector.s3.telemetry", "Logger of telemetry."),
    ("telemetry.format", "default", "Format of telemetry."),
  ]
}
