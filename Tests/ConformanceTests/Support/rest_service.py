#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the REST services beside a catalog: signer of S3 requests, token service, vended credentials.

Signatures are botocore's, made with keys that only this process has (SERVICE_ACCESS_KEY, SERVICE_SECRET_KEY). Unlike the reference servlet it
checks bearer tokens, and refuses objects that are not on its list. It listens on 127.0.0.1:PORT and ends when its standard input does.

`GET /control/record` gives what was asked and answered, `POST /control/reset` forgets it, `POST /control/revoke` makes every token worthless,
`POST /control/set` merges a JSON object into the settings: see SETTINGS.
"""

import base64
import hmac
import json
import os
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SIGN_ROUTES = ("/v1/aws/s3/sign", "/v1/namespaces/ns1/tables/t1/sign")
UNSIGNED_HEADERS = {"range", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-retry"}
ISSUED_TYPE = "urn:ietf:params:oauth:token-type:access_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"

SETTINGS = {
    # Objects whose requests are signed: "bucket/prefix"; null: all.
    "allow": None,
    # Whether sign and credential calls need a bearer token of this service.
    "checks_token": True,
    # Seconds that a token is good for.
    "token_life": 3600,
    "clients": {"bergfs": "client-secret"},
    # Answers to give in place of the next ones: {"route": "sign|tokens|credentials", "status", "headers", "body"}.
    "faults": [],
    # In place of the reference's choice by method.
    "cache_control": None,
    # Seconds that vended keys are said to be good for.
    "credentials_life": 3600,
    # Signs the Range header too, as some deployments do.
    "signs_range": False,
}


class UnsignedPayload(S3SigV4Auth):
    """The service never sees a body, whatever the scheme."""

    def _should_sha256_sign_payload(self, request):
        return False


class Service:
    def __init__(self):
        self.lock = threading.Lock()
        self.settings = dict(SETTINGS)
        self.record = []
        self.tokens = {}
        self.keys = Credentials(os.environ["SERVICE_ACCESS_KEY"], os.environ["SERVICE_SECRET_KEY"], os.environ.get("SERVICE_SESSION_TOKEN") or None)

    def fault(self, route):
        with self.lock:
            for index, fault in enumerate(self.settings["faults"]):
                if fault["route"] == route:
                    return self.settings["faults"].pop(index)
        return None

    def is_good(self, authorization):
        token = (authorization or "").removeprefix("Bearer ")
        with self.lock:
            return self.tokens.get(token, 0) > time.time()

    def issue(self):
        token = "token-" + secrets.token_hex(8)
        life = self.settings["token_life"]
        with self.lock:
            self.tokens[token] = time.time() + life
        return {"access_token": token, "token_type": "Bearer", "issued_token_type": ISSUED_TYPE, "expires_in": life}

    def sign(self, ask):
        if (ask.get("provider") or "s3").lower() != "s3":
            raise ValueError(f"Unsupported provider: {ask['provider']}")
        url = urlsplit(ask["uri"])
        if ask["method"] == "POST" and "delete" in url.query.split("&") and not ask.get("body"):
            raise ValueError("Sign request for delete objects should have a request body")
        unsigned = UNSIGNED_HEADERS - ({"range"} if self.settings["signs_range"] else set())
        headers = {name: ", ".join(values) for name, values in ask["headers"].items()}
        request = AWSRequest(method=ask["method"], url=ask["uri"], headers={n: v for n, v in headers.items() if n.lower() not in unsigned})
        # botocore signs parameters that stand apart, and then reads the address without them.
        UnsignedPayload(self.keys, "s3", ask["region"]).add_auth(request)
        signed = {name: [value] for name, value in request.headers.items()}
        signed.update({name: [value] for name, value in headers.items() if name.lower() in unsigned})
        return {"uri": ask["uri"], "headers": signed}

    def is_allowed(self, ask):
        allowed = self.settings["allow"]
        if allowed is None:
            return True
        url = urlsplit(ask["uri"])
        place = unquote(url.path).lstrip("/")
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if "prefix" in query:
            place = place.rstrip("/") + "/" + query["prefix"]
        return any(place.startswith(prefix) for prefix in allowed)

    def vend(self):
        import boto3

        client = boto3.client(
            "sts", endpoint_url=os.environ["EMULATOR_ENDPOINT"], region_name="us-east-1",
            aws_access_key_id=os.environ["SERVICE_ACCESS_KEY"], aws_secret_access_key=os.environ["SERVICE_SECRET_KEY"])
        keys = client.get_session_token(DurationSeconds=900)["Credentials"]
        config = {
            "s3.access-key-id": keys["AccessKeyId"], "s3.secret-access-key": keys["SecretAccessKey"], "s3.session-token": keys["SessionToken"],
            "s3.session-token-expires-at-ms": str(int((time.time() + self.settings["credentials_life"]) * 1000)),
        }
        return {"storage-credentials": [{"prefix": "gs://elsewhere", "config": {}}, {"prefix": "s3", "config": config}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def answer(self, body):
        path = urlsplit(self.path).path
        if path.startswith("/control/"):
            return self.reply(200, {}, self.control(path.removeprefix("/control/"), body))
        route = self.route(path)
        status, headers, answer = self.result(route, body)
        entry = {
            "route": route, "path": self.path, "headers": {n.lower(): v for n, v in self.headers.items()},
            "body": body.decode("utf-8", "replace"), "status": status, "answer": answer if isinstance(answer, (dict, list)) else None,
        }
        with self.service.lock:
            self.service.record.append(entry)
        self.reply(status, headers, answer)

    def route(self, path):
        if self.command == "POST" and path in SIGN_ROUTES:
            return "sign"
        if self.command == "POST" and path == "/v1/oauth/tokens":
            return "tokens"
        if self.command == "GET" and path == "/v1/credentials":
            return "credentials"
        return "none"

    def result(self, route, body):
        fault = self.service.fault(route)
        if fault:
            return fault["status"], fault.get("headers", {}), fault.get("body", "")
        if route == "none":
            return self.error(400, "BadRequestException", f"No route for request: {self.command} {self.path}")
        try:
            if route == "tokens":
                return self.tokens(dict(parse_qsl(body.decode(), strict_parsing=True)))
            if self.service.settings["checks_token"] and not self.service.is_good(self.headers.get("Authorization")):
                return self.error(401, "NotAuthorizedException", "the token is not good")
            if route == "credentials":
                return 200, {}, self.service.vend()
            ask = json.loads(body)
            if not self.service.is_allowed(ask):
                return self.error(403, "ForbiddenException", "not an object of yours")
            cache = self.service.settings["cache_control"] or ("private" if ask["method"] in ("GET", "HEAD") else "no-cache")
            return 200, {"Cache-Control": cache}, self.service.sign(ask)
        except Exception as error:
            print(f"{route}: {error!r}", file=sys.stderr, flush=True)
            return 500, {}, ""

    def tokens(self, form):
        authorization = self.headers.get("Authorization") or ""
        clients = self.service.settings["clients"]
        if form.get("grant_type") == "client_credentials":
            if not hmac.compare_digest(clients.get(form.get("client_id"), ""), form.get("client_secret", "")):
                return 401, {}, {"error": "invalid_client", "error_description": "who is that?"}
            return 200, {}, self.service.issue()
        if form.get("grant_type") == EXCHANGE:
            subject = form.get("subject_token")
            basics = {"Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode() for name, secret in clients.items()}
            if subject not in self.service.tokens or form.get("subject_token_type") != ISSUED_TYPE:
                return 400, {}, {"error": "invalid_request", "error_description": "no such token"}
            if authorization not in basics and not (authorization == f"Bearer {subject}" and self.service.is_good(authorization)):
                return 401, {}, {"error": "invalid_client", "error_description": "the token has ended"}
            return 200, {}, self.service.issue()
        return 400, {}, {"error": "unsupported_grant_type", "error_description": "not here"}

    def control(self, command, body):
        service = self.service
        with service.lock:
            if command == "record":
                return service.record
            if command == "reset":
                service.record = []
            elif command == "revoke":
                service.tokens = {}
            elif command == "set":
                service.settings.update(json.loads(body))
        return {}

    def error(self, status, kind, message):
        return status, {}, {"error": {"message": message, "type": kind, "code": status}}

    def reply(self, status, headers, answer):
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def main():
    Handler.service = Service()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


main()
