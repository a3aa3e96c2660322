# SPDX-License-Identifier: Apache-2.0
"""Objects put beside and below tables with boto3: many small ones, one large one, and keys that are hard to show as file names."""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from boto3.s3.transfer import TransferConfig

UPLOAD_THREADS = 4
MEBIBYTE = 1 << 20
TRANSFER = TransferConfig(multipart_threshold=32 * MEBIBYTE, multipart_chunksize=32 * MEBIBYTE, max_concurrency=2)

# Keys below the data location of the table `odd_keys`. What each of them probes stands beside it.
ODD_KEYS = (
    "plain.parquet",
    "with space.parquet",
    " leading space",
    "trailing space ",
    "plus+sign",
    "percent%sign",
    "percent%41encoded",  # must not be shown as percentAencoded
    "percent%2fslash",
    "percent%~tilde",
    "ends with percent%",
    "question?hash#amp&equals=semi;colon:comma,at@",
    "quotes'\"`",
    "angle<>brackets[]braces{}",
    "dollar$(var)*star!",
    "back\\slash",
    "pipe|tilde~caret^",
    "new\nline",
    "tab\tcarriage\rreturn",
    "unicode-å-ß-日本語-🧊",
    "unicode-decomposed-A\u030a",  # not the same key as its composed form
    "unicode-composed-\u00c5",
    "region=eu west/day=2026-01-01/part-0.parquet",
    "../climbs/out.parquet",
    "a/../b",
    "./dot",
    "..",
    ".",
    "double//slash.parquet",
    "//leading-slashes",
    "trailing-slashes//",
    "marker/",  # an object of no bytes that stands for a directory
    "both",  # an object …
    "both/inside",  # … and a prefix of the same name
    "both%",
    "-rf",
    "...",
    ".hidden",
    "UPPER",
    "upper",
    "n" * 255,
    "l" * 256,
    "l" * 255 + "/below-a-long-name",
    "m" * 400 + "-one",
    "m" * 400 + "-two",  # the first 200 bytes equal those of its neighbour
    "å" * 128,  # 128 characters, 256 bytes
)


def make_bucket(s3, bucket, region):
    if region == "us-east-1":
        s3.create_bucket(Bucket=bucket)
    else:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})


def put_all(s3, bucket, bodies):
    """Puts (key, bytes or pyarrow buffer) pairs in parallel; large ones in parts."""

    def put(pair):
        key, body = pair
        if len(body) >= TRANSFER.multipart_threshold:
            s3.upload_fileobj(pa.BufferReader(body), bucket, key, Config=TRANSFER)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=bytes(body))

    with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
        for _ in pool.map(put, bodies):
            pass


def put_odd_keys(s3, bucket, prefix):
    """Puts the odd keys below `prefix` and returns the whole keys; an object's body names its key."""
    keys = [prefix + key for key in ODD_KEYS]
    put_all(s3, bucket, ((key, b"" if key.endswith("/") else b"body of " + key.encode()) for key in keys))
    return keys
