# SPDX-License-Identifier: Apache-2.0
"""Writes the histories of this directory: every metadata file and manifest list of tables that PyIceberg made and changed.

Needs pyiceberg[sql-sqlite,pyarrow]==0.11.1; run as `generate_histories.py <directory>`. Locations are those PyIceberg wrote; only the
files behind s3://lake/ lie in a scratch directory. `index.txt` of a history has a line an object, the metadata files in the order of
their commits: `metadata <location>`, `list <location>` (both kept as <last segment>), `object <location> <bytes>` (not kept).
"""

import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from pyarrow.fs import LocalFileSystem
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO
from pyiceberg.schema import Schema
from pyiceberg.table.statistics import StatisticsFile
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform
from pyiceberg.types import IntegerType, ListType, LongType, MapType, NestedField, StringType, StructType, TimestamptzType

target = Path(sys.argv[1])
scratch = Path(tempfile.mkdtemp())


class LakeIO(PyArrowFileIO):
    """Keeps s3://lake/ in a directory."""

    def path(self, location):
        path = scratch / location.removeprefix("s3://lake/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def new_input(self, location):
        return PyArrowFile(location=location, path=self.path(location), fs=LocalFileSystem())

    new_output = new_input


sys.modules["lake_io"] = sys.modules[__name__]
catalog = SqlCatalog(
    "fixtures", **{"uri": f"sqlite:///{scratch}/catalog.db", "warehouse": "s3://lake/warehouse", "py-io-impl": "lake_io.LakeIO"}
)
catalog.create_namespace("sales")
schema = Schema(
    NestedField(1, "id", IntegerType(), required=True),
    NestedField(2, "at", TimestamptzType()),
    NestedField(3, "place", StructType(NestedField(4, "city", StringType()), NestedField(5, "zip", StringType()))),
    NestedField(6, "tags", ListType(7, StringType())),
    NestedField(8, "notes", MapType(9, StringType(), 10, StringType())),
    identifier_field_ids=[1],
)


class History:
    def __init__(self, name, table):
        self.name, self.table, self.files = name, table, []
        self.keep()

    def keep(self):
        self.table.refresh()
        if self.table.metadata_location not in self.files:
            self.files.append(self.table.metadata_location)

    def rows(self, count):
        arrow = self.table.schema().as_arrow()
        return pa.Table.from_pylist(
            [{**{field.name: None for field in arrow}, "id": number} for number in range(count)], schema=arrow
        )

    def append(self, count=2, branch="main"):
        self.table.append(self.rows(count), branch=branch)
        self.keep()

    def change(self, start, *calls):
        with start() as update:
            for call in calls:
                call(update)
        self.keep()

    def write(self):
        directory = target / self.name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        lines = []
        for file in self.files:
            (directory / file.split("/")[-1]).write_bytes((scratch / file.removeprefix("s3://lake/")).read_bytes())
            lines.append(f"metadata {file}")
        for path in sorted((scratch / "warehouse/sales" / self.name / "metadata").glob("*.avro")):
            location = f"s3://lake/{path.relative_to(scratch)}"
            if path.name.startswith("snap-"):
                (directory / path.name).write_bytes(path.read_bytes())
                lines.append(f"list {location}")
            else:
                lines.append(f"object {location} {path.stat().st_size}")
        (directory / "index.txt").write_text("\n".join(lines) + "\n")


for version in ("1", "2"):
    h = History(
        f"history_v{version}",
        catalog.create_table(f"sales.history_v{version}", schema, properties={"format-version": version, "owner": "ops ✓"}),
    )
    h.append()
    h.append(3)
    first, second = (s.snapshot_id for s in h.table.metadata.snapshots)
    h.change(h.table.manage_snapshots, lambda u: u.create_tag(first, "first"), lambda u: u.create_branch(second, "audit"))
    h.append(1, branch="audit")
    h.change(h.table.update_schema, lambda u: u.add_column("amount", LongType()), lambda u: u.update_column("id", LongType()))
    h.change(h.table.update_schema, lambda u: u.rename_column("amount", "price"), lambda u: u.add_column(("place", "street"), StringType()))
    h.append()
    h.change(h.table.update_spec, lambda u: u.add_field("id", BucketTransform(4), "id_bucket"))
    h.append()
    h.change(h.table.update_spec, lambda u: u.add_field("at", DayTransform(), "at_day"))
    if version == "2":  # PyIceberg cannot append by a spec with a field that version 1 turned into void.
        h.change(h.table.update_spec, lambda u: u.remove_field("id_bucket"))
    h.change(h.table.update_sort_order, lambda u: u.asc("id", IdentityTransform()))
    h.change(h.table.update_schema, lambda u: u.delete_column("price"))
    h.append()
    h.table.overwrite(h.rows(2))
    h.keep()
    h.table.delete("id = 1")
    h.keep()
    h.change(h.table.transaction, lambda t: t.set_properties({"write.metadata.previous-versions-max": "12", "comment": "a"}))
    h.change(h.table.transaction, lambda t: t.remove_properties("comment"))
    h.change(h.table.manage_snapshots, lambda u: u.rollback_to_snapshot(h.table.metadata.snapshots[-2].parent_snapshot_id))
    h.append()
    h.change(h.table.manage_snapshots, lambda u: u.remove_branch("audit"))
    current = h.table.metadata.current_snapshot_id
    h.change(
        h.table.update_statistics,
        lambda u: u.set_statistics(
            StatisticsFile(
                snapshot_id=current,
                statistics_path=f"s3://lake/warehouse/sales/history_v{version}/metadata/a.puffin",
                file_size_in_bytes=10,
                file_footer_size_in_bytes=5,
                blob_metadata=[],
            )
        ),
    )
    h.change(h.table.maintenance.expire_snapshots, lambda u: u.by_id(second))
    if version == "1":
        h.change(h.table.transaction, lambda t: t.upgrade_table_version(2))
        h.append()
    h.write()
    print(h.name, len(h.files))

shutil.rmtree(scratch)
