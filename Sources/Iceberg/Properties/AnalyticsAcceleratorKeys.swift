// SPDX-License-Identifier: Apache-2.0

/// Keys of the analytics accelerator library. Source: spec/properties.md §4.5.
package enum AnalyticsAcceleratorKeys {
  package static let prefix = "s3.analytics-accelerator."

  package static let definitions: [PropertyDefinition] =
    [
      PropertyDefinition(
        prefix + "enabled", type: .boolean, default: "false", user: .s3, status: library, "Read through the accelerator library.")
    ]
    + rows.map { suffix, value, meaning in
      PropertyDefinition(prefix + suffix, default: value, user: .s3, status: library, meaning)
    }

  private static let library = PropertyStatus.notApplicable("the block cache of the mount does this work")

  private static let rows: [(String, PropertyDefault, String)] = [
    ("logicalio.prefetch.footer.enabled", "true", "Prefetch Parquet footers."),
    ("logicalio.prefetch.page.index.enabled", "true", "Prefetch Parquet page indexes."),
    ("logicalio.prefetch.file.metadata.size", "32KB", "Size of prefetched metadata."),
    ("logicalio.prefetch.large.file.metadata.size", "1MB", "The same for large files."),
    ("logicalio.prefetch.file.page.index.size", "1MB", "Size of prefetched page indexes."),
    ("logicalio.prefetch.large.file.page.index.size", "8MB", "The same for large files."),
    ("logicalio.large.file.size", "1GB", "What a large file is."),
    ("logicalio.small.objects.prefetching.enabled", "true", "Read small objects whole."),
    ("logicalio.small.object.size.threshold", "3MB", "What a small object is."),
    ("logicalio.parquet.metadata.store.size", "45", "Parquet metadata kept."),
    ("logicalio.max.column.access.store.size", "15", "Column accesses kept."),
    ("logicalio.parquet.format.selector.regex", "^.*.(parquet|par)$", "Which files are Parquet."),
    ("logicalio.prefetching.mode", "ROW_GROUP", "`OFF`, `ALL`, `ROW_GROUP` or `COLUMN_BOUND`."),
    ("physicalio.metadatastore.capacity", "50", "Object attributes kept."),
    ("physicalio.blocksizebytes", "8MB", "Size of a cache block."),
    ("physicalio.readaheadbytes", "64KB", "Read-ahead."),
    ("physicalio.maxrangesizebytes", "8MB", "Largest range of a request."),
    ("physicalio.partsizebytes", "8MB", "Size of a part of a range."),
    ("physicalio.sequentialprefetch.base", "2.0", "Growth of the prefetch window."),
    ("physicalio.sequentialprefetch.speed", "1.0", "Speed of that growth."),
    ("telemetry.level", "STANDARD", "`CRITICAL`, `STANDARD` or `VERBOSE`."),
    ("telemetry.std.out.enabled", "false", "Telemetry to standard output."),
    ("telemetry.logging.enabled", "true", "Telemetry to the log."),
    ("telemetry.aggregations.enabled", "false", "Aggregated telemetry."),
    ("telemetry.aggregations.flush.interval.seconds", "-1", "Period of aggregated telemetry."),
    ("telemetry.logging.level", "INFO", "Log level of telemetry."),
    ("telemetry.logging.name", "com.amazon.connector.s3.telemetry", "Logger of telemetry."),
    ("telemetry.format", "default", "Format of telemetry."),
    ("useragentprefix", .unset, "Prefix of the user agent."),
  ]
}
