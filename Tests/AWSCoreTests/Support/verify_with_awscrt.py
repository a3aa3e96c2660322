# SPDX-License-Identifier: Apache-2.0
"""Holds SigV4A signatures against those of awscrt.

Reads one JSON object a line: case (what sign_with_botocore.py reads) and ours: authorization (the header), public (the public point, hex),
to_sign (the string to sign, hex). ECDSA signs differently each time, so signatures are checked with the public key. Writes one line each:
"same" if awscrt's signature of the same request is one of our string to sign by our key, ours is too, and scope and signed headers are
equal; else what differs.
"""

import datetime
import io
import json
import re
import sys
from urllib.parse import quote

import awscrt.auth
import awscrt.http
from awscrt.auth import AwsSignatureType, AwsSignedBodyHeaderType, AwsSigningAlgorithm
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

UNSIGNED = {"user-agent", "expect", "connection", "x-amzn-trace-id"}
FORM = re.compile(r"AWS4-ECDSA-P256-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]+)$")


def target(case):
    path = quote(case["path"], safe="/~")
    pairs = [
        quote(name, safe="-_.~") + ("" if value is None else "=" + quote(value, safe="-_.~")) for name, value in case["query"]
    ]
    return path + ("?" + "&".join(pairs) if pairs else "")


def signed_by_awscrt(case):
    body = bytes.fromhex(case["body"])
    host = re.sub(r"^https?://", "", case["base"])
    headers = awscrt.http.HttpHeaders([("Host", host)] + [(name, value) for name, value in case["headers"]])
    request = awscrt.http.HttpRequest(case["method"], target(case), headers, None)
    if body:
        request.body_stream = io.BytesIO(body)
    config = awscrt.auth.AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4_ASYMMETRIC,
        signature_type=AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=awscrt.auth.AwsCredentialsProvider.new_static(
            case["access_key"], case["secret_key"], case["token"]
        ),
        region="*",
        service=case["service"],
        date=datetime.datetime.fromisoformat(case["time"]).replace(tzinfo=datetime.timezone.utc),
        should_sign_header=lambda name: name.lower() not in UNSIGNED,
        use_double_uri_encode=False,
        should_normalize_uri_path=False,
        signed_body_value="UNSIGNED-PAYLOAD" if case["unsigned"] else None,
        signed_body_header_type=AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256,
    )
    return awscrt.auth.aws_sign_request(request, config).result(30).headers.get("Authorization")


def is_signature(key, signature, message):
    try:
        key.verify(bytes.fromhex(signature), message, ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


def verdict(pair):
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(pair["public"]))
    message = bytes.fromhex(pair["to_sign"])
    ours, theirs = FORM.match(pair["authorization"]), FORM.match(signed_by_awscrt(pair["case"]))
    if ours is None or theirs is None:
        return "not in the form of the algorithm"
    if ours.group(1) != theirs.group(1):
        return f"scope {ours.group(1)} is not {theirs.group(1)}"
    if ours.group(2) != theirs.group(2):
        return f"signed headers {ours.group(2)} are not {theirs.group(2)}"
    if not is_signature(key, ours.group(3), message):
        return "our signature is not one of our string to sign by our public key"
    if not is_signature(key, theirs.group(3), message):
        return "awscrt's signature is not one of our string to sign by our public key"
    if is_signature(key, theirs.group(3), message + b"x"):
        return "the check accepts anything"
    return "same"


for line in sys.stdin:
    print(verdict(json.loads(line)))
