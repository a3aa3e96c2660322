# SPDX-License-Identifier: Apache-2.0
"""Needs the Python environment `clients`.

parquet_query.py --write FILE: a Parquet file of 200 MB, 20 columns of numbers that do not compress
parquet_query.py PATH: sums two columns of it in DuckDB
parquet_query.py --s3 ENDPOINT URL: the same from S3, by DuckDB's own httpfs
Each prints what it found as JSON; starting DuckDB and loading the extension are not counted.
"""

import json
import os
import sys
import time
from pathlib import Path

import duckdb

COLUMNS = 20
ROWS = 1_310_720
GROUP = 122_880


def write(path: str) -> None:
    import pyarrow
    from pyarrow import parquet

    def column(rows: int) -> pyarrow.Array:
        return pyarrow.Array.from_buffers(pyarrow.int64(), rows, [None, pyarrow.py_buffer(os.urandom(8 * rows))])

    schema = pyarrow.schema([(f"c{number}", pyarrow.int64()) for number in range(COLUMNS)])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, ROWS, GROUP):
            rows = min(GROUP, ROWS - start)
            writer.write_table(pyarrow.table([column(rows) for _ in range(COLUMNS)], schema=schema), row_group_size=GROUP)
    print("{}")


def connect(endpoint: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "autoinstall_known_extensions": "false"})
    if endpoint:
        package = Path(__import__("duckdb_extension_httpfs").__file__).parent
        (extension,) = package.glob(f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension")
        connection.load_extension(str(extension))
        host = endpoint.removeprefix("http://")
        connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{os.environ['BENCH_ACCESS_KEY']}', SECRET '{os.environ['BENCH_SECRET_KEY']}', "
            f"REGION 'us-east-1', ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false)"
        )
    return connection


def main() -> None:
    if sys.argv[1] == "--write":
        return write(sys.argv[2])
    endpoint, path = (sys.argv[2], sys.argv[3]) if sys.argv[1] == "--s3" else ("", sys.argv[1])
    connection = connect(endpoint)
    begun = time.monotonic()
    row = connection.execute("SELECT sum(c3), sum(c17) FROM read_parquet(?)", [path]).fetchone()
    print(json.dumps({"seconds": time.monotonic() - begun, "sum": str(row)}))


if __name__ == "__main__":
    main()
