# SPDX-License-Identifier: Apache-2.0
"""Signs requests with botocore.

Reads one JSON object a line: service, access_key, secret_key, token, region, time (ISO 8601), method, base (scheme and host), path (not
encoded for S3, as sent otherwise), query (pairs, not encoded; null for a bare name), headers (pairs), body (hex), unsigned (bool).
Writes one line each: the Authorization header.
"""

import datetime
import json
import sys
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

moment = None


def frozen_now(*_args, **_kwargs):
    return moment


class FrozenDatetime(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return moment.replace(tzinfo=None)

    @classmethod
    def now(cls, tz=None):
        return moment


def freeze():
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = frozen_now
    else:
        botocore.auth.datetime = type("module", (), {"datetime": FrozenDatetime, "timezone": datetime.timezone})


def authorization(case):
    global moment
    moment = datetime.datetime.fromisoformat(case["time"]).replace(tzinfo=datetime.timezone.utc)
    is_s3 = case["service"] == "s3"
    path = quote(case["path"], safe="/~") if is_s3 else case["path"]
    request = AWSRequest(method=case["method"], url=case["base"] + path, data=bytes.fromhex(case["body"]))
    request.params = [(name, "" if value is None else value) for name, value in case["query"]]
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    credentials = Credentials(case["access_key"], case["secret_key"], case["token"])
    if is_s3:
        request.context["client_config"] = Config(s3={"payload_signing_enabled": not case["unsigned"]})
    signer = botocore.auth.S3SigV4Auth if is_s3 else botocore.auth.SigV4Auth
    signer(credentials, case["service"], case["region"]).add_auth(request)
    return request.headers["Authorization"]


freeze()
for line in sys.stdin:
    print(authorization(json.loads(line)))
