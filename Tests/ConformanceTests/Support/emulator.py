# SPDX-License-Identifier: Apache-2.0
"""boto3 clients for the emulator that the tests started."""

import os

import boto3
from botocore.config import Config


def client(service: str):
    return boto3.client(
        service,
        endpoint_url=os.environ["EMULATOR_ENDPOINT"],
        region_name=os.environ["EMULATOR_REGION"],
        aws_access_key_id=os.environ["EMULATOR_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["EMULATOR_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=8),
    )
