#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and the emulator, and in for the services and endpoints that the emulator lacks.

Every signature is verified by botocore with the secret that belongs to the key, and every request is recorded with the key that signed it.
Passed on to the emulator: Glue, DynamoDB, S3, STS. Answered here: web identities, Lake Formation, IAM Identity Center, the endpoints of
containers and instances, a credential process; the keys that they give are sessions of the emulator. Ends with its standard input.

Prints JSON lines: first {"port": N, "role": ARN, "users": {…}} when it listens, then one for each request.
"""

import argparse
import http.client
import json
import os
import sys
import threading
import time
from datetime import datetime, timezone
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

ACCOUNT = "000000000000"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# What docs/security.md gives to those who read, on both metastores.
READING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
    "glue:GetDatabases", "glue:GetDatabase", "glue:GetTables", "glue:GetTable", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query",
    "dynamodb:DescribeTable", "s3:ListBucket", "s3:GetObject"]}]}  # fmt: skip
LISTING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["glue:GetDatabases", "dynamodb:DescribeTable"], "Resource": "*"}]}


def argument_parser():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", required=True, help="port of the emulator")
    parser.add_argument("--region", required=True)
    parser.add_argument("--role", default="bergfs-tests", help="role whose sessions are given out; may do everything")
    parser.add_argument("--life", type=int, default=3600, help="seconds that given keys hold")
    parser.add_argument("--claimed-life", type=int, help="seconds that they are said to hold")
    parser.add_argument("--skew", type=int, default=0, help="seconds that the services' clock is ahead")
    return parser


class Account:
    """Keys, who they belong to, and what was asked."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.lock = threading.Lock()
        self.secrets = {}
        self.root = (os.environ["SEED_ACCESS_KEY"], os.environ["SEED_SECRET_KEY"])
        place = {
            "endpoint_url": f"http://127.0.0.1:{arguments.upstream}", "region_name": arguments.region,
            "aws_access_key_id": self.root[0], "aws_secret_access_key": self.root[1],
        }  # fmt: skip
        # Sessions of seconds: the emulator takes them, boto3 knows that AWS does not.
        self.sts = boto3.client("sts", config=Config(parameter_validation=False), **place)
        iam = boto3.client("iam", **place)
        self.users = {}
        for name, policy in (("user", EVERYTHING), ("reader", READING), ("lister", LISTING), ("nobody", None)):
            iam.create_user(UserName=f"{name}-{os.getpid()}")
            if policy:
                iam.put_user_policy(UserName=f"{name}-{os.getpid()}", PolicyName="rights", PolicyDocument=json.dumps(policy))
            keys = iam.create_access_key(UserName=f"{name}-{os.getpid()}")["AccessKey"]
            self.users[name] = {"access": keys["AccessKeyId"], "secret": keys["SecretAccessKey"]}
            self.remember(keys["AccessKeyId"], keys["SecretAccessKey"], name)
        try:
            iam.create_role(RoleName=arguments.role, AssumeRolePolicyDocument=json.dumps(TRUST))
            iam.put_role_policy(RoleName=arguments.role, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
        except iam.exceptions.EntityAlreadyExistsException:
            pass
        self.role_arn = f"arn:aws:iam::{ACCOUNT}:role/{arguments.role}"

    def remember(self, access, secret, owner):
        with self.lock:
            self.secrets[access] = (secret, owner)

    def mint(self, owner):
        """A session of the role; its end is told as the arguments say."""
        keys = self.sts.assume_role(RoleArn=self.role_arn, RoleSessionName=owner, DurationSeconds=self.arguments.life)["Credentials"]
        self.remember(keys["AccessKeyId"], keys["SecretAccessKey"], owner)
        end = time.time() + (self.arguments.claimed_life or self.arguments.life)
        return keys, end

    def record(self, **facts):
        with self.lock:
            print(json.dumps(facts), flush=True)


def iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def document(keys, end, token="Token"):
    return {"AccessKeyId": keys["AccessKeyId"], "SecretAccessKey": keys["SecretAccessKey"], token: keys["SessionToken"], "Expiration": iso(end)}


def verify(account, method, target, headers, body):
    """The owner of the key that signed, and why the signature is refused (nil if it is not)."""
    authorization = headers.get("authorization")
    if authorization is None or not authorization.startswith("AWS4-HMAC-SHA256 "):
        return None, None
    fields = dict(part.strip().split("=", 1) for part in authorization.split(" ", 1)[1].split(","))
    access, _, region, service, _ = fields["Credential"].split("/")
    if access not in account.secrets:
        return access, "UnrecognizedClientException"
    secret, owner = account.secrets[access]
    parts = urlsplit(target)
    request = AWSRequest(method=method, url=f"http://{headers['host']}{target}", data=body)
    for name in fields["SignedHeaders"].split(";"):
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    auth = kind(Credentials(access, secret, headers.get("x-amz-security-token")), service, region)
    if service == "s3":
        auth.payload = lambda _request: headers["x-amz-content-sha256"]
    request.params = None
    canonical = auth.canonical_request(request)
    wanted = auth.signature(auth.string_to_sign(request, canonical), request)
    if "x-amz-security-token" in headers and "x-amz-security-token" not in fields["SignedHeaders"].split(";"):
        return owner, "SignatureDoesNotMatch"
    if wanted != fields["Signature"]:
        return owner, "SignatureDoesNotMatch"
    signed = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    if abs(time.time() + account.arguments.skew - signed) > 300:
        return owner, "RequestTimeTooSkewed" if service == "s3" else "InvalidSignatureException"
    return owner, None if parts.path else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    account = None

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate((timestamp or time.time()) + self.account.arguments.skew, usegmt=True)

    def answer(self, status, body=b"", content_type="application/json", headers=()):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        owner, problem = verify(self.account, self.command, self.path, headers, body)
        operation = headers.get("x-amz-target", "").split(".")[-1]
        form = parse_qs(body.decode()) if headers.get("content-type", "").startswith("application/x-www-form") else {}
        operation = operation or form.get("Action", [""])[0]
        self.account.record(
            method=self.command, target=self.path, operation=operation, owner=owner, problem=problem,
            body=body.decode("utf-8", "replace") if len(body) < 4000 else "",
        )  # fmt: skip
        if problem:
            return self.refuse(problem, is_json="x-amz-target" in headers)
        path = unquote(self.path.split("?")[0])
        if path.startswith("/latest/"):
            return self.instance(path, headers)
        if path.startswith("/web-page"):
            return self.answer(200, b"<!DOCTYPE html><html><body>Welcome</body></html>", "text/html")
        if path == "/mint":
            return self.answer(200, {"Version": 1, **document(*self.account.mint("process"), "SessionToken")})
        if path == "/container":
            return self.container(headers)
        if path == "/federation/credentials":
            return self.portal(headers)
        if path == "/token":
            return self.answer(200, {"accessToken": "fresh-token", "tokenType": "Bearer", "expiresIn": 28800, "refreshToken": "next"})
        if path == "/GetTemporaryGlueTableCredentials":
            return self.lake_formation(owner, body)
        if operation == "AssumeRoleWithWebIdentity":
            return self.web_identity(form)
        return self.forward(headers, body, operation)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def refuse(self, problem, is_json):
        if is_json:
            return self.answer(400, {"__type": problem, "message": problem})
        text = f"<Error><Code>{problem}</Code><Message>refused</Message></Error>".encode()
        return self.answer(403, text, "application/xml")

    # Endpoints of this machine and services

    def instance(self, path, headers):
        if path == "/latest/api/token":
            return self.answer(200 if self.command == "PUT" else 405, b"instance-token", "text/plain")
        if headers.get("x-aws-ec2-metadata-token") != "instance-token":
            return self.answer(401)
        if path.endswith("/security-credentials/"):
            return self.answer(200, b"tests-role", "text/plain")
        if path == "/latest/meta-data/placement/region":
            return self.answer(200, self.account.arguments.region.encode(), "text/plain")
        keys, end = self.account.mint("instance")
        return self.answer(200, {"Code": "Success", "Type": "AWS-HMAC", **document(keys, end)})

    def container(self, headers):
        if headers.get("authorization") != "container-token":
            return self.answer(401, {"code": "401", "message": "no token"})
        return self.answer(200, document(*self.account.mint("container")))

    def portal(self, headers):
        if headers.get("x-amz-sso_bearer_token") not in ("valid-token", "fresh-token"):
            return self.answer(401, {"message": "no"}, headers=[("x-amzn-ErrorType", "UnauthorizedException")])
        keys, end = self.account.mint("sso")
        return self.answer(
            200, {"roleCredentials": {"accessKeyId": keys["AccessKeyId"], "secretAccessKey": keys["SecretAccessKey"],
                                      "sessionToken": keys["SessionToken"], "expiration": int(end * 1000)}})  # fmt: skip

    def lake_formation(self, owner, body):
        asked = json.loads(body)
        if owner != "role" or asked.get("SupportedPermissionTypes") != ["COLUMN_PERMISSION"] or len(asked) != 2:
            return self.answer(403, {"Message": "not the role"}, headers=[("x-amzn-ErrorType", "AccessDeniedException")])
        keys, end = self.account.mint("lake-formation:" + asked["TableArn"].split("/", 1)[1])
        return self.answer(200, {**document(keys, end, "SessionToken"), "Expiration": end})

    def web_identity(self, form):
        if form.get("WebIdentityToken") != ["web-token"]:
            text = b"<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>no</Message></Error></ErrorResponse>"
            return self.answer(400, text, "text/xml")
        keys, end = self.account.mint("web-identity")
        return self.answer(200, self.assumed("AssumeRoleWithWebIdentity", keys, end), "text/xml")

    @staticmethod
    def assumed(action, keys, end):
        parts = "".join(f"<{name}>{keys[name]}</{name}>" for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        return (
            f"<{action}Response><{action}Result><Credentials>{parts}<Expiration>{iso(end)}</Expiration></Credentials>"
            f"</{action}Result></{action}Response>"
        ).encode()

    # The emulator

    def signed_anew(self, sent, headers, body):
        dropped = ("authorization", "x-amz-security-token", "x-amz-date", "x-amz-content-sha256", "connection")
        request = AWSRequest(method=self.command, url=f"http://{headers['host']}{self.path}", data=body)
        for name, value in sent.items():
            if name.lower() not in dropped:
                request.headers[name] = value
        scope = headers["authorization"].split("Credential=")[1].split(",")[0].split("/")
        kind = botocore.auth.S3SigV4Auth if scope[3] == "s3" else botocore.auth.SigV4Auth
        kind(Credentials(*self.account.root), scope[3], scope[2]).add_auth(request)
        return dict(request.headers.items())

    def forward(self, headers, body, operation):
        connection = http.client.HTTPConnection("127.0.0.1", int(self.account.arguments.upstream), timeout=60)
        sent = dict(self.headers.items())
        if self.account.arguments.skew and "authorization" in headers:
            # Verified here; the emulator has another clock, and does not check its root.
            sent = self.signed_anew(sent, headers, body)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        if operation == "AssumeRole" and response.status == 200:
            fields = {name: content.decode().split(f"<{name}>")[1].split("<")[0] for name in ("AccessKeyId", "SecretAccessKey")}
            self.account.remember(fields["AccessKeyId"], fields["SecretAccessKey"], "role")
        if operation == "GetTable" and response.status == 200:
            answer = json.loads(content)
            answer["Table"]["IsRegisteredWithLakeFormation"] = not answer["Table"]["Name"].startswith("plain")
            content = json.dumps(answer).encode()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "date", "server", "connection", "transfer-encoding"):
                self.send_header(name, value)
        length = response.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        connection.close()


def main():
    arguments = argument_parser().parse_args()
    account = Account(arguments)
    Handler.account = account
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1], "role": account.role_arn, "users": account.users}), flush=True)
    sys.stdin.read()

main()
