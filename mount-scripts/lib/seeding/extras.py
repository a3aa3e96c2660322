# SPDX-License-Identifier: Apache-2.0
"""What only one metastore can hold, and entries that a reader must not show or cannot read."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.types import LongType, NestedField

from seeding.connection import split_uri

# (namespace, table) of DynamoDB entries that PyIceberg could not make: nested namespaces, one of them below a parent without an item, and
# names that are no file names.
DYNAMODB_TABLES = (
    ("logistics.eu", "shipments"),
    ("archive.cold", "shipments"),
    ("lab", "100% odd/name"),
    ("lab", "\u00fcn\u00efcode \U0001f9ca"),
)


ONE_COLUMN = Schema(NestedField(1, "id", LongType(), required=True))


def one_column_document(location):
    """The metadata that creates such a table, as text."""
    return new_table_metadata(ONE_COLUMN, UNPARTITIONED_PARTITION_SPEC, UNSORTED_SORT_ORDER, location).model_dump_json()


def one_column_table(catalog, namespace, name, location, rows=10):
    table = catalog.create_table((namespace, name), ONE_COLUMN, location=location)
    table.append(one_column_rows(table, rows))
    return table


def one_column_rows(table, count):
    return pa.table({"id": list(range(count))}, schema=schema_to_pyarrow(table.schema(), include_field_ids=False))


def one_column_file(path):
    """A Parquet file of such a table that no writer of Iceberg made: it has no field ids."""
    pq.write_table(pa.table({"id": [1, 2, 3]}, schema=schema_to_pyarrow(ONE_COLUMN, include_field_ids=False)), path)


def seed_dynamodb(metastore):
    metastore.put_namespace("logistics", {})
    metastore.put_namespace("logistics.eu", {"default_location": f"{metastore.warehouse}/logistics.eu.db"})
    metastore.put_namespace("archive.cold", {})
    for number, (namespace, name) in enumerate(DYNAMODB_TABLES):
        one_column_table(metastore.catalog, "lab", "made_to_move", f"{metastore.warehouse}/extras/{number}")
        metastore.adopt(("lab", "made_to_move"), namespace, name)
    return DYNAMODB_TABLES


def seed_glue(metastore):
    metastore.mark_in_lower_case("lab", "relocated")
    return ()


def seed_broken(metastore, s3):
    """Tables whose pointer leads to no readable metadata. Returns (namespace, name, why) of each."""
    metastore.catalog.create_namespace("broken")
    made = []
    for name in ("pointer_gone", "not_json", "gzip_under_plain_name"):
        table = one_column_table(metastore.catalog, "broken", name, f"{metastore.warehouse}/broken/{name}")
        bucket, key = split_uri(table.metadata_location)
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.delete_object(Bucket=bucket, Key=key)
        if name == "not_json":
            s3.put_object(Bucket=bucket, Key=key, Body=b"<html>" + body)
        elif name == "gzip_under_plain_name":
            s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(body))
        made.append({"namespace": "broken", "name": name, "metadata_location": table.metadata_location})
    return made
