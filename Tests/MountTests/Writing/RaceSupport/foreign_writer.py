#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writers that know nothing of the mount: PyIceberg on Glue, and DynamoDbCatalog's own protocol spoken with boto3 on DynamoDB.

foreign_writer.py pyiceberg|dynamodb|keep-history ENDPOINT REGION NAMESPACE TABLE [NAME QUOTA SECONDS UNTIL]. Like mount_writer.py: the
property `race.NAME` is the number of the attempt, each attempt is one line of JSON on standard output, and it goes on until QUOTA attempts
were accepted and the file UNTIL exists. `keep-history METASTORE` makes the table remember every metadata file. The keys come from the
environment.
"""

import json
import os
import sys
import time
import uuid

import pyarrow as pa
from botocore.exceptions import ClientError
from pyiceberg.exceptions import CommitFailedException
from seeding.connection import Connection, clear_environment, keys_from_environment, split_uri
from seeding.metastores import DynamoDbMetastore, GlueMetastore, move_pointer

ROWS = 3


class PyIcebergWriter:
    """Each commit is a transaction of a property and of an append: a real snapshot."""

    def __init__(self, connection, namespace, table, name):
        self.catalog = GlueMetastore(connection, "s3://unused").catalog
        self.identifier, self.name = (namespace, table), name
        self.table = self.catalog.load_table(self.identifier)
        self.rows = pa.table({"id": list(range(ROWS))}, schema=self.table.scan(limit=1).to_arrow().schema)

    def attempt(self, number):
        try:
            with self.catalog.load_table(self.identifier).transaction() as transaction:
                transaction.set_properties({f"race.{self.name}": str(number)})
                transaction.append(self.rows, snapshot_properties={"race": f"{self.name}.{number}"})
        except CommitFailedException as refusal:
            return type(refusal.__cause__ or refusal).__name__
        return None


class DynamoDbWriter:
    """Reads the item, writes the next metadata file, reads the item again, and moves the pointer on condition of `v`, as Java does."""

    def __init__(self, connection, namespace, table, name):
        self.metastore = DynamoDbMetastore(connection, "s3://unused")
        self.s3, self.identifier, self.name = connection.client("s3"), (namespace, table), name

    def attempt(self, number):
        base = self.metastore.pointers(*self.identifier)[0]
        bucket, key = split_uri(base)
        document = json.load(self.s3.get_object(Bucket=bucket, Key=key)["Body"])
        entry = {"timestamp-ms": document["last-updated-ms"], "metadata-file": base}
        document["metadata-log"] = document.get("metadata-log", []) + [entry]
        document["last-updated-ms"] = max(time.time_ns() // 1_000_000, document["last-updated-ms"] + 1)
        document["properties"][f"race.{self.name}"] = str(number)
        directory, _, file = key.rpartition("/")
        key = f"{directory}/{int(file.split('-')[0]) + 1:05d}-{uuid.uuid4()}.metadata.json"
        self.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode(), IfNoneMatch="*")
        item = self.metastore.entry(*self.identifier)
        if item["p.metadata_location"]["S"] != base:
            reason = "moved"
        else:
            reason = self.move(item, f"s3://{bucket}/{key}")
        if reason:
            self.s3.delete_object(Bucket=bucket, Key=key)
        return reason

    def move(self, item, location):
        try:
            move_pointer(self.metastore.client, self.metastore.table_name, item, location)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code != "ConditionalCheckFailedException":
                raise
            return code
        return None


def run(writer, name, quota, seconds, until):
    deadline, count, number = time.monotonic() + seconds, 0, 0
    while count < quota or not os.path.exists(until):
        if time.monotonic() > deadline:
            sys.exit(f"{name}: {count} of {quota} commits in {seconds} s")
        number += 1
        started, reason = time.time(), writer.attempt(number)
        line = {"writer": name, "attempt": number, "outcome": "refused" if reason else "accepted"}
        line |= {"started": started, "ended": time.time(), "foreign": True}
        print(json.dumps(line | ({"errno": reason} if reason else {})), flush=True)
        count += reason is None


def keep_history(metastore, namespace, table):
    with metastore.catalog.load_table((namespace, table)).transaction() as transaction:
        transaction.set_properties({"write.metadata.previous-versions-max": "100000"})


def main():
    command, endpoint, region, *rest = sys.argv[1:]
    clear_environment()
    connection = Connection(endpoint, region, *keys_from_environment())
    if command == "keep-history":
        kind, *identifier = rest
        keep_history({"glue": GlueMetastore, "dynamodb": DynamoDbMetastore}[kind](connection, "s3://unused"), *identifier)
        return
    namespace, table, name, quota, seconds, until = rest
    kinds = {"pyiceberg": PyIcebergWriter, "dynamodb": DynamoDbWriter}
    run(kinds[command](connection, namespace, table, name), name, int(quota), float(seconds), until)


main()
