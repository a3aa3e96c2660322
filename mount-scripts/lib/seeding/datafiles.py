# SPDX-License-Identifier: Apache-2.0
"""Parquet bytes made here and described to Iceberg from what is already in memory: nothing is read back from S3."""

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat


def parquet_bytes(table, columns, compression="zstd"):
    """The Parquet file of `columns` (name → values) in the schema of the Iceberg table, its field ids included."""
    schema = schema_to_pyarrow(table.schema())
    sink = pa.BufferOutputStream()
    # Statistics make manifests as a writer's are; a dictionary only makes unique numbers larger.
    pq.write_table(pa.table(columns, schema=schema), sink, compression=compression, use_dictionary=False)
    return sink.getvalue()


class DataFileDescriber:
    """Makes the manifest entries of unpartitioned files of one table."""

    def __init__(self, table):
        schema = table.schema()
        self.spec_id = table.metadata.default_spec_id
        self.plan = compute_statistics_plan(schema, table.metadata.properties)
        self.mapping = parquet_path_to_id_mapping(schema)
        self.partition = table.spec(), schema

    def describe(self, uri, buffer):
        metadata = pq.read_metadata(pa.BufferReader(buffer))
        statistics = data_file_statistics_from_parquet_metadata(metadata, self.plan, self.mapping)
        return DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=uri,
            file_format=FileFormat.PARQUET,
            partition=statistics.partition(*self.partition),
            file_size_in_bytes=len(buffer),
            sort_order_id=None,
            spec_id=self.spec_id,
            equality_ids=None,
            key_metadata=None,
            **statistics.to_serialized_dict(),
        )


def append_described(table, data_files):
    """One commit that adds files which lie in S3 already."""
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        for data_file in data_files:
            append.append_data_file(data_file)
