#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a table with many files and snapshots in Glue, of metadata only: its data files are not there.

make_table.py NAMESPACE NAME LOCATION FILES MANIFESTS SNAPSHOTS. The first MANIFESTS snapshots add the files in equal parts; the others, up to
SNAPSHOTS, are as the last of those, a second apart. Keys as for account.py; prints the metadata location.
"""

import json
import os
import sys
import uuid

from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType

sys.path.insert(0, os.environ["SCRIPTS"])
from seeding.connection import Connection, keys_from_environment, split_uri  # noqa: E402
from seeding.metastores import GlueMetastore  # noqa: E402

SCHEMA = Schema(NestedField(1, "id", LongType(), required=True), NestedField(2, "day", StringType(), required=False))
PARTITIONS = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "day"))


def data_file(location, number):
    day = f"2026-11-{1 + number % 30:02d}"
    return DataFile.from_args(
        content=DataFileContent.DATA, file_path=f"{location}/data/day={day}/{number:05d}-{uuid.uuid4()}.parquet",
        file_format=FileFormat.PARQUET, partition=Record(day), record_count=100 + number, file_size_in_bytes=1_000 + number,
        column_sizes={1: 100, 2: 200}, value_counts={1: 100, 2: 100}, null_value_counts={1: 0, 2: 0}, nan_value_counts={},
        lower_bounds={1: number.to_bytes(8, "little")}, upper_bounds={1: (number + 100).to_bytes(8, "little")}, split_offsets=[4],
        sort_order_id=None, spec_id=0, equality_ids=None, key_metadata=None,
    )  # fmt: skip


def with_snapshots(document, count):
    """The document with copies of its last snapshot, each a second after the one before, so many in all."""
    last = document["snapshots"][-1]
    for number in range(len(document["snapshots"]), count):
        sequence, time = document["last-sequence-number"] + 1, last["timestamp-ms"] + 1000 * (number + 1)
        copy = {**last, "snapshot-id": number + 1, "parent-snapshot-id": document["current-snapshot-id"], "timestamp-ms": time, "sequence-number": sequence}
        document["snapshots"].append(copy)
        document["snapshot-log"].append({"timestamp-ms": time, "snapshot-id": copy["snapshot-id"]})
        document.update({"last-sequence-number": sequence, "current-snapshot-id": copy["snapshot-id"], "last-updated-ms": time})
        document["refs"]["main"]["snapshot-id"] = copy["snapshot-id"]
    return document


def main():
    namespace, name, location = sys.argv[1:4]
    files, manifests, snapshots = map(int, sys.argv[4:])
    connection = Connection(os.environ["ENDPOINT"], os.environ["REGION"], *keys_from_environment())
    metastore = GlueMetastore(connection, location)
    metastore.catalog.create_namespace_if_not_exists(namespace)
    table = metastore.catalog.create_table((namespace, name), SCHEMA, location=location, partition_spec=PARTITIONS)
    for part in range(manifests):
        with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
            for number in range(part, files, manifests):
                append.append_data_file(data_file(location, number))
    s3 = connection.client("s3")
    bucket, key = split_uri(table.metadata_location)
    document = with_snapshots(json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), snapshots)
    key = f"{key.rpartition('/')[0]}/{manifests + 1:05d}-{uuid.uuid4()}.metadata.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    metastore.repoint(namespace, name, f"s3://{bucket}/{key}")
    print(f"s3://{bucket}/{key}")


if __name__ == "__main__":
    main()
