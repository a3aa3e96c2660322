#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what PyIceberg sees of a table: where its metadata is, its properties, and how many rows it has.

Run it with the Python environment `clients`.
"""

import argparse
import os


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="the directory of .pyiceberg.yaml")
    parser.add_argument("catalog")
    parser.add_argument("table", help="with its namespace, as sales.orders")
    arguments = parser.parse_args()
    os.environ["PYICEBERG_HOME"] = arguments.config
    # Reads its configuration when it is imported.
    from pyiceberg.catalog import load_catalog
    from pyiceberg.utils.config import Config

    properties = Config().get_catalog_config(arguments.catalog) or {}
    if endpoint := properties.get("dynamodb.endpoint"):
        # PyIceberg has no property for it: its client for DynamoDB asks the environment.
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
    table = load_catalog(arguments.catalog).load_table(arguments.table)
    print(f"PyIceberg on {arguments.catalog}: {arguments.table}")
    print(f"  metadata   {table.metadata_location}")
    print(f"  properties {table.properties}")
    print(f"  rows       {table.scan().to_arrow().num_rows}")


if __name__ == "__main__":
    main()
