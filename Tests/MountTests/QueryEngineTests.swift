// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Query engines on a mounted catalog")
struct QueryEngineTests {
  /// Tables whose files all lie below the location, with a column that both engines can add up.
  private static let columns = [
    ("sales.orders", "order_id"), ("sales.customers", "customer_id"), ("web.clicks", "click_id"), ("web.pageviews", "view_id"),
    ("telemetry.readings", "reading_id"), ("lab.odd_keys", "id"),
  ]

  /// Count and sum of a column of each table, by PyIceberg from S3, or from the metadata in a mount.
  private static let pyIceberg = #"""
    import json, os, sys
    sys.path.insert(0, os.environ["SCRIPTS"])
    from seeding.connection import Connection
    from pyiceberg.table import StaticTable
    import pyarrow.compute as compute
    connection = Connection(os.environ["ENDPOINT"], os.environ["REGION"], os.environ["KEY"], os.environ["SECRET"])
    for argument in sys.argv[1:]:
        place, column = argument.rsplit("=", 1)
        table = StaticTable.from_metadata(place, properties=connection.catalog_properties())
        values = table.scan(selected_fields=(column,)).to_arrow()[column]
        print(len(values), compute.sum(values).as_py())
    """#

  private static func pyIceberg(_ places: [(place: String, column: String)]) async throws -> [String] {
    let emulator = try await EmulatorWithSeed.shared()
    return try await Shell.run(
      ProjectFiles.clientsPython, ["-c", pyIceberg] + places.map { "\($0.place)=\($0.column)" },
      environment: [
        "SCRIPTS": ProjectFiles.scripts, "ENDPOINT": emulator.endpoint, "REGION": EmulatorWithSeed.region,
        "KEY": emulator.reader.access, "SECRET": emulator.reader.secret, "PYTHONDONTWRITEBYTECODE": "1",
      ]
    ).succeeded().lines
  }

  @Test("DuckDB without any AWS variable reads the rows that PyIceberg reads from S3", arguments: Metastore.allCases)
  func duckDB(metastore: Metastore) async throws {
    try await MountedCatalog.with(metastore) { lake in
      let tables = try Self.columns.map { (table: try lake.seed.table($0.0), column: $0.1) }
      async let fromS3 = Self.pyIceberg(tables.map { ($0.table.metadataLocation, $0.column) })
      let program = #"""
        import os, sys
        sys.path.insert(0, os.environ["SCRIPTS"])
        from duckdb_query import connect
        connection = connect()
        connection.sql("SET enable_progress_bar = false")
        assert not [name for name in os.environ if name.startswith("AWS_")]
        for argument in sys.argv[1:]:
            place, column = argument.rsplit("=", 1)
            # A count alone is answered from the manifests.
            rows = f"SELECT count(*), sum({column}) FROM iceberg_scan('{place}', allow_moved_paths=true) AS t WHERE t::varchar IS NOT NULL"
            print(*connection.sql(rows).fetchone())
        """#
      let result = try await Shell.run(
        ProjectFiles.clientsPython, ["-c", program] + tables.map { "\(lake.path)/\($0.table.path)=\($0.column)" },
        environment: ["SCRIPTS": ProjectFiles.scripts, "PYTHONDONTWRITEBYTECODE": "1"])
      let expected = try await fromS3
      let rows = try result.succeeded().lines
      #expect(rows == expected)
      #expect(expected.map { $0.prefix { $0 != " " } } == tables.map { "\($0.table.rowCount)"[...] })
    }
  }

  @Test("PyIceberg opens a table by its directory in the mount")
  func staticTable() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let tables = try Self.columns.prefix(2).map { (table: try lake.seed.table($0.0), column: $0.1) }
      let counts = try await Self.pyIceberg(tables.map { ("\(lake.path)/\($0.table.path)", $0.column) }).map { $0.prefix { $0 != " " } }
      #expect(counts == tables.map { "\($0.table.rowCount)"[...] })
    }
  }

  @Test("PyArrow reads a Parquet file of the mount as a local file")
  func parquet() async throws {
    try await MountedCatalog.with(.glue) { lake in
      let program = #"""
        import glob, sys
        import pyarrow.parquet as parquet
        files = glob.glob(sys.argv[1] + "/web/clicks/data/*.parquet")
        print(len(files), sum(parquet.read_table(file, memory_map=True).num_rows for file in files))
        """#
      let clicks = try lake.seed.table("web.clicks")
      let result = try await Shell.run(ProjectFiles.clientsPython, ["-c", program, lake.path]).succeeded()
      #expect(result.trimmed == "\(clicks.dataFileCount) \(clicks.rowCount)")
    }
  }
}
