#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what writers were told with what a table's history holds. Speaks to Glue, DynamoDB and S3 with boto3 alone.

check_history.py METASTORE ENDPOINT REGION LOCK-TABLE NAMESPACE TABLE... reads the writers' lines of JSON from standard input and prints one
JSON object: the totals, and `problems`, which must be empty. Of several tables exactly one must be in the catalog. LOCK-TABLE may be `-`.
"""

import json
import sys
from collections import Counter

from botocore.exceptions import ClientError
from seeding.connection import Connection, clear_environment, keys_from_environment, split_uri

CATALOG_TABLE = "iceberg"
ABSENT = ("EntityNotFoundException", "NoSuchKey", "404", "ResourceNotFoundException")


class Account:
    def __init__(self, metastore, connection):
        self.kind = metastore
        self.s3 = connection.client("s3")
        self.glue = connection.client("glue")
        self.dynamodb = connection.client("dynamodb")

    def parameters(self, namespace, table):
        """The properties of a catalog entry, or None if there is no entry."""
        if self.kind == "glue":
            try:
                return self.glue.get_table(DatabaseName=namespace, Name=table)["Table"]["Parameters"]
            except ClientError as error:
                if error.response["Error"]["Code"] in ABSENT:
                    return None
                raise
        key = {"identifier": {"S": f"{namespace}.{table}"}, "namespace": {"S": namespace}}
        item = self.dynamodb.get_item(TableName=CATALOG_TABLE, Key=key, ConsistentRead=True).get("Item")
        return item and {name[2:]: value["S"] for name, value in item.items() if name.startswith("p.")}

    def document(self, location):
        bucket, key = split_uri(location)
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def exists(self, location):
        bucket, key = split_uri(location)
        try:
            return self.s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                return False
            raise

    def metadata_files(self, directory):
        bucket, prefix = split_uri(directory + "/")
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {f"s3://{bucket}/{key}" for key in keys if ".metadata.json" in key}

    def locks(self, table):
        return [item["entityId"]["S"] for item in self.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]]


def counters(document):
    return {name: int(value) for name, value in document["properties"].items() if name.startswith("race.")}


def changes(document, base):
    """(writer, attempt) of each counter that differs."""
    old, new = counters(base), counters(document)
    return [(name.removeprefix("race."), new.get(name, 0)) for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]


class History:
    """The chain of a table's metadata files, oldest first."""

    def __init__(self, account, parameters, problems):
        self.account, self.problems = account, problems
        self.current = parameters["metadata_location"]
        log = account.document(self.current).get("metadata-log", [])
        self.locations = [entry["metadata-file"] for entry in log] + [self.current]
        self.documents = {}
        for location in self.locations:
            try:
                self.documents[location] = account.document(location)
            except (ClientError, ValueError) as error:
                problems.append(f"{location} is in the history and cannot be read: {error}")
        if parameters.get("previous_metadata_location") != (self.locations[-2:-1] or [None])[0]:
            problems.append("the entry's previous location is not the last of the log")

    def pairs(self):
        for base, location in zip(self.locations, self.locations[1:]):
            if base in self.documents and location in self.documents:
                yield base, self.documents[base], location, self.documents[location]

    def found(self, foreign):
        """How often each (writer, attempt) is a step of the chain; reports every step that is no lawful one."""
        steps = Counter()
        for base_location, base, location, document in self.pairs():
            changed = changes(document, base)
            steps.update(changed)
            by_mount = not any(writer in foreign for writer, _ in changed)
            for problem in self.flaws(base_location, base, document, changed, by_mount):
                self.problems.append(f"{location}: {problem}")
        return steps

    def flaws(self, base_location, base, document, changed, by_mount):
        entry = {"timestamp-ms": base["last-updated-ms"], "metadata-file": base_location}
        if document.get("metadata-log") != base.get("metadata-log", []) + [entry]:
            yield "its log is not its base's log and its base"
        if len(changed) > 1:
            yield f"it holds the changes of several writers: {changed}"
        for writer, attempt in changed:
            if attempt < counters(base).get(f"race.{writer}", 0):
                yield f"it takes {writer} back to {attempt}"
        if by_mount and document["last-updated-ms"] <= base["last-updated-ms"]:
            yield "its time is not after its base's"
        old, new = ([snapshot["snapshot-id"] for snapshot in each.get("snapshots", [])] for each in (base, document))
        if new[: len(old)] != old or len(new) > len(old) + 1:
            yield "its snapshots are not its base's and at most one more"
        if len(new) > len(old):
            yield from self.snapshot_flaws(base, document)
        elif document["last-sequence-number"] != base["last-sequence-number"]:
            yield "its sequence number changed without a snapshot"

    def snapshot_flaws(self, base, document):
        snapshot = document["snapshots"][-1]
        if not snapshot["sequence-number"] == document["last-sequence-number"] == base["last-sequence-number"] + 1:
            yield "its new snapshot has not the next sequence number"
        if snapshot.get("parent-snapshot-id") != base.get("current-snapshot-id"):
            yield "its new snapshot's parent is not the snapshot before it"
        if not self.account.exists(snapshot["manifest-list"]):
            yield f"{snapshot['manifest-list']} is missing"

    def snapshots(self):
        """How often each `race` mark is a snapshot, and the rows of the newest by its summary and by the sum of what each added."""
        all_of_them = self.documents[self.current].get("snapshots", [])
        marks = Counter(snapshot["summary"]["race"] for snapshot in all_of_them if "race" in snapshot["summary"])
        if all_of_them:
            added = sum(int(snapshot["summary"]["added-records"]) for snapshot in all_of_them)
            total = int(all_of_them[-1]["summary"]["total-records"])
            if added != total:
                self.problems.append(f"the snapshots added {added} rows, the last has {total}")
        return marks


def orphans(history, unknown, foreign):
    """Counts the metadata files that the chain does not hold; those of a mount's writer need an unknown outcome to be lawful."""
    counts = Counter()
    directory = history.current.rpartition("/")[0]
    for location in sorted(history.account.metadata_files(directory) - set(history.locations)):
        document = history.account.document(location)
        base = document.get("metadata-log", [{}])[-1].get("metadata-file")
        changed = changes(document, history.documents[base]) if base in history.documents else []
        if any(writer in foreign for writer, _ in changed):
            counts["foreign"] += 1
        elif any(step in unknown for step in changed):
            counts["unknown"] += 1
        else:
            counts["own"] += 1
            history.problems.append(f"{location} is left behind by {changed or 'nobody known'}")
    return counts


def check(account, lock_table, namespace, tables, lines):
    problems = []
    entries = [(table, found) for table in tables if (found := account.parameters(namespace, table))]
    totals = Counter(line["outcome"] for line in lines)
    answer = {"attempted": len(lines), **{name: totals[name] for name in ("accepted", "refused", "unknown", "gone")}}
    answer["errnos"] = Counter(line["errno"] for line in lines if "errno" in line)
    answer["names"] = [table for table, _ in entries]
    if lock_table != "-" and (left := account.locks(lock_table)):
        problems.append(f"locks are left: {left}")
    if len(entries) != 1:
        problems.append(f"{len(entries)} entries for one table: {answer['names']}")
    if entries:
        answer |= compare(account, entries[0][1], lines, problems)
    return answer | {"problems": problems}


def compare(account, parameters, lines, problems):
    foreign = {line["writer"] for line in lines if line.get("foreign")}
    told = {(line["writer"], line["attempt"]): line["outcome"] for line in lines}
    history = History(account, parameters, problems)
    steps, marks = history.found(foreign), history.snapshots()
    accepted = [step for step, outcome in told.items() if outcome == "accepted"]
    for step, count in steps.items():
        if count > 1:
            problems.append(f"{step} is {count} times in the history")
        if told.get(step) not in ("accepted", "unknown"):
            problems.append(f"{step} was {told.get(step, 'never tried')} and is in the history")
    lost = [step for step in accepted if steps[step] == 0]
    problems.extend(f"{step} was accepted and is lost" for step in lost)
    for step, count in marks.items():
        writer, _, attempt = step.rpartition(".")
        if count != 1 or (writer, int(attempt)) not in steps:
            problems.append(f"the snapshot of {step} is {count} times in the history, or without its property")
    left = orphans(history, {step for step, outcome in told.items() if outcome == "unknown"}, foreign)
    return {
        "found": sum(steps[step] for step in accepted), "lost": len(lost), "versions": len(history.locations), "snapshots": sum(marks.values()),
        "orphans": {kind: left[kind] for kind in ("own", "unknown", "foreign")},
    }  # fmt: skip


def main():
    metastore, endpoint, region, lock_table, namespace, *tables = sys.argv[1:]
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    clear_environment()
    account = Account(metastore, Connection(endpoint, region, *keys_from_environment()))
    print(json.dumps(check(account, lock_table, namespace, tables, lines)))


main()
