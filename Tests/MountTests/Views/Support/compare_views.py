#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the views of tables in a mount with PyIceberg's own answers: compare_views.py MOUNTPOINT, tables on standard input.

Each line of the input is a JSON array: the table's path in the mount and its metadata location. Prints a line for each difference, and at the end
how many snapshots, refs and files agreed. The keys come from the environment, SEED_ACCESS_KEY and SEED_SECRET_KEY.
"""

import json
import os
import sys
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path

from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.table import StaticTable

sys.path.insert(0, os.environ["SCRIPTS"])
from seeding.connection import Connection, keys_from_environment  # noqa: E402

differences, counts = 0, {"tables": 0, "snapshots": 0, "refs": 0, "files": 0, "rows": 0}
# What Iceberg shows as text of a value: PyIceberg keeps numbers for these.
SHOWN_BY_TRANSFORM = ("year", "month", "day", "hour")


def differ(where, theirs, ours):
    global differences
    if theirs != ours:
        differences += 1
        print(f"{where}: PyIceberg {str(theirs)[:600]}\n  the mount {str(ours)[:600]}")


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def plain(value):
    """A value of PyIceberg's as it stands in JSON."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (date, time, Decimal)):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return value


def same_instant(value):
    """Milliseconds since 1970 of either side's timestamp."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return round((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() * 1000)


def shown_name(path, base):
    return path[len(base) + 1 :] if path.startswith(base + "/") else "external/" + path.split("://", 1)[1]


def found_files(directory):
    return {str(path.relative_to(directory)): path.stat().st_size for path in sorted(directory.rglob("*")) if path.is_file()}


def compare_snapshot(table, snapshot, views, base):
    data, deletes = {}, {}
    manifests = snapshot.manifests(table.io)
    for manifest in manifests:
        for entry in manifest.fetch_manifest_entry(table.io):
            if entry.status != ManifestEntryStatus.DELETED:
                side = data if entry.data_file.content == 0 else deletes
                side[shown_name(entry.data_file.file_path, base)] = entry.data_file.file_size_in_bytes
    directory = views / "snapshots" / str(snapshot.snapshot_id)
    where = f"{views} {snapshot.snapshot_id}"
    differ(f"{where} data", data, found_files(directory / "data"))
    differ(f"{where} deletes", deletes, found_files(directory / "deletes"))
    planned = {shown_name(task.file.file_path, base) for task in table.scan(snapshot_id=snapshot.snapshot_id).plan_files()}
    differ(f"{where} plan_files", planned, set(found_files(directory / "data")))
    names = {manifest.manifest_path.rpartition("/")[2]: manifest.manifest_length for manifest in manifests}
    differ(f"{where} manifests", names, found_files(directory / "manifests"))
    with table.io.new_input(snapshot.manifest_list).open() as stream:
        differ(f"{where} manifest-list.avro", True, stream.read() == (directory / "manifest-list.avro").read_bytes())
    summary = json.loads((directory / "summary.json").read_text())
    differ(f"{where} summary", {"operation": snapshot.summary.operation.value, **snapshot.summary.additional_properties}, summary)
    counts["snapshots"] += 1
    counts["files"] += len(data) + len(deletes)


def partition_of(table, spec_id, partition):
    """PyIceberg's partition record, nulls left out, as people read it."""
    schema, shown = table.schema(), {}
    for field in table.metadata.specs()[spec_id].fields:
        value = partition.get(field.name)
        if value is not None:
            kind = str(field.transform)
            if kind in SHOWN_BY_TRANSFORM and isinstance(value, int):
                value = field.transform.to_human_string(schema.find_type(field.source_id), value)
            shown[field.name] = plain(value)
    return shown


def without_nulls(record):
    return {key: value for key, value in (record or {}).items() if value is not None}


def compare_files(table, views):
    theirs = sorted(table.inspect.files().to_pylist(), key=lambda row: row["file_path"])
    ours = sorted(lines(views / "files.jsonl"), key=lambda row: row["file_path"])
    differ(f"{views} files", len(theirs), len(ours))
    for row, line in zip(theirs, ours):
        where = f"{views} files {row['file_path']}"
        for name in ("content", "file_path", "file_format", "spec_id", "record_count", "file_size_in_bytes", "sort_order_id", "split_offsets"):
            differ(f"{where} {name}", row[name], line[name])
        for name in ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts", "lower_bounds", "upper_bounds"):
            differ(f"{where} {name}", plain(dict(row[name] or {})), line[name] or {})
        differ(f"{where} partition", partition_of(table, row["spec_id"], row["partition"]), without_nulls(line.get("partition")))
        for column, metrics in row["readable_metrics"].items():
            if table.schema().find_type(column).is_primitive:
                mine = line["readable_metrics"][column]
                for name, value in metrics.items():
                    shown = mine[name]
                    if isinstance(value, datetime):
                        value, shown = same_instant(value), same_instant(shown)
                    elif isinstance(value, time):
                        shown = shown.rstrip("0").rstrip(".")
                    differ(f"{where} {column}.{name}", plain(value), shown)
        counts["rows"] += 1


def compare_partitions(table, views):
    def key(row):
        return json.dumps(row, sort_keys=True)

    names = ["record_count", "file_count", "total_data_file_size_in_bytes", "position_delete_record_count", "position_delete_file_count"]
    names += ["equality_delete_record_count", "equality_delete_file_count"]
    theirs, ours = [], []
    for row in table.inspect.partitions().to_pylist():
        partition = partition_of(table, row.get("spec_id", 0), row.get("partition") or {})
        theirs.append({"partition": partition, **{name: row[name] for name in names}})
    for row in lines(views / "partitions.jsonl"):
        ours.append({"partition": without_nulls(row.get("partition")), **{name: row[name] for name in names}})
    differ(f"{views} partitions", sorted(theirs, key=key), sorted(ours, key=key))
    counts["rows"] += len(ours)


def compare_rows(where, theirs, ours, instants):
    def shown(rows):
        return [{key: same_instant(value) if key in instants else plain(value) for key, value in row.items()} for row in rows]

    differ(where, shown(theirs), shown(ours))
    counts["rows"] += len(ours)


def compare_tables(table, views):
    inspect = table.inspect
    compare_rows(f"{views} history", inspect.history().to_pylist(), lines(views / "history.jsonl"), {"made_current_at"})
    snapshots = [{**row, "operation": row["operation"].split(".")[-1].lower(), "summary": dict(row["summary"])} for row in inspect.snapshots().to_pylist()]
    compare_rows(f"{views} snapshots", snapshots, lines(views / "snapshots.jsonl"), {"committed_at"})
    refs = sorted(inspect.refs().to_pylist(), key=lambda row: row["name"])
    compare_rows(f"{views} refs", refs, lines(views / "refs.jsonl"), set())
    compare_rows(f"{views} metadata-log", inspect.metadata_log_entries().to_pylist(), lines(views / "metadata-log.jsonl"), {"timestamp"})
    compare_rows(f"{views} manifests", inspect.manifests().to_pylist(), lines(views / "manifests.jsonl"), set())
    if table.current_snapshot():
        compare_files(table, views)
        compare_partitions(table, views)
    else:
        differ(f"{views} files", [], lines(views / "files.jsonl") + lines(views / "partitions.jsonl"))
    metadata = table.metadata
    differ(f"{views} properties.json", metadata.properties, json.loads((views / "properties.json").read_text()))
    schema = json.loads((views / "schema.json").read_text())
    differ(f"{views} schema.json", json.loads(metadata.schema().model_dump_json()), {**schema, "identifier-field-ids": schema.get("identifier-field-ids", [])})
    differ(f"{views} spec.json", json.loads(metadata.spec().model_dump_json()), json.loads((views / "spec.json").read_text()))
    differ(f"{views} sort-order.json", json.loads(metadata.sort_order().model_dump_json()), json.loads((views / "sort-order.json").read_text()))
    differ(f"{views} location.txt", metadata.location + "\n", (views / "location.txt").read_text())


def compare_links(table, views):
    metadata = table.metadata
    for name, ref in metadata.refs.items():
        kind = "branches" if ref.snapshot_ref_type == "branch" else "tags"
        differ(f"{views} refs {name}", str(ref.snapshot_id), (views / "refs" / kind / name).resolve().name)
        counts["refs"] += 1
    if metadata.current_snapshot_id:
        differ(f"{views} current", str(metadata.current_snapshot_id), (views / "current").resolve().name)
    for entry in metadata.snapshot_log:
        instant = datetime.fromtimestamp(entry.timestamp_ms / 1000, tz=timezone.utc)
        at = table.snapshot_as_of_timestamp(entry.timestamp_ms)
        name = instant.strftime("%Y-%m-%dT%H%M%S.") + f"{entry.timestamp_ms % 1000:03d}Z"
        differ(f"{views} by-time {name}", str(at.snapshot_id), (views / "by-time" / name).resolve().name)
        before = table.snapshot_as_of_timestamp(entry.timestamp_ms, inclusive=False)
        earlier = datetime.fromtimestamp((entry.timestamp_ms - 1) / 1000, tz=timezone.utc).isoformat(timespec="milliseconds")
        link = views / "by-time" / earlier
        differ(f"{views} by-time {earlier}", before and str(before.snapshot_id), link.resolve().name if link.exists() else None)
    listed = {path.name for path in (views / "by-time").iterdir()}
    differ(f"{views} by-time", len({entry.timestamp_ms for entry in metadata.snapshot_log}), len(listed))


def main():
    mountpoint = Path(sys.argv[1])
    connection = Connection(os.environ["ENDPOINT"], os.environ["REGION"], *keys_from_environment())
    for path, location in map(json.loads, sys.stdin):
        table = StaticTable.from_metadata(location, properties=connection.catalog_properties())
        views = mountpoint / path / ".iceberg"
        base = table.metadata.properties.get("write.data.path", f"{table.metadata.location}/data").rstrip("/")
        differ(f"{views} snapshots", {str(snapshot.snapshot_id) for snapshot in table.metadata.snapshots}, set(os.listdir(views / "snapshots")))
        for snapshot in table.metadata.snapshots:
            compare_snapshot(table, snapshot, views, base)
        compare_links(table, views)
        compare_tables(table, views)
        counts["tables"] += 1
    print(json.dumps(counts) if differences == 0 else f"{differences} differences")
    sys.exit(differences > 0)


if __name__ == "__main__":
    main()
