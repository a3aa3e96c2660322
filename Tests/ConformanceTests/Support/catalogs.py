#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills the metastores with boto3, as the JSON on standard input says.

{"glue": {"databases": [{"Name": …}], "tables": [{"DatabaseName": …, "TableInput": {…}}], "updates": [the same]},
 "dynamodb": {"table": "iceberg", "items": [{attribute: {"S": …}}]}}; the DynamoDB table is made as Iceberg makes it.
"""

import json
import sys

from emulator import client

KEYS = ("identifier", "namespace")


def fill_glue(order: dict) -> None:
    glue = client("glue")
    for database in order.get("databases", []):
        glue.create_database(DatabaseInput=database)
    for table in order.get("tables", []):
        glue.create_table(**table)
    for table in order.get("updates", []):
        glue.update_table(**table)


def fill_dynamodb(order: dict) -> None:
    dynamodb = client("dynamodb")
    name = order["table"]
    if name not in dynamodb.list_tables()["TableNames"]:
        key, index_key = (
            [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
            for hash_key, range_key in (KEYS, KEYS[::-1])
        )
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key_name, "AttributeType": "S"} for key_name in KEYS],
            KeySchema=key,
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "namespace-identifier",
                    "KeySchema": index_key,
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    for item in order.get("items", []):
        dynamodb.put_item(TableName=name, Item=item)


def main() -> None:
    order = json.load(sys.stdin)
    if "glue" in order:
        fill_glue(order["glue"])
    if "dynamodb" in order:
        fill_dynamodb(order["dynamodb"])


main()
