# SPDX-License-Identifier: Apache-2.0
"""What was seeded, for tests and scripts to compare with."""

from seeding.connection import split_uri


def describe_table(metastore, namespace, name):
    """One table as its metadata states it, read through the entry that was left in the metastore."""
    from pyiceberg.table import StaticTable

    location, previous = metastore.pointers(namespace, name)
    table = StaticTable.from_metadata(location, properties=metastore.catalog.properties)
    metadata, properties = table.metadata, table.metadata.properties
    root = metadata.location.rstrip("/")
    totals = table.current_snapshot().summary.additional_properties if table.current_snapshot() else {}
    refs = {name: ref.snapshot_id for name, ref in metadata.refs.items()}
    return {
        "namespace": namespace,
        "name": name,
        "location": root,
        "metadata_location": location,
        "previous_metadata_location": previous,
        "metadata_directory": location.rpartition("/")[0],
        "data_directory": properties.get("write.data.path", f"{root}/data").rstrip("/"),
        "format_version": metadata.format_version,
        "table_uuid": str(metadata.table_uuid),
        "current_snapshot_id": metadata.current_snapshot_id,
        "snapshot_ids": [snapshot.snapshot_id for snapshot in metadata.snapshots],
        "branches": {name: refs[name] for name in refs if metadata.refs[name].snapshot_ref_type == "branch"},
        "tags": {name: refs[name] for name in refs if metadata.refs[name].snapshot_ref_type == "tag"},
        "row_count": int(totals.get("total-records", 0)),
        "data_file_count": int(totals.get("total-data-files", 0)),
    }


def describe_metastore(metastore, tables, namespaces, hidden, odd_keys, broken):
    bucket = split_uri(metastore.warehouse)[0]
    return {
        "warehouse": metastore.warehouse,
        "bucket": bucket,
        "namespaces": namespaces,
        "tables": [describe_table(metastore, *identifier) for identifier in tables],
        "hidden": [{"namespace": "lab", "name": name} for name in hidden],
        "broken": broken,
        "odd_keys": odd_keys,
    }
