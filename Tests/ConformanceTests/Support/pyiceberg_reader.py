#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loads a table with PyIceberg and prints what it sees as JSON; on Glue, commits a property and prints where the metadata is then.

Arguments: glue or dynamodb, namespace, table.
"""

import json
import os
import sys

from pyiceberg.catalog import load_catalog


def main() -> None:
    kind, namespace, name = sys.argv[1:]
    endpoint = os.environ["EMULATOR_ENDPOINT"]
    # PyIceberg's DynamoDB catalog has no key for an endpoint.
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
    catalog = load_catalog(
        "emulated",
        **{
            "type": kind,
            "table-name": "writing",
            "client.region": os.environ["EMULATOR_REGION"],
            "client.access-key-id": os.environ["EMULATOR_ACCESS_KEY_ID"],
            "client.secret-access-key": os.environ["EMULATOR_SECRET_ACCESS_KEY"],
            "glue.endpoint": endpoint,
            "s3.endpoint": endpoint,
            "s3.force-virtual-addressing": "false",
        },
    )
    table = catalog.load_table((namespace, name))
    seen = {
        "metadata-location": table.metadata_location,
        "owner": table.properties.get("owner"),
        "columns": [field.name for field in table.schema().fields],
    }
    if kind == "glue":
        with table.transaction() as transaction:
            transaction.set_properties(continued="yes")
        seen["continued"] = catalog.load_table((namespace, name)).metadata_location
    print(json.dumps(seen))


main()
