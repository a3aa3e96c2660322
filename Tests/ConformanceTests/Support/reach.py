# SPDX-License-Identifier: Apache-2.0
"""Seeds a region of the emulator and says of every object there whether PyIceberg reaches it from an entry of the catalog.

Prints {"glue": {"owner": [namespace, table], "reached": [location], "others": [location]}, "dynamodb": …}. Besides what the seed makes there are
orphans beside data and metadata, a table under a new name at its old location, and one registered on an earlier metadata file of another.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "mount-scripts" / "lib"))

from pyiceberg.table import StaticTable
from seed_catalog import TABLES, seed
from seeding.connection import Connection, clear_environment, split_uri
from seeding.datafiles import Payloads
from seeding.metastores import DynamoDbMetastore, GlueMetastore
from seeding.objects import UPLOAD_THREADS, make_bucket
from seeding.tables import SHAPES

PREFIX = "reach"
RENAMED = ("sales", "customers"), ("web", "buyers")
REGISTERED = ("sales", "orders"), ("lab", "registered")


class Arguments:
    bucket_prefix = PREFIX
    broken = False


def reached_from(location, properties):
    """What one metadata file names, as PyIceberg's metadata tables tell it."""
    table = StaticTable.from_metadata(location, properties=properties)
    found = {location}
    found.update(entry.metadata_file for entry in table.metadata.metadata_log)
    found.update(snapshot.manifest_list for snapshot in table.metadata.snapshots)
    for statistics in (table.metadata.statistics, getattr(table.metadata, "partition_statistics", [])):
        found.update(entry.statistics_path for entry in statistics)
    if table.metadata.snapshots:
        found.update(table.inspect.all_manifests()["path"].to_pylist())
        found.update(table.inspect.all_files()["file_path"].to_pylist())
    return found, [entry.metadata_file for entry in table.metadata.metadata_log]


def reached_by(pointer, properties):
    found, log = reached_from(pointer, properties)
    for location in log:
        found |= reached_from(location, properties)[0]
    return found


def rename(metastore, source, target):
    location, _ = metastore.pointers(*source)
    metastore.put_pointer(*target, location)
    metastore.catalog.drop_table(source)


def register(metastore, source, target):
    location, _ = metastore.pointers(*source)
    table = StaticTable.from_metadata(location, properties=metastore.catalog.properties)
    metastore.put_pointer(*target, table.metadata.metadata_log[0].metadata_file)


def put_orphans(s3, metastore, tables):
    for table in tables:
        location, _ = metastore.pointers(*table)
        metadata = StaticTable.from_metadata(location, properties=metastore.catalog.properties).metadata
        root = metadata.location.rstrip("/")
        for path in ("data/orphan.parquet", "metadata/orphan-m0.avro", "metadata/99999-orphan.metadata.json"):
            bucket, key = split_uri(f"{root}/{path}")
            s3.put_object(Bucket=bucket, Key=key, Body=b"orphan")


def objects(s3, buckets):
    for bucket in buckets:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                yield f"s3://{bucket}/{entry['Key']}"


def describe(metastore, s3, connection, bucket, payloads):
    summary = seed(metastore, s3, payloads, Arguments)
    tables = [(table["namespace"], table["name"]) for table in summary["tables"]]
    put_orphans(s3, metastore, tables)
    rename(metastore, *RENAMED)
    register(metastore, *REGISTERED)
    tables = [RENAMED[1] if table == RENAMED[0] else table for table in tables] + [REGISTERED[1]]
    reached = set()
    for table in tables:
        reached |= reached_by(metastore.pointers(*table)[0], metastore.catalog.properties)
    everything = set(objects(s3, (bucket, f"{PREFIX}-elsewhere")))
    return {
        "owner": list(TABLES[0]),
        "reached": sorted(everything & reached),
        "others": sorted(everything - reached),
        "absent": sorted(reached - everything),
    }


def main():
    region = sys.argv[1]
    keys = os.environ["EMULATOR_ACCESS_KEY_ID"], os.environ["EMULATOR_SECRET_ACCESS_KEY"]
    endpoint = os.environ["EMULATOR_ENDPOINT"]
    clear_environment()
    connection = Connection(endpoint, region, *keys)
    s3 = connection.client("s3", connections=UPLOAD_THREADS * 2)
    payloads = Payloads(SHAPES["small"])
    make_bucket(s3, f"{PREFIX}-elsewhere", region)
    answer = {}
    for metastore_type, bucket in ((GlueMetastore, f"{PREFIX}-lake"), (DynamoDbMetastore, f"{PREFIX}-dynamodb")):
        make_bucket(s3, bucket, region)
        metastore = metastore_type(connection, f"s3://{bucket}/warehouse")
        answer[metastore.kind] = describe(metastore, s3, connection, bucket, payloads)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
