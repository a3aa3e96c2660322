# SPDX-License-Identifier: Apache-2.0
"""Parquet files made in memory and described to Iceberg from there: nothing is read back from S3, and both metastores share them."""

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType, TimestampType

CLICKS = Schema(
    NestedField(1, "click_id", LongType(), required=True),
    NestedField(2, "clicked_at", TimestampType(), required=False),
    NestedField(3, "page", StringType(), required=False),
)
READINGS = Schema(
    NestedField(1, "reading_id", LongType(), required=True),
    NestedField(2, "value", LongType(), required=False),
)
CLICKS_A_FILE = 5


@dataclass(frozen=True)
class ParquetFile:
    """A file of an unpartitioned table: its name, its bytes (a pyarrow buffer), and the statistics of its manifest entry."""

    name: str
    body: pa.Buffer
    statistics: dict

    def data_file(self, uri):
        return DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=uri,
            file_format=FileFormat.PARQUET,
            partition=Record(),
            file_size_in_bytes=self.body.size,
            sort_order_id=None,
            spec_id=0,
            equality_ids=None,
            key_metadata=None,
            **self.statistics,
        )


class ParquetMaker:
    """Writes Parquet files in one Iceberg schema, field ids included."""

    def __init__(self, schema, compression):
        self.schema = schema_to_pyarrow(schema)
        self.plan = compute_statistics_plan(schema, {})
        self.mapping = parquet_path_to_id_mapping(schema)
        self.compression = compression

    def make(self, name, columns):
        sink = pa.BufferOutputStream()
        # A dictionary only makes unique values larger.
        pq.write_table(pa.table(columns, schema=self.schema), sink, compression=self.compression, use_dictionary=False)
        body = sink.getvalue()
        metadata = pq.read_metadata(pa.BufferReader(body))
        statistics = data_file_statistics_from_parquet_metadata(metadata, self.plan, self.mapping)
        return ParquetFile(name, body, statistics.to_serialized_dict())


@dataclass(frozen=True)
class Shape:
    """How large a seed is: the number of small files of one table, the bytes of the large file of another."""

    small_file_count: int
    large_file_bytes: int


class Payloads:
    """The files of `web.clicks` and `telemetry.readings`, made once; the same shape gives the same bytes in each run."""

    def __init__(self, shape):
        self.shape = shape
        self.random = random.Random(20260101)

    def file_name(self, number):
        return f"{number:05d}-0-{uuid.UUID(int=self.random.getrandbits(128), version=4)}.parquet"

    @cached_property
    def clicks(self):
        maker = ParquetMaker(CLICKS, "zstd")
        return [maker.make(self.file_name(number), self.click_rows(number)) for number in range(self.shape.small_file_count)]

    def click_rows(self, number):
        ids = range(number * CLICKS_A_FILE, (number + 1) * CLICKS_A_FILE)
        return {
            "click_id": list(ids),
            "clicked_at": [datetime(2026, 2, 1) + timedelta(seconds=i) for i in ids],
            "page": [f"/page/{i % 97}" for i in ids],
        }

    @cached_property
    def reading(self):
        """One file of noise, which does not compress."""
        rows = self.shape.large_file_bytes // 16
        noise = b"".join(self.random.randbytes(rows) for _ in range(8))
        columns = {
            "reading_id": pa.array(range(rows), pa.int64()),
            "value": pa.Array.from_buffers(pa.int64(), rows, [None, pa.py_buffer(noise)]),
        }
        return ParquetMaker(READINGS, "none").make(self.file_name(0), columns)


def append_files(table, placed):
    """One commit that adds files which lie in S3 already: pairs of (uri, ParquetFile)."""
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        for uri, file in placed:
            append.append_data_file(file.data_file(uri))
