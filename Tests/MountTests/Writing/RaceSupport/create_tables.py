#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Creates tables by mkdir and a first metadata file, each at the same moment as the others do who are given the same MEETING directory.

create_tables.py NAME DIRECTORY ROUNDS MEETING PARTIES SECONDS makes DIRECTORY/created_0 and so on. Prints one line of JSON for each.
"""

import errno
import json
import os
import sys
import time
import uuid


def document(location):
    field = {"id": 1, "name": "id", "required": True, "type": "long"}
    return {
        "format-version": 2,
        "table-uuid": str(uuid.uuid4()),
        "location": location,
        "last-sequence-number": 0,
        "last-updated-ms": time.time_ns() // 1_000_000,
        "last-column-id": 1,
        "schemas": [{"type": "struct", "schema-id": 0, "fields": [field]}],
        "current-schema-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "default-spec-id": 0,
        "last-partition-id": 999,
        "sort-orders": [{"order-id": 0, "fields": []}],
        "default-sort-order-id": 0,
        "properties": {},
        "current-snapshot-id": -1,
        "refs": {},
        "snapshots": [],
        "statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    }


def meet(meeting, step, name, parties, deadline):
    os.makedirs(f"{meeting}/{step}", exist_ok=True)
    with open(f"{meeting}/{step}/{name}", "w", encoding="utf-8"):
        pass
    while len(os.listdir(f"{meeting}/{step}")) < parties:
        if time.monotonic() > deadline:
            sys.exit(f"{name} is alone at {step}")
        time.sleep(0.001)


def create(table, file):
    """Raises the refusal; the file is gone then."""
    with open(f"{table}/.iceberg/location.txt", encoding="utf-8") as text:
        body = json.dumps(document(text.read().strip())).encode()
    path = f"{table}/metadata/{file}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(descriptor, body)
    finally:
        try:
            os.close(descriptor)
        except OSError:
            os.unlink(path)
            raise


def main():
    name, directory, rounds, meeting, parties, seconds = sys.argv[1:]
    deadline = time.monotonic() + float(seconds)
    for number in range(int(rounds)):
        table, file = f"{directory}/created_{number}", f"00000-{uuid.uuid4()}.metadata.json"
        answer = {"writer": name, "table": f"created_{number}", "file": file, "outcome": "accepted"}
        meet(meeting, f"mkdir_{number}", name, int(parties), deadline)
        os.mkdir(table)
        meet(meeting, f"create_{number}", name, int(parties), deadline)
        try:
            create(table, file)
        except OSError as error:
            answer |= {"outcome": "refused", "errno": errno.errorcode[error.errno]}
        meet(meeting, f"look_{number}", name, int(parties), deadline)
        answer["current"] = os.readlink(f"{table}/metadata/current.metadata.json")
        answer["listed"] = os.listdir(directory).count(f"created_{number}")
        answer["files"] = sorted(entry for entry in os.listdir(f"{table}/metadata") if entry[:5] == "00000")
        print(json.dumps(answer), flush=True)


main()
