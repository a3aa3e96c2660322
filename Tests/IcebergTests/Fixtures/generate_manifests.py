# SPDX-License-Identifier: Apache-2.0
"""Writes the manifests and manifest lists of `manifests` through PyIceberg, once with each codec it knows.

Needs pyiceberg[pyarrow,zstandard]==0.11.1; run as `generate_manifests.py <directory>`. PyIceberg takes snappy from a package of that name; where
that is not installed, pyarrow's, which is the same library, stands in for it.
"""

import sys
import types
from pathlib import Path

import pyarrow

snappy = types.ModuleType("snappy")
snappy.compress = lambda data: pyarrow.Codec("snappy").compress(data, asbytes=True)
sys.modules.setdefault("snappy", snappy)

from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    write_manifest,
    write_manifest_list,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType, TimestampType

target = Path(sys.argv[1]).absolute()
target.mkdir(exist_ok=True)
files = PyArrowFileIO()
schema = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "place", StringType()),
    NestedField(3, "at", TimestampType()),
)
spec = PartitionSpec(
    PartitionField(3, 1000, DayTransform(), "at_day"), PartitionField(2, 1001, IdentityTransform(), "place"), spec_id=4
)


def data_file(number):
    fields = {
        "content": DataFileContent.DATA,
        "file_path": f"s3://lake/sales/orders/data/place=Tromsø/{number:05}.parquet",
        "file_format": FileFormat.PARQUET,
        "partition": Record(20_400 + number, None if number == 2 else "Tromsø"),
        "record_count": 1_000 * number,
        "file_size_in_bytes": 5_000_000_000 + number,
        "column_sizes": {1: 4_000, 2: 300 + number, 3: 70_000},
        "value_counts": {1: 1_000 * number, 2: 1_000 * number},
        "null_value_counts": {1: 0, 2: number},
        "nan_value_counts": {},
        "lower_bounds": {1: number.to_bytes(8, "little"), 2: b"Bergen"},
        "upper_bounds": {1: b"\xff" * 8, 2: "Tromsø".encode()},
        "key_metadata": None,
        "split_offsets": [4, 134_217_732],
        "equality_ids": None,
        "sort_order_id": 0,
    }
    return DataFile.from_args(**fields)


def entry(number, status, snapshot, sequence):
    return ManifestEntry.from_args(
        status=status,
        snapshot_id=snapshot,
        sequence_number=sequence,
        file_sequence_number=sequence,
        data_file=data_file(number),
    )


for version, codec in [(2, "null"), (2, "deflate"), (2, "snappy"), (2, "zstandard"), (2, "bzip2"), (1, "deflate"), (1, "snappy")]:
    path = target / f"v{version}-{codec}.avro"
    with write_manifest(version, spec, schema, files.new_output(str(path)), 99, codec) as writer:
        writer.add_entry(entry(1, ManifestEntryStatus.ADDED, 99, None))
        writer.add_entry(entry(2, ManifestEntryStatus.EXISTING, 41, 3))
        writer.add_entry(entry(3, ManifestEntryStatus.DELETED, 99, 4))
    manifest = writer.to_manifest_file()
    # Not where this machine has it.
    manifest[0] = f"s3://lake/sales/orders/metadata/{path.name}"
    with write_manifest_list(version, files.new_output(str(target / f"list-v{version}-{codec}.avro")), 99, 41, 7, codec) as writer:
        writer.add_manifests([manifest])
