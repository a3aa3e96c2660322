#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at and changes a seeded account as another client would: boto3 and PyIceberg. Answers are JSON on standard output.

The keys come from the environment, SEED_ACCESS_KEY and SEED_SECRET_KEY. Run it with the Python environment `clients`.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import shlex
import shutil
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from seeding.connection import Connection, clear_environment, keys_from_environment
from seeding.extras import one_column_document, one_column_file, one_column_rows, one_column_table
from seeding.metastores import DynamoDbMetastore, GlueMetastore
from seeding.objects import UPLOAD_THREADS, make_bucket, put_all

METASTORES = {"glue": GlueMetastore, "dynamodb": DynamoDbMetastore}


def argument_parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", default="eu-central-1")
    commands = parser.add_subparsers(dest="command", required=True)

    objects = commands.add_parser("objects", help="key, size, etag, time and, with --digest, SHA-256 of every object below a prefix")
    objects.add_argument("bucket")
    objects.add_argument("prefix", nargs="?", default="")
    objects.add_argument("--digest", action="store_true")

    for name, text in (("pointer", "where the entry points"), ("append", "commit: append a copy of the table's first row, or a first row of one column")):
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

    bucket = commands.add_parser("bucket", help="a new bucket")
    bucket.add_argument("bucket")

    put = commands.add_parser("put", help="put standard input at KEY, or COUNT copies at KEY00000 and on")
    put.add_argument("bucket")
    put.add_argument("key")
    put.add_argument("--count", type=int)

    attributes = commands.add_parser("attributes", help="what an object carries: encryption, storage class, tags, grants")
    attributes.add_argument("bucket")
    attributes.add_argument("key")
    attributes.add_argument("--customer-key", help="32 bytes in hexadecimal: the object is read with SSE-C")

    acls = commands.add_parser("allow-acls", help="objects of a bucket may have ACLs")
    acls.add_argument("bucket")

    encrypt = commands.add_parser("encrypt", help="put every object below a prefix anew with SSE-C")
    encrypt.add_argument("bucket")
    encrypt.add_argument("prefix")
    encrypt.add_argument("customer_key")

    delete = commands.add_parser("delete", help="delete an object")
    delete.add_argument("bucket")
    delete.add_argument("key")

    entries = commands.add_parser("entries", help="a new namespace of COUNT entries that all point at one metadata file")
    entries.add_argument("metastore", choices=sorted(METASTORES))
    entries.add_argument("namespace")
    entries.add_argument("count", type=int)
    entries.add_argument("metadata_location")

    row = commands.add_parser("row", help="put a row of Java's shape into DynamoDB's catalog, whatever else it holds; without a location, delete it")
    row.add_argument("identifier")
    row.add_argument("namespace")
    row.add_argument("metadata_location", nargs="?")

    for name, text in (("lock-table", "a table of locks as Java makes it, if there is none"), ("items", "every item of a DynamoDB table, strings only")):
        command = commands.add_parser(name, help=text)
        command.add_argument("table")

    user = commands.add_parser("user", help="a new user who may read everything, and keys of his: the emulator checks his signatures, not root's")
    user.add_argument("name")
    writer = commands.add_parser("writer", help="the same for a user who may also write, as a mount with every --allow-… option does")
    writer.add_argument("name")
    writer.add_argument("--bucket", action="append", default=[], help="writes objects in this bucket only; may be repeated")
    writer.add_argument("--catalog-table", default="iceberg", help="DynamoDB table of a catalog that may be written")
    writer.add_argument("--lock-table", help="DynamoDB table of locks, which the user may also make")

    uploads = commands.add_parser("uploads", help="keys of the multipart uploads below a prefix that nobody has ended")
    uploads.add_argument("bucket")
    uploads.add_argument("prefix", nargs="?", default="")

    for name, text in (("table", "what PyIceberg loads"), ("exists", "whether the catalog has an entry")):
        command = commands.add_parser(name, help=text)
        command.add_argument("metastore", choices=sorted(METASTORES))
        command.add_argument("namespace")
        command.add_argument("table")

    files = commands.add_parser("files", help="every file that the entry, its log and any snapshot name")
    files.add_argument("metastore", choices=sorted(METASTORES))
    files.add_argument("namespace")
    files.add_argument("table")

    add_file = commands.add_parser("add-file", help="commit: append a Parquet file that lies in S3 already")
    add_file.add_argument("metastore", choices=sorted(METASTORES))
    add_file.add_argument("namespace")
    add_file.add_argument("table")
    add_file.add_argument("location")

    rows = commands.add_parser("rows", help="write a Parquet file of one column, without field ids, to FILE on this machine")
    rows.add_argument("file")

    namespaces = commands.add_parser("namespaces", help="the namespaces of the catalog")
    namespaces.add_argument("metastore", choices=sorted(METASTORES))

    document = commands.add_parser("document", help="write the first metadata of a table of one column at LOCATION into FILE")
    document.add_argument("location")
    document.add_argument("file")

    serve = commands.add_parser("serve", help="run commands from standard input, one a line, in one process: ANSWER-FILE INPUT-FILE ARGUMENT...")
    serve.add_argument("directory", help="removed at the end of the input")
    return parser


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
    row = table.scan(limit=1).to_arrow()
    table.append(row if row.num_rows else one_column_rows(table, 1))
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


def table(metastore, arguments):
    loaded = metastore.catalog.load_table((arguments.namespace, arguments.table))
    return pointer(metastore, arguments) | {
        "uuid": str(loaded.metadata.table_uuid),
        "properties": dict(loaded.properties),
        # As text: a snapshot id has more digits than many readers of JSON keep.
        "snapshots": [str(snapshot.snapshot_id) for snapshot in loaded.snapshots()],
        "rows": loaded.scan().to_arrow().num_rows,
    }


def exists(metastore, arguments):
    try:
        return bool(metastore.pointers(arguments.namespace, arguments.table))
    except (KeyError, metastore.client.exceptions.ClientError):
        return False


def files(metastore, arguments):
    loaded = metastore.catalog.load_table((arguments.namespace, arguments.table))
    found = {loaded.metadata_location} | {entry.metadata_file for entry in loaded.metadata.metadata_log}
    for snapshot in loaded.snapshots():
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(loaded.io):
            found.add(manifest.manifest_path)
            found |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(loaded.io, discard_deleted=True)}
    return sorted(found)


def add_file(metastore, arguments):
    loaded = metastore.catalog.load_table((arguments.namespace, arguments.table))
    loaded.add_files([arguments.location])
    return pointer(metastore, arguments)


def rows(arguments):
    one_column_file(arguments.file)
    return arguments.file


def namespaces(metastore, arguments):
    return [".".join(namespace) for namespace in metastore.catalog.list_namespaces()]


def document(arguments):
    with open(arguments.file, "w", encoding="utf-8") as file:
        file.write(one_column_document(arguments.location))
    return arguments.file


def uploads(connection, arguments):
    pages = connection.client("s3").get_paginator("list_multipart_uploads").paginate(Bucket=arguments.bucket, Prefix=arguments.prefix)
    return [upload["Key"] for page in pages for upload in page.get("Uploads", [])]


def bucket(connection, arguments):
    make_bucket(connection.client("s3"), arguments.bucket, arguments.region)
    return arguments.bucket


def put(connection, arguments):
    body = arguments.input.read()
    count = arguments.count
    keys = [arguments.key] if count is None else [f"{arguments.key}{number:05d}" for number in range(count)]
    put_all(connection.client("s3", connections=UPLOAD_THREADS), arguments.bucket, ((key, body) for key in keys))
    return keys


def customer(key):
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes.fromhex(key)} if key else {}


def attributes(connection, arguments):
    s3 = connection.client("s3")
    place = {"Bucket": arguments.bucket, "Key": arguments.key}
    head = s3.head_object(**place, **customer(arguments.customer_key))
    return {
        "encryption": head.get("ServerSideEncryption"),
        "kms_key": head.get("SSEKMSKeyId"),
        "customer_algorithm": head.get("SSECustomerAlgorithm"),
        "storage_class": head.get("StorageClass", "STANDARD"),
        "tags": {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(**place)["TagSet"]},
        "grants": [grant["Grantee"].get("URI", "owner") + " " + grant["Permission"] for grant in s3.get_object_acl(**place)["Grants"]],
        "sha256": hashlib.sha256(s3.get_object(**place, **customer(arguments.customer_key))["Body"].read()).hexdigest(),
    }


def allow_acls(connection, arguments):
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3 = connection.client("s3")
    s3.put_bucket_ownership_controls(Bucket=arguments.bucket, OwnershipControls=rules)
    s3.delete_public_access_block(Bucket=arguments.bucket)
    return arguments.bucket


def encrypt(connection, arguments):
    s3 = connection.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=arguments.bucket, Prefix=arguments.prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    for key in keys:
        body = s3.get_object(Bucket=arguments.bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=arguments.bucket, Key=key, Body=body, **customer(arguments.customer_key))
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


def row(connection, arguments):
    metastore = DynamoDbMetastore(connection, "s3://unused")
    key = {"identifier": {"S": arguments.identifier}, "namespace": {"S": arguments.namespace}}
    metastore.client.delete_item(TableName=metastore.table_name, Key=key)
    if arguments.metadata_location:
        properties = {"table_type": "ICEBERG", "metadata_location": arguments.metadata_location}
        metastore.put(arguments.identifier, arguments.namespace, properties)
    return arguments.identifier


READING = ["glue:Get*", "dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query", "s3:Get*", "s3:List*"]
# What a mount sends beyond reading; nothing here makes a bucket, a catalog table or a user.
WRITING_GLUE = ["CreateDatabase", "CreateTable", "DeleteDatabase", "DeleteTable", "UpdateTable"]
WRITING_ITEMS = ["ConditionCheckItem", "DeleteItem", "PutItem", "Scan", "UpdateItem"]
LOCKING = ["CreateTable", "DeleteItem", "DescribeTable", "GetItem", "PutItem"]
WRITING_OBJECTS = ["AbortMultipartUpload", "DeleteObject", "PutObject"]


def lock_table(connection, arguments):
    client = connection.client("dynamodb")
    try:
        client.create_table(
            TableName=arguments.table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "entityId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entityId", "AttributeType": "S"}],
        )  # fmt: skip
    except client.exceptions.ResourceInUseException:
        return False
    return True


def items(connection, arguments):
    pages = connection.client("dynamodb").get_paginator("scan").paginate(TableName=arguments.table)
    return [{name: value["S"] for name, value in item.items() if "S" in value} for page in pages for item in page["Items"]]


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


def run(connection, arguments):
    in_storage = {
        "allow-acls": allow_acls, "attributes": attributes, "bucket": bucket, "delete": delete, "encrypt": encrypt, "items": items,
        "lock-table": lock_table, "objects": list_objects, "put": put, "row": row, "uploads": uploads, "user": user, "writer": writer,
    }  # fmt: skip
    if arguments.command in in_storage:
        return in_storage[arguments.command](connection, arguments)
    if arguments.command == "document":
        return document(arguments)
    if arguments.command == "rows":
        return rows(arguments)
    metastore = METASTORES[arguments.metastore](connection, "s3://unused")
    in_catalog = {
        "add-file": add_file, "append": append, "create": create, "entries": entries, "exists": exists, "files": files,
        "namespaces": namespaces, "pointer": pointer, "table": table,
    }  # fmt: skip
    return in_catalog[arguments.command](metastore, arguments)


def answer(connection, options, line):
    """Runs one command, in a region of its own if it names one, and writes {"value": ...} or {"error": ...}, whole at once."""
    answer_file, input_file, *words = shlex.split(line)
    try:
        arguments = argument_parser().parse_args(options + words)
        with open(input_file, "rb") as arguments.input:
            place = dataclasses.replace(connection, region=arguments.region, storage_region=connection.region)
            outcome = {"value": run(place, arguments)}
    except (Exception, SystemExit):  # whoever asked is to see it
        outcome = {"error": traceback.format_exc()}
    with open(answer_file + ".new", "w", encoding="utf-8") as file:
        json.dump(outcome, file)
    os.rename(answer_file + ".new", answer_file)


def serve(connection, arguments):
    options = ["--endpoint", arguments.endpoint, "--region", arguments.region]
    for line in sys.stdin:
        answer(connection, options, line)
    shutil.rmtree(arguments.directory, ignore_errors=True)


def main():
    arguments = argument_parser().parse_args()
    clear_environment()
    connection = Connection(arguments.endpoint, arguments.region, *keys_from_environment())
    if arguments.command == "serve":
        serve(connection, arguments)
        return
    arguments.input = sys.stdin.buffer
    print(json.dumps(run(connection, arguments)))


if __name__ == "__main__":
    main()
