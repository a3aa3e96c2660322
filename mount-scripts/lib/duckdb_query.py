#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one SQL query in DuckDB with its Iceberg extension from PyPI, offline, and prints the rows. Needs the Python environment `clients`."""

import sys
from pathlib import Path

import duckdb


def connect():
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "autoinstall_known_extensions": "false"})
    # iceberg links to avro: this order.
    for name in ("avro", "iceberg"):
        package = Path(__import__(f"duckdb_extension_{name}").__file__).parent
        for extension in package.glob(f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"):
            connection.load_extension(str(extension))
            break
        else:
            sys.exit(f"no DuckDB extension {name} for DuckDB {duckdb.__version__} below {package}")
    return connection


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: duckdb_query.py SQL")
    connect().sql(sys.argv[1]).show()


if __name__ == "__main__":
    main()
