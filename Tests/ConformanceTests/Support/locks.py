#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does to a lock table with boto3 what Iceberg's Java lock manager does to it, as the JSON on standard input says; prints JSON.

{"table": …, "do": "describe" | "get" | "create" | "beat" | "take" | "release" | "drop", "entity": …, "owner": …, "version": …, "seen": …, "lease": ms}
"""

import json
import sys

from botocore.exceptions import ClientError
from emulator import client

CONDITIONS = {
    "create": "attribute_not_exists(entityId)",
    "take": "attribute_not_exists(entityId) OR (entityId = :eid AND version = :vid)",
    "beat": "entityId = :eid AND ownerId = :oid",
    "release": "entityId = :eid AND ownerId = :oid",
}


def values(order: dict, condition: str) -> dict:
    known = {":eid": order["entity"], ":oid": order.get("owner"), ":vid": order.get("seen")}
    return {name: {"S": value} for name, value in known.items() if name in condition}


def write(dynamodb, order: dict) -> bool:
    condition = CONDITIONS[order["do"]]
    members = {"TableName": order["table"], "ConditionExpression": condition}
    if found := values(order, condition):
        members["ExpressionAttributeValues"] = found
    try:
        if order["do"] == "release":
            dynamodb.delete_item(Key={"entityId": {"S": order["entity"]}}, **members)
        else:
            item = {"entityId": order["entity"], "ownerId": order["owner"], "version": order["version"]}
            item = {name: {"S": value} for name, value in item.items()}
            dynamodb.put_item(Item=item | {"leaseDurationMs": {"N": str(order["lease"])}}, **members)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def main() -> None:
    order = json.load(sys.stdin)
    dynamodb = client("dynamodb")
    if order["do"] == "describe":
        try:
            table = dynamodb.describe_table(TableName=order["table"])["Table"]
            answer = {
                "attributes": table["AttributeDefinitions"],
                "key": table["KeySchema"],
                "billing": table.get("BillingModeSummary", {}).get("BillingMode"),
            }
        except ClientError as error:
            answer = {"error": error.response["Error"]["Code"]}
    elif order["do"] == "drop":
        dynamodb.delete_table(TableName=order["table"])
        answer = {}
    elif order["do"] == "get":
        key = {"entityId": {"S": order["entity"]}}
        answer = dynamodb.get_item(TableName=order["table"], Key=key, ConsistentRead=True).get("Item")
    else:
        answer = write(dynamodb, order)
    print(json.dumps(answer))


main()
