#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at and changes a seeded account as another client would: boto3 and PyIceberg. Answers are JSON on standard output.

The keys come from the environment, SEED_ACCESS_KEY and SEED_SECRET_KEY. Run it with the Python environment `clients`.
"""

import argparse
import hashlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from seeding.connection import Connection, clear_environment, keys_from_environment
from seeding.extras import one_column_table
from seeding.metastores import DynamoDbMetastore, GlueMetastore
from seeding.objects import UPLOAD_THREADS, put_all

METASTORES = {"glue": GlueMetastore, "dynamodb": DynamoDbMetastore}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", default="eu-central-1")
    commands = parser.add_subparsers(dest="command", required=True)

    objects = commands.add_parser("objects", help="key, size, etag, time and, with --digest, SHA-256 of every object below a prefix")
    objects.add_argument("bucket")
    objects.add_argument("prefix", nargs="?", default="")
    objects.add_argument("--digest", action="store_true")

    for name, text in (("pointer", "where the entry points"), ("append", "commit: append a copy of the table's first row")):
        command = commands.add_parser(name, help=text)
        command.add_argument("metastore", choices=sorted(METASTORES))
        command.add_argument("namespace")
        command.add_argument("table")

    create = commands.add_parser("create", help="a new table of one column, and its namespace if that is missing")
    create.add_argument("metastore", choices=sorted(METASTORES))
    create.add_argument("namespace")
    create.add_argument("table")
    create.add_argument("location")
    create.add_argument("--rows", type=int, default=10)

    put = commands.add_parser("put", help="put standard input at KEY, or COUNT copies at KEY00000 and on")
    put.add_argument("bucket")
    put.add_argument("key")
    put.add_argument("--count", type=int)

    delete = commands.add_parser("delete", help="delete an object")
    delete.add_argument("bucket")
    delete.add_argument("key")

    entries = commands.add_parser("entries", help="a new namespace of COUNT entries that all point at one metadata file")
    entries.add_argument("metastore", choices=sorted(METASTORES))
    entries.add_argument("namespace")
    entries.add_argument("count", type=int)
    entries.add_argument("metadata_location")

    user = commands.add_parser("user", help="a new user who may read everything, and keys of his: the emulator checks his signatures, not root's")
    user.add_argument("name")
    writer = commands.add_parser("writer", help="the same for a user who may also write, as a mount with every --allow-… option does")
    writer.add_argument("name")
    writer.add_argument("--bucket", action="append", default=[], help="writes objects in this bucket only; may be repeated")
    writer.add_argument("--catalog-table", default="iceberg", help="DynamoDB table of a catalog that may be written")
    writer.add_argument("--lock-table", help="DynamoDB table of locks, which the user may also make")
    return parser.parse_args()


def list_objects(connection, arguments):
    s3 = connection.client("s3", connections=UPLOAD_THREADS)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=arguments.bucket, Prefix=arguments.prefix)
    found = [
        {"key": entry["Key"], "size": entry["Size"], "etag": entry["ETag"], "last_modified": entry["LastModified"].timestamp()}
        for page in pages
        for entry in page.get("Contents", [])
    ]

    def add_digest(entry):
        body, digest = s3.get_object(Bucket=arguments.bucket, Key=entry["key"])["Body"], hashlib.sha256()
        for part in body.iter_chunks(1 << 20):
            digest.update(part)
        entry["sha256"] = digest.hexdigest()

    if arguments.digest:
        with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
            list(pool.map(add_digest, found))
    return found


def append(metastore, arguments):
    table = metastore.catalog.load_table((arguments.namespace, arguments.table))
    table.append(table.scan(limit=1).to_arrow())
    done = time.time_ns() // 1000
    return pointer(metastore, arguments) | {"microseconds": done}


def pointer(metastore, arguments):
    location, previous = metastore.pointers(arguments.namespace, arguments.table)
    return {"metadata_location": location, "previous_metadata_location": previous}


def create(metastore, arguments):
    if (arguments.namespace,) not in metastore.catalog.list_namespaces():
        metastore.catalog.create_namespace(arguments.namespace)
    one_column_table(metastore.catalog, arguments.namespace, arguments.table, arguments.location, arguments.rows)
    return pointer(metastore, arguments)


def put(connection, arguments):
    body = sys.stdin.buffer.read()
    count = arguments.count
    keys = [arguments.key] if count is None else [f"{arguments.key}{number:05d}" for number in range(count)]
    put_all(connection.client("s3", connections=UPLOAD_THREADS), arguments.bucket, ((key, body) for key in keys))
    return keys


def delete(connection, arguments):
    connection.client("s3").delete_object(Bucket=arguments.bucket, Key=arguments.key)
    return arguments.key


def entries(metastore, arguments):
    metastore.catalog.create_namespace(arguments.namespace)
    names = [f"table_{number:05d}" for number in range(arguments.count)]
    with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
        list(pool.map(lambda name: metastore.put_pointer(arguments.namespace, name, arguments.metadata_location), names))
    return names


READING = ["glue:Get*", "dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query", "s3:Get*", "s3:List*"]
# What a mount sends beyond reading; nothing here makes a bucket, a catalog table or a user.
WRITING_GLUE = ["CreateDatabase", "CreateTable", "DeleteDatabase", "DeleteTable", "UpdateTable"]
WRITING_ITEMS = ["ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"]
LOCKING = ["CreateTable", "DeleteItem", "DescribeTable", "GetItem", "PutItem"]
WRITING_OBJECTS = ["AbortMultipartUpload", "DeleteObject", "PutObject"]


def user(connection, arguments):
    return new_user(connection, arguments.name, "reader", [statement(READING)])


def writer(connection, arguments):
    statements = [
        statement(READING),
        statement([f"glue:{action}" for action in WRITING_GLUE]),
        statement([f"dynamodb:{action}" for action in WRITING_ITEMS], f"arn:aws:dynamodb:*:*:table/{arguments.catalog_table}"),
    ]
    if arguments.lock_table:
        statements.append(statement([f"dynamodb:{action}" for action in LOCKING], f"arn:aws:dynamodb:*:*:table/{arguments.lock_table}"))
    if arguments.bucket:
        objects = [f"arn:aws:s3:::{bucket}/*" for bucket in arguments.bucket]
        statements.append(statement([f"s3:{action}" for action in WRITING_OBJECTS], *objects))
    return new_user(connection, arguments.name, "writer", statements)


def statement(actions, *resources):
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources) or "*"}


def new_user(connection, name, policy_name, statements):
    iam = connection.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_user_policy(UserName=name, PolicyName=policy_name, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}


def main():
    arguments = parse_arguments()
    clear_environment()
    connection = Connection(arguments.endpoint, arguments.region, *keys_from_environment())
    in_storage = {"objects": list_objects, "put": put, "delete": delete, "user": user, "writer": writer}
    if arguments.command in in_storage:
        answer = in_storage[arguments.command](connection, arguments)
    else:
        metastore = METASTORES[arguments.metastore](connection, "s3://unused")
        in_catalog = {"append": append, "create": create, "pointer": pointer, "entries": entries}
        answer = in_catalog[arguments.command](metastore, arguments)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
