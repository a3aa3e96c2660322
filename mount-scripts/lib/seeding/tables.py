# SPDX-License-Identifier: Apache-2.0
"""The tables of a seeded catalog, one function each; all are the same in both metastores."""

import gzip
import json
import random
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    ListType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from seeding.connection import split_uri
from seeding.datafiles import CLICKS, READINGS, Shape, append_files
from seeding.objects import MEBIBYTE, put_all, put_odd_keys

REGIONS = ("americas", "asia", "europe")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)


SHAPES = {"small": Shape(200, 8 * MEBIBYTE), "demo": Shape(2000, 256 * MEBIBYTE)}


class Seeder:
    """Makes the tables of one metastore. `s3` serves `bucket` and `elsewhere`, the bucket of the table whose files lie apart."""

    def __init__(self, metastore, s3, payloads, elsewhere):
        self.metastore = metastore
        self.catalog = metastore.catalog
        self.s3 = s3
        self.payloads = payloads
        self.elsewhere = elsewhere
        # The same in each run and in both metastores.
        self.random = random.Random(20260101)

    def create(self, namespace, name, fields, *, partition=None, location=None, properties=None):
        spec = {"partition_spec": partition} if partition else {}
        return self.catalog.create_table((namespace, name), Schema(*fields), location=location, properties=properties or {}, **spec)

    def append(self, table, columns, **options):
        table.append(pa.table(columns, schema=schema_to_pyarrow(table.schema(), include_field_ids=False)), **options)

    def orders(self):
        """v2, partitioned, five commits, a branch that has moved on from main, and a tag."""
        fields = (
            NestedField(1, "order_id", LongType(), required=True, doc="unique in the shop"),
            NestedField(2, "ordered_at", TimestamptzType(), required=True),
            NestedField(3, "region", StringType(), required=True),
            NestedField(4, "total", DecimalType(10, 2), required=False),
            NestedField(5, "tags", ListType(6, StringType(), element_required=False), required=False),
        )
        partition = PartitionSpec(
            PartitionField(3, 1000, IdentityTransform(), "region"), PartitionField(2, 1001, DayTransform(), "ordered_day")
        )
        table = self.create("sales", "orders", fields, partition=partition, properties={"comment": "one row an order", "owner": "sales"})
        self.append(table, self.order_rows(0, 60))
        self.append(table, self.order_rows(60, 60))
        second = table.current_snapshot().snapshot_id
        table.manage_snapshots().create_tag(second, "month_end").create_branch(second, "audit").commit()
        self.append(table, self.order_rows(120, 20), branch="audit")
        self.append(table, self.order_rows(120, 40))
        table.delete("order_id < 10")

    def order_rows(self, start, count):
        ids = range(start, start + count)
        return {
            "order_id": list(ids),
            "ordered_at": [FIRST_DAY + timedelta(hours=17 * (i // 30), minutes=i) for i in ids],
            "region": [REGIONS[i % 3] for i in ids],
            "total": [Decimal(self.random.randrange(100, 100000)) / 100 for _ in ids],
            "tags": [None if i % 4 else ["gift", f"batch-{i // 10}"] for i in ids],
        }

    def customers(self):
        """Format version 1."""
        fields = (
            NestedField(1, "customer_id", LongType(), required=True),
            NestedField(2, "name", StringType(), required=False),
            NestedField(3, "since", DateType(), required=False),
            NestedField(4, "active", BooleanType(), required=False),
        )
        table = self.create("sales", "customers", fields, properties={"format-version": "1"})
        for start in (0, 50):
            ids = range(start, start + 50)
            rows = {
                "customer_id": list(ids),
                "name": [f"Customer {i} Ærø" for i in ids],
                "since": [date(2020, 1, 1) + timedelta(days=i) for i in ids],
                "active": [i % 7 != 0 for i in ids],
            }
            self.append(table, rows)

    def inventory(self):
        """Made and never written to: no snapshot and no data."""
        fields = (NestedField(1, "sku", StringType(), required=True), NestedField(2, "stock", LongType(), required=False))
        self.create("sales", "inventory", fields)

    def clicks(self):
        """Many small files in one directory, added by one commit."""
        self.create_of("web", "clicks", CLICKS, self.payloads.clicks)

    def create_of(self, namespace, name, schema, files):
        """A table of files that are made already."""
        table = self.catalog.create_table((namespace, name), schema)
        provider, bucket = table.location_provider(), split_uri(table.location())[0]
        placed = [(provider.new_data_location(file.name), file) for file in files]
        put_all(self.s3, bucket, ((split_uri(uri)[1], file.body) for uri, file in placed))
        append_files(table, placed)

    def pageviews(self):
        """Object-storage layout: hashed directories below data/."""
        fields = (
            NestedField(1, "view_id", LongType(), required=True),
            NestedField(2, "viewed_on", DateType(), required=True),
            NestedField(3, "path", StringType(), required=False),
        )
        partition = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "viewed_on"))
        table = self.create("web", "pageviews", fields, partition=partition, properties={"write.object-storage.enabled": "true"})
        for start in (0, 40):
            ids = range(start, start + 40)
            days = [date(2026, 3, 1) + timedelta(days=i % 5) for i in ids]
            self.append(table, {"view_id": list(ids), "viewed_on": days, "path": [f"/p/{i}" for i in ids]})

    def readings(self):
        """One large file that does not compress."""
        self.create_of("telemetry", "readings", READINGS, [self.payloads.reading])

    def relocated(self):
        """Data and metadata in another bucket than the table's location."""
        fields = (NestedField(1, "id", LongType(), required=True), NestedField(2, "note", StringType(), required=False))
        base = f"s3://{self.elsewhere}/{self.metastore.kind}/relocated"
        paths = {"write.data.path": f"{base}/files", "write.metadata.path": f"{base}/meta"}
        table = self.create("lab", "relocated", fields, properties=paths)
        for start in (0, 10):
            ids = list(range(start, start + 10))
            self.append(table, {"id": ids, "note": [f"note {i}" for i in ids]})

    def compressed(self):
        """The current metadata file is gzip. PyIceberg reads such files but writes none, so the commit is made here."""
        fields = (NestedField(1, "id", LongType(), required=True),)
        table = self.create("lab", "compressed", fields)
        self.append(table, {"id": list(range(25))})
        bucket, key = split_uri(table.metadata_location)
        document = json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        document["properties"]["write.metadata.compression-codec"] = "gzip"
        document["metadata-log"].append({"timestamp-ms": document["last-updated-ms"], "metadata-file": table.metadata_location})
        document["last-updated-ms"] += 1
        directory, _, name = key.rpartition("/")
        key = f"{directory}/{int(name.split('-')[0]) + 1:05d}-{uuid.uuid4()}.gz.metadata.json"
        self.s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(json.dumps(document).encode()))
        self.metastore.repoint("lab", "compressed", f"s3://{bucket}/{key}")

    def odd_keys(self):
        """A good table with hard keys beside its data; returns the keys."""
        fields = (NestedField(1, "id", LongType(), required=True),)
        table = self.create("lab", "odd_keys", fields)
        self.append(table, {"id": list(range(5))})
        bucket, key = split_uri(table.location())
        return put_odd_keys(self.s3, bucket, f"{key}/data/")

    def all(self):
        """Makes the namespaces and tables; returns the odd keys."""
        self.catalog.create_namespace("sales", {"location": f"{self.metastore.warehouse}/sales", "owner": "sales"})
        for namespace in ("web", "telemetry", "lab", "vacant"):
            self.catalog.create_namespace(namespace)
        for make in (self.orders, self.customers, self.inventory, self.clicks, self.pageviews, self.readings):
            make()
        self.relocated()
        self.compressed()
        return self.odd_keys()
