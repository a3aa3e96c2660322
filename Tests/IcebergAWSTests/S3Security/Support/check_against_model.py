# SPDX-License-Identifier: Apache-2.0
"""Holds requests against the service models that botocore ships.

Reads one JSON object a line: operation ("S3.GetObject"), method, path, query (pairs), headers (pairs). Writes one line each: "ok", or what
the model does not know: an operation, a method, a path, a header, a query item, a value outside an enumeration, or a required member that
is missing.
"""

import json
import sys
from urllib.parse import parse_qsl

import botocore.session

session = botocore.session.get_session()
models = {"S3": session.get_service_model("s3"), "S3Control": session.get_service_model("s3control")}


def verdict(request):
    service, name = request["operation"].split(".")
    model = models[service].operation_model(name)
    if model.http["method"] != request["method"]:
        return f"method {request['method']} is not {model.http['method']}"
    path, _, literal = model.http["requestUri"].partition("?")
    if service == "S3Control" and path != request["path"]:
        return f"path {request['path']} is not {path}"
    if service == "S3" and ("{Key+}" in path) != (len(request["path"]) > 1):
        return f"path {request['path']} is not {path}"
    fixed = dict(parse_qsl(literal, keep_blank_values=True))
    found = {"Bucket", "Key"} if service == "S3" else set()
    by_place = {"header": {}, "querystring": {}}
    for member, shape in model.input_shape.members.items():
        place = shape.serialization.get("location")
        if place in by_place:
            key = shape.serialization["name"]
            by_place[place][key.lower() if place == "header" else key] = (member, shape)
        elif place is None:
            found.add(member)
    for key, value in request["query"]:
        if key in fixed:
            if fixed[key] != (value or ""):
                return f"query {key}={value} is not {fixed[key]}"
            del fixed[key]
            continue
        if key not in by_place["querystring"]:
            return f"query item {key} is unknown"
        member, shape = by_place["querystring"][key]
        found.add(member)
        if getattr(shape, "enum", None) and value not in shape.enum:
            return f"query {key}={value} is none of {shape.enum}"
    if fixed:
        return f"query lacks {sorted(fixed)}"
    for key, value in request["headers"]:
        key = key.lower()
        if key.startswith("x-amz-meta-"):
            if "Metadata" not in model.input_shape.members:
                return f"header {key} is metadata, which {name} does not take"
            continue
        if key == "content-type" and model.has_streaming_input is False and "ContentType" not in model.input_shape.members:
            # Of an XML body: the protocol's own.
            continue
        if key in ("content-md5", "x-amz-checksum-crc32") and model.http_checksum.get("requestChecksumRequired"):
            continue
        if key not in by_place["header"]:
            return f"header {key} is unknown"
        member, shape = by_place["header"][key]
        found.add(member)
        if getattr(shape, "enum", None) and value not in shape.enum:
            return f"header {key}: {value} is none of {shape.enum}"
    missing = set(model.input_shape.required_members) - found
    return f"lacks {sorted(missing)}" if missing else "ok"


for line in sys.stdin:
    print(verdict(json.loads(line)))
