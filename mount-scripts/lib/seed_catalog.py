#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills an empty account (an emulator's) with an Iceberg catalog in Glue and one in DynamoDB, their files in S3.

The catalogs hold the same tables at different locations, plus what only one of them can hold. A JSON summary of all that was made goes to
--summary (default: standard output). The keys come from the environment, SEED_ACCESS_KEY and SEED_SECRET_KEY.
Run it with the Python environment `clients`.
"""

import argparse
import json
import sys
import time

from seeding.connection import Connection, clear_environment, keys_from_environment
from seeding.datafiles import Payloads
from seeding.extras import seed_broken, seed_dynamodb, seed_glue
from seeding.metastores import DynamoDbMetastore, GlueMetastore
from seeding.objects import UPLOAD_THREADS, make_bucket
from seeding.summary import describe_metastore
from seeding.tables import SHAPES, Seeder

TABLES = (
    ("sales", "orders"),
    ("sales", "customers"),
    ("sales", "inventory"),
    ("web", "clicks"),
    ("web", "pageviews"),
    ("telemetry", "readings"),
    ("lab", "relocated"),
    ("lab", "compressed"),
    ("lab", "odd_keys"),
)
NAMESPACES = ["lab", "sales", "telemetry", "vacant", "web"]
EXTRA_NAMESPACES = {"glue": [], "dynamodb": ["archive.cold", "logistics", "logistics.eu"]}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True, help="URL that serves S3, Glue and DynamoDB")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--size", choices=sorted(SHAPES), default="demo")
    parser.add_argument("--bucket-prefix", default="bergfs", help="buckets are PREFIX-lake, PREFIX-dynamodb and PREFIX-elsewhere")
    parser.add_argument("--metastore", choices=["glue", "dynamodb", "both"], default="both")
    parser.add_argument("--broken", action="store_true", help="also a namespace of tables whose metadata cannot be read")
    parser.add_argument("--summary", type=argparse.FileType("w"), default=sys.stdout, help="file for the JSON summary")
    return parser.parse_args()


def seed(metastore, s3, payloads, arguments):
    seeder = Seeder(metastore, s3, payloads, f"{arguments.bucket_prefix}-elsewhere")
    odd_keys = seeder.all()
    extra = (seed_glue if metastore.kind == "glue" else seed_dynamodb)(metastore)
    hidden = metastore.put_hidden_entries("lab")
    broken = seed_broken(metastore, s3) if arguments.broken else []
    namespaces = sorted(NAMESPACES + EXTRA_NAMESPACES[metastore.kind] + (["broken"] if broken else []))
    return describe_metastore(metastore, (*TABLES, *extra), namespaces, hidden, odd_keys, broken)


def main():
    arguments = parse_arguments()
    clear_environment()
    started = time.monotonic()
    connection = Connection(arguments.endpoint, arguments.region, *keys_from_environment())
    s3 = connection.client("s3", connections=UPLOAD_THREADS * 2)
    make_bucket(s3, f"{arguments.bucket_prefix}-elsewhere", arguments.region)
    payloads = Payloads(SHAPES[arguments.size])
    summary = {"size": arguments.size, "endpoint": arguments.endpoint, "region": arguments.region, "catalogs": {}}
    for kind, bucket, metastore_type in (("glue", "lake", GlueMetastore), ("dynamodb", "dynamodb", DynamoDbMetastore)):
        if arguments.metastore not in (kind, "both"):
            continue
        make_bucket(s3, f"{arguments.bucket_prefix}-{bucket}", arguments.region)
        metastore = metastore_type(connection, f"s3://{arguments.bucket_prefix}-{bucket}/warehouse")
        summary["catalogs"][kind] = seed(metastore, s3, payloads, arguments)
    summary["seconds"] = round(time.monotonic() - started, 1)
    json.dump(summary, arguments.summary, indent=1, ensure_ascii=True)
    arguments.summary.write("\n")


if __name__ == "__main__":
    main()
