# SPDX-License-Identifier: Apache-2.0
"""A stand-in for what no emulator has: directory buckets with their sessions, S3 Access Grants, and STS for the caller's account.

Every request's signature is made again by botocore's signers with the keys that were handed out, and compared. The time is the one that
requests are signed with, so that a test's clock decides when keys end. Arguments: its port, and how many seconds keys live if not five minutes. GET /.log
gives what came, POST /.end ends all sessions, PUT /.object/BUCKET/KEY makes an object, POST /.grants (JSON: {"grants": [[scope, permission]], "iam": bool}) says who may what.
"""

import base64
import datetime
import hashlib
import http.server
import json
import re
import sys
import threading
import zlib
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.auth import S3ExpressAuth, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCOUNT = "123456789012"
OWNER = "210987654321"
FORM = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=(\S+), Signature=(\w+)$")
LIFE = datetime.timedelta(seconds=int(sys.argv[2]) if len(sys.argv) > 2 else 300)
lock = threading.Lock()


class Refusal(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class State:
    def __init__(self):
        self.keys = {"OWNKEY": {"secret": "own/secret", "token": "own//token==", "kind": "own", "end": None}}
        self.objects, self.uploads, self.log = {}, {}, []
        self.made, self.grants, self.iam = 0, [], True

    def hand_out(self, kind, now, **more):
        self.made += 1
        key = f"{kind.upper()}{self.made}"
        self.keys[key] = {"secret": f"s/{key}", "token": f"t//{key}==", "kind": kind, "end": now + LIFE, **more}
        end = self.keys[key]["end"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f"<Credentials><SessionToken>{self.keys[key]['token']}</SessionToken><SecretAccessKey>{self.keys[key]['secret']}"
            f"</SecretAccessKey><AccessKeyId>{key}</AccessKeyId><Expiration>{end}</Expiration></Credentials>"
        )


state = State()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with lock:
            if parts.path.startswith("/."):
                return self.control(parts.path)
            entry = {"method": self.command, "path": parts.path, "query": self.query, "headers": dict(self.headers.items())}
            try:
                key, service, now = self.verified()
                entry["key"], entry["service"] = key["kind"], service
                status, headers, body = self.route(unquote(parts.path), key, service, now)
            except Refusal as refusal:
                entry["refused"] = refusal.code
                status, headers = refusal.status, {}
                body = f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>".encode()
            state.log.append(entry)
        self.answer(status, headers, body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def control(self, path):
        if path == "/.end":
            for key in state.keys.values():
                if key["kind"] != "own":
                    key["end"] = datetime.datetime.min
        elif path == "/.grants":
            told = json.loads(self.body)
            state.grants, state.iam = told["grants"], told["iam"]
        elif path.startswith("/.object/"):
            self.put(tuple(unquote(path).split("/", 3)[2:]), self.body, datetime.datetime.now(datetime.timezone.utc))
        self.answer(200, {}, json.dumps(state.log).encode() if path == "/.log" else b"")

    def verified(self):
        """The keys that signed, after making the signature again."""
        match = FORM.match(self.headers.get("Authorization") or "")
        if not match:
            raise Refusal(403, "AccessDenied", "no signature")
        access_key, day, region, service, names, signature = match.groups()
        key = state.keys.get(access_key)
        if key is None:
            raise Refusal(403, "InvalidAccessKeyId")
        is_session = key["kind"] == "session"
        token_header = "x-amz-s3session-token" if is_session else "x-amz-security-token"
        other = "x-amz-security-token" if is_session else "x-amz-s3session-token"
        if self.headers.get(token_header) != key["token"] or self.headers.get(other) or token_header not in names.split(";"):
            raise Refusal(403, "InvalidToken", f"{token_header} is not the token of {access_key}")
        credentials = Credentials(access_key, key["secret"], key["token"])
        if is_session:
            signer = S3ExpressAuth(credentials, service, region, identity_cache=None)
        else:
            signer = (S3SigV4Auth if service.startswith("s3") else SigV4Auth)(credentials, service, region)
        request = AWSRequest(method=self.command, url=f"http://{self.headers['Host']}{self.path}", data=self.body)
        for name in names.split(";"):
            if name != "host":
                request.headers[name] = self.headers[name]
        stamp = self.headers["x-amz-date"]
        request.context["timestamp"] = stamp
        made = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        payload = self.headers.get("x-amz-content-sha256")
        if made != signature or not stamp.startswith(day):
            raise Refusal(403, "SignatureDoesNotMatch")
        if service.startswith("s3") and payload not in ("UNSIGNED-PAYLOAD", hashlib.sha256(self.body).hexdigest()):
            raise Refusal(400, "XAmzContentSHA256Mismatch")
        now = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ")
        if key["end"] is not None and now >= key["end"]:
            raise Refusal(400, "ExpiredToken", "The provided token has expired.")
        return key, service, now

    def route(self, path, key, service, now):
        if service == "sts":
            fields = dict(parse_qsl(self.body.decode()))
            if key["kind"] != "own" or fields.get("Action") != "GetCallerIdentity":
                raise Refusal(403, "AccessDenied")
            result = f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/u</Arn><UserId>U</UserId>"
            return xml(f"<GetCallerIdentityResponse><GetCallerIdentityResult>{result}</GetCallerIdentityResult></GetCallerIdentityResponse>")
        if path.startswith("/v20180820/"):
            return self.grants(path, key, now)
        _, bucket, name = (path + "/").split("/", 2)
        name = name[:-1] if name else ""
        if bucket.endswith("--x-s3"):
            return self.directory_bucket(bucket, name, key, service, now)
        if service != "s3":
            raise Refusal(403, "SignatureDoesNotMatch", f"signed for {service}")
        self.check_grant(bucket, name, key)
        return self.objects(bucket, name, now, is_directory=False)

    # S3 Access Grants

    def grants(self, path, key, now):
        if key["kind"] != "own":
            raise Refusal(403, "AccessDenied", "grants are asked for with the caller's own keys")
        account = self.headers.get("x-amz-account-id")
        if path.endswith("/prefix"):
            if account != ACCOUNT or not self.query["s3prefix"].startswith("s3://"):
                raise Refusal(403, "AccessDenied", "not the caller's account")
            arn = f"arn:aws:s3:eu-west-1:{OWNER}:access-grants/default"
            return xml(f'<GetAccessGrantsInstanceForPrefixResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">'
                       f"<AccessGrantsInstanceArn>{arn}</AccessGrantsInstanceArn></GetAccessGrantsInstanceForPrefixResult>")
        if account != OWNER or set(self.query) - {"target", "permission", "privilege", "durationSeconds", "targetType"}:
            raise Refusal(403, "AccessDenied", "not the account of the instance")
        target, asked = self.query["target"].rstrip("*"), self.query["permission"]
        for scope, permission in state.grants:
            if target.startswith(scope.rstrip("*")) and permission in (asked, "READWRITE"):
                keys = state.hand_out("grant", now, scope=scope.rstrip("*"), permission=asked)
                return xml(f'<GetDataAccessResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">{keys}'
                           f"<MatchedGrantTarget>{scope}</MatchedGrantTarget></GetDataAccessResult>")
        raise Refusal(403, "AccessDenied", "You do not have READ permissions to the requested S3 Prefix")

    def check_grant(self, bucket, name, key):
        if key["kind"] == "own":
            if not state.iam:
                raise Refusal(403, "AccessDenied", "the caller has no rights of its own")
            return
        asked = "READ" if self.command in ("GET", "HEAD") else "WRITE"
        place = f"s3://{bucket}/{name or self.query.get('prefix', '')}"
        if "delete" in self.query:
            place = f"s3://{bucket}/{re.search('<Key>([^<]*)', self.body.decode()).group(1)}"
        if not place.startswith(key["scope"]) or key["permission"] not in (asked, "READWRITE"):
            raise Refusal(403, "AccessDenied", f"{key['permission']} of {key['scope']} is not {asked} of {place}")

    # directory buckets

    def directory_bucket(self, bucket, name, key, service, now):
        if service != "s3express":
            raise Refusal(403, "SignatureDoesNotMatch", f"signed for {service}")
        copies = "x-amz-copy-source" in self.headers
        if "session" in self.query:
            if key["kind"] != "own":
                raise Refusal(403, "AccessDenied", "a session makes no session")
            if self.headers.get("x-amz-create-session-mode") != "ReadWrite":
                raise Refusal(400, "InvalidRequest", "no mode")
            keys = state.hand_out("session", now, bucket=bucket)
            return xml(f'<CreateSessionResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{keys}</CreateSessionResult>')
        wanted = "own" if copies or not state.iam else "session"
        if key["kind"] != wanted or (wanted == "session" and key["bucket"] != bucket):
            raise Refusal(403, "AccessDenied", f"{key['kind']} keys where {wanted} keys are wanted")
        for header in ("content-md5", "x-amz-tagging", "x-amz-acl"):
            if header in self.headers:
                raise Refusal(501, "NotImplemented", header)
        return self.objects(bucket, name, now, is_directory=True)

    # objects

    def objects(self, bucket, name, now, is_directory):
        place, query = (bucket, name), self.query
        if not name and "uploads" in query and self.command == "GET":
            self.check_prefix(is_directory)
            found = "".join(
                f"<Upload><Key>{k}</Key><UploadId>{u}</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>"
                for u, (b, k, _) in state.uploads.items() if b == bucket and k.startswith(query.get("prefix", "")))
            return xml(f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{found}</ListMultipartUploadsResult>")
        if not name and "delete" in query:
            keys = re.findall("<Key>([^<]*)</Key>", self.body.decode())
            self.check_crc()
            for deleted in keys:
                state.objects.pop((bucket, deleted), None)
            return xml("<DeleteResult>" + "".join(f"<Deleted><Key>{k}</Key></Deleted>" for k in keys) + "</DeleteResult>")
        if not name and self.command == "HEAD":
            return 200, {}, b""
        if not name and self.command == "GET":
            return self.listing(bucket, is_directory)
        if "uploads" in query:
            upload = f"upload-{len(state.uploads) + len(state.log)}"
            state.uploads[upload] = (bucket, name, {})
            return xml(f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>")
        if "uploadId" in query:
            return self.upload(place, query["uploadId"], now)
        if self.command == "PUT":
            self.check_crc()
            return self.put(place, self.body, now)
        if self.command == "DELETE":
            state.objects.pop(place, None)
            return 204, {}, b""
        return self.get(place)

    def upload(self, place, upload, now):
        if upload not in state.uploads:
            raise Refusal(404, "NoSuchUpload")
        parts = state.uploads[upload][2]
        if self.command == "DELETE":
            del state.uploads[upload]
            return 204, {}, b""
        if self.command == "POST":
            del state.uploads[upload]
            numbers = [int(number) for number in re.findall("<PartNumber>([0-9]+)", self.body.decode())]
            if numbers != list(range(1, len(parts) + 1)):
                raise Refusal(400, "InvalidPartOrder")
            _, headers, _ = self.put(place, b"".join(parts[number] for number in numbers), now)
            return xml(f"<CompleteMultipartUploadResult><ETag>{escape(headers['ETag'])}</ETag></CompleteMultipartUploadResult>")
        data = self.body
        source = self.headers.get("x-amz-copy-source")
        if source:
            bucket, name = unquote(source).split("/", 1)
            first, last = re.match(r"bytes=(\d+)-(\d+)$", self.headers["x-amz-copy-source-range"]).groups()
            data = state.objects[(bucket, name)][0][int(first):int(last) + 1]
        else:
            self.check_crc()
        parts[int(self.query["partNumber"])] = data
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        if source:
            return xml(f"<CopyPartResult><ETag>{escape(etag)}</ETag></CopyPartResult>")
        return 200, {"ETag": etag}, b""

    def put(self, place, data, now):
        if self.headers.get("If-None-Match") == "*" and place in state.objects:
            raise Refusal(412, "PreconditionFailed")
        mark = self.headers.get("x-amz-meta-bergfs-upload", "")
        # As in a directory bucket, an ETag says nothing of the content.
        etag = f'"{hashlib.sha1(repr((place, len(state.log))).encode()).hexdigest()[:32]}"'
        state.objects[place] = (data, etag, now, mark)
        return 200, {"ETag": etag}, b""

    def get(self, place):
        if place not in state.objects:
            raise Refusal(404, "NoSuchKey")
        data, etag, now, mark = state.objects[place]
        headers = {"ETag": etag, "Last-Modified": now.strftime("%a, %d %b %Y %H:%M:%S GMT"), "x-amz-meta-bergfs-upload": mark}
        wanted = self.headers.get("Range")
        if self.command == "HEAD":
            return 200, {**headers, "Content-Length": str(len(data))}, b""
        if not wanted:
            return 200, headers, data
        first, last = (int(number) for number in re.match(r"bytes=(\d+)-(\d+)$", wanted).groups())
        last = min(last, len(data) - 1)
        return 206, {**headers, "Content-Range": f"bytes {first}-{last}/{len(data)}"}, data[first:last + 1]

    def listing(self, bucket, is_directory):
        self.check_prefix(is_directory)
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter")
        if is_directory and "start-after" in self.query:
            raise Refusal(501, "NotImplemented", "start-after")
        names, prefixes = [], []
        keys = [k for b, k in state.objects if b == bucket] + [k for b, k, _ in state.uploads.values() if b == bucket and is_directory]
        for name in sorted(keys, key=lambda k: hashlib.md5(k.encode()).digest() if is_directory else k.encode()):
            if not name.startswith(prefix):
                continue
            rest = name[len(prefix):]
            if delimiter and delimiter in rest:
                group = prefix + rest.split(delimiter)[0] + delimiter
                if group not in prefixes:
                    prefixes.append(group)
            elif (bucket, name) in state.objects:
                names.append(name)
        rows = "".join(
            f"<Contents><Key>{escape(n)}</Key><Size>{len(state.objects[(bucket, n)][0])}</Size>"
            f"<ETag>{escape(state.objects[(bucket, n)][1])}</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for n in names)
        rows += "".join(f"<CommonPrefixes><Prefix>{escape(p)}</Prefix></CommonPrefixes>" for p in prefixes)
        return xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>")

    def check_prefix(self, is_directory):
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "/")
        if is_directory and (prefix and not prefix.endswith("/") or delimiter != "/"):
            raise Refusal(400, "InvalidArgument", "a prefix ends in the delimiter, and that is /")

    def check_crc(self):
        """Whether the body is the one its header speaks of; as in S3, a request need not carry it."""
        told = self.headers.get("x-amz-checksum-crc32")
        if told and base64.b64decode(told) != zlib.crc32(self.body).to_bytes(4, "big"):
            raise Refusal(400, "BadDigest")


def xml(text):
    return 200, {"Content-Type": "application/xml"}, text.encode()


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
# Ends with whoever started it.
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
