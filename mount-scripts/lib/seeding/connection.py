# SPDX-License-Identifier: Apache-2.0
"""Where the seeded account is and how its clients are made."""

import os
import sys
from dataclasses import dataclass

import boto3
from botocore.config import Config

# What would send a client elsewhere: removed before the first client is made.
FOREIGN_PREFIXES = ("AWS_", "PYICEBERG_")
FOREIGN_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def clear_environment():
    for name in list(os.environ):
        if name.startswith(FOREIGN_PREFIXES) or name in FOREIGN_NAMES:
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"


def keys_from_environment():
    """(access key, secret key): in the environment, so that no list of processes shows them."""
    try:
        return os.environ["SEED_ACCESS_KEY"], os.environ["SEED_SECRET_KEY"]
    except KeyError as missing:
        sys.exit(f"the environment variable {missing.args[0]} is not set")


@dataclass(frozen=True)
class Connection:
    """One endpoint that serves S3, Glue and DynamoDB, with the keys of one principal."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str
    # Of the buckets, if it is not that of the catalogs.
    storage_region: str | None = None

    def client(self, service, connections=10):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=(self.storage_region or self.region) if service == "s3" else self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                max_pool_connections=connections,
                s3={"addressing_style": "path"},
                retries={"mode": "standard"},
                request_checksum_calculation="when_required",
            ),
        )

    def catalog_properties(self):
        """PyIceberg's properties for this endpoint, without `type` and `warehouse`."""
        return {
            "client.access-key-id": self.access_key,
            "client.secret-access-key": self.secret_key,
            "client.region": self.region,
            "s3.region": self.storage_region or self.region,
            "glue.endpoint": self.endpoint,
            "s3.endpoint": self.endpoint,
            "s3.force-virtual-addressing": "false",
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        }


def split_uri(uri):
    """`s3://bucket/some/key` as (bucket, key)."""
    bucket, _, key = uri.split("://", 1)[1].partition("/")
    return bucket, key
