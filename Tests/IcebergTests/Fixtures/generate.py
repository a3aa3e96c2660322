# SPDX-License-Identifier: Apache-2.0
"""Writes the PyIceberg fixtures of this directory. Needs pyiceberg[sql-sqlite,pyarrow]==0.11.1; run as `generate.py <directory>`.

The tables live in a scratch directory; its path becomes s3://lake/warehouse in the files, nothing else is changed.
"""

import gzip
import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

target = Path(sys.argv[1])
scratch = Path(tempfile.mkdtemp())
catalog = SqlCatalog("fixtures", uri=f"sqlite:///{scratch}/catalog.db", warehouse=f"file://{scratch}")
catalog.create_namespace("sales")
schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))
rows = pa.table({"id": [1, 2], "name": ["fjord", "berg"]})


def keep(table, name):
    path = Path(table.metadata_location.removeprefix("file://"))
    text = path.read_text().replace(f"file://{scratch}", "s3://lake/warehouse")
    (target / name).write_text(text)
    if name == "pyiceberg-v2.metadata.json":
        (target / "pyiceberg-v2.gz.metadata.json").write_bytes(gzip.compress(text.encode(), mtime=0))


for version in ("1", "2"):
    table = catalog.create_table(
        f"sales.v{version}",
        schema,
        properties={
            "format-version": version,
            "owner": "ops ✓",
            "write.metadata.path": f"file://{scratch}/meta/v{version}/",
        }
        if version == "2"
        else {"format-version": version},
    )
    keep(table, f"pyiceberg-v{version}-created.metadata.json")
    table.append(rows)
    table.append(rows)
    with table.manage_snapshots() as snapshots:
        snapshots.create_tag(table.metadata.snapshots[0].snapshot_id, "first")
        snapshots.create_branch(table.metadata.snapshots[1].snapshot_id, "audit")
    keep(table, f"pyiceberg-v{version}.metadata.json")

shutil.rmtree(scratch)
