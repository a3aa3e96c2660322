#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes and deletes objects with boto3, as the JSON on standard input says.

{"bucket": "b", "put": [{"key": "k", "hex": "00ff"}], "delete": ["k"]}; the bucket is made if it is missing.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from emulator import client


def main() -> None:
    order = json.load(sys.stdin)
    s3 = client("s3")
    bucket = order["bucket"]
    if bucket not in [found["Name"] for found in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket)

    def put(item: dict) -> None:
        s3.put_object(Bucket=bucket, Key=item["key"], Body=bytes.fromhex(item["hex"]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, order.get("put", [])))
    for key in order.get("delete", []):
        s3.delete_object(Bucket=bucket, Key=key)


main()
