# SPDX-License-Identifier: Apache-2.0
"""Resolves endpoints by the rule sets that botocore ships.

Reads one JSON object a line: service (s3 or s3control) and parameters (of the rule set). Writes one JSON object a line: url, name
(signing scheme), service, region of the first scheme that is not offered beside a plain sigv4; or error.
"""

import json
import sys

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError

loader = botocore.session.get_session().get_component("data_loader")
partitions = loader.load_data("partitions")
providers = {
    service: EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
    for service in ("s3", "s3control")
}


def resolve(case):
    try:
        endpoint = providers[case["service"]].resolve_endpoint(**case["parameters"])
    except BotoCoreError as error:
        return {"error": str(error)}
    schemes = endpoint.properties["authSchemes"]
    # Outposts offers both; SigV4 is what is used here, and is accepted.
    plain = [scheme for scheme in schemes if scheme["name"] != "sigv4a"]
    scheme = plain[0] if plain else schemes[0]
    region = scheme.get("signingRegion") or ",".join(scheme["signingRegionSet"])
    return {"url": endpoint.url, "scheme": scheme["name"], "service": scheme["signingName"], "region": region}


for line in sys.stdin:
    print(json.dumps(resolve(json.loads(line))))
