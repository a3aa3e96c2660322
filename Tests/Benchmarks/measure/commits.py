# SPDX-License-Identifier: Apache-2.0
"""How long a commit takes through the mount, beside the sum of the bare requests that it sends.

Run with the Python environment `clients`.
"""

import http.client
import json
import os
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "mount-scripts" / "lib"))

from account import new_user, statement  # noqa: E402
from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from clients import Mount  # noqa: E402
from environment import clean_environment  # noqa: E402
from recording import Exchange, RecordingProxy  # noqa: E402
from seeding.connection import Connection  # noqa: E402
from seeding.extras import one_column_table  # noqa: E402
from seeding.metastores import DynamoDbMetastore, GlueMetastore  # noqa: E402
from seeding.objects import make_bucket  # noqa: E402

REGION = "eu-central-1"
METASTORES = {"glue": GlueMetastore, "dynamodb": DynamoDbMetastore}
# Names of one length: what is recorded of the one is sent again for the other.
MOUNTED, PLAIN = "bench_mounted", "bench_replays"
METADATA_BYTES = 100 << 10
LOCK = {"lock-impl": "org.apache.iceberg.aws.dynamodb.DynamoDbLockManager", "lock.table": "bergfs-bench-locks"}


@dataclass
class Case:
    """A metastore, with or without the lock, and one of the two forms of a commit."""

    metastore: str
    locked: bool
    form: str
    requests: list[str] = field(default_factory=list)
    # Seconds: the call that commits (close or rename), all calls from open on, the sum of the bare requests.
    call: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


class Account:
    """The emulator's account: a bucket, two catalogs with two tables each, a user."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str):
        self.endpoint = endpoint
        self.connection = Connection(endpoint, REGION, access_key, secret_key)
        make_bucket(self.connection.client("s3"), "bench-commits", REGION)
        keys = new_user(self.connection, "bench", "all", [statement(["*"])])
        self.credentials = Credentials(keys["access_key"], keys["secret_key"])
        for kind, make in METASTORES.items():
            metastore = make(self.connection, self.warehouse(kind))
            metastore.catalog.create_namespace("bench")
            for name in (MOUNTED, PLAIN):
                one_column_table(metastore.catalog, "bench", name, f"{self.warehouse(kind)}/bench/{name}")

    @staticmethod
    def warehouse(kind: str) -> str:
        return f"s3://bench-commits/{kind}"


class CommitMount(Mount):
    name = "bergfs-commits"
    binary = ""

    def __init__(self, account: Account, endpoint: str, kind: str, locked: bool, scratch: Path):
        self.account, self.endpoint, self.kind, self.locked = account, endpoint, kind, locked
        self.scratch = scratch
        self.point = scratch / "mnt-commits"
        self.log = scratch / "commits.log"
        self._daemon = None

    def command(self) -> list[str]:
        properties = {
            "type": self.kind,
            "warehouse": self.account.warehouse(self.kind),
            "glue.endpoint": self.endpoint,
            "dynamodb.endpoint": self.endpoint,
            "s3.endpoint": self.endpoint,
            "s3.path-style-access": "true",
            "client.region": REGION,
        } | (LOCK if self.locked else {})
        command = [self.binary, "mount", "bench", str(self.point), "--foreground", "--staging-dir", str(self.scratch / "staging")]
        for key, value in properties.items():
            command += ["--property", f"{key}={value}"]
        return command

    def environment(self) -> dict[str, str]:
        keys = self.account.credentials
        return clean_environment(AWS_ACCESS_KEY_ID=keys.access_key, AWS_SECRET_ACCESS_KEY=keys.secret_key)

    def path(self, table: str, rest: str = "") -> str:
        return str(self.point / "bench" / table / rest)

    def _answers(self) -> bool:
        return os.path.ismount(self.point) and os.path.exists(self.path(MOUNTED, "metadata/current.metadata.json"))


def commit(mount: CommitMount, form: str, value: str, opens: Callable[[], None] = lambda: None) -> tuple[float, float]:
    """One commit that sets a property; seconds of the committing call, and of all calls from open on. `opens` is called before that one."""
    metadata = mount.path(MOUNTED, "metadata")
    current = os.readlink(f"{metadata}/current.metadata.json")
    with open(f"{metadata}/{current}", "rb") as file:
        document = json.loads(file.read())
    if form == "full":
        log = document.setdefault("metadata-log", [])
        log.append({"timestamp-ms": document["last-updated-ms"], "metadata-file": f"{document['location']}/metadata/{current}"})
        del log[:-100]
        document["last-updated-ms"] = max(int(time.time() * 1000), document["last-updated-ms"] + 1)
    document["properties"]["bench"] = value
    missing = METADATA_BYTES - len(json.dumps(document)) + len(document["properties"].get("filler", ""))
    document["properties"]["filler"] = "x" * max(missing, 0)
    content = json.dumps(document).encode()
    name = f"{int(current.split('-')[0]) + 1:05d}-{uuid.uuid4()}.metadata.json" if form == "full" else "new.json"
    opens()
    begun = time.perf_counter()
    descriptor = os.open(f"{metadata}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(descriptor, content)
    if form == "full":
        called = time.perf_counter()
        os.close(descriptor)
    else:
        os.close(descriptor)
        called = time.perf_counter()
        os.rename(f"{metadata}/{name}", f"{metadata}/current.metadata.json")
    ended = time.perf_counter()
    return ended - called, ended - begun


def record(account: Account, kind: str, locked: bool, form: str, scratch: Path) -> list[Exchange]:
    """What one commit sends, on a mount that has made some already."""
    with RecordingProxy(account.endpoint) as proxy, CommitMount(account, proxy.url, kind, locked, scratch) as mount:
        for number in range(2):
            commit(mount, form, f"recorded {number}")
        # What the client reads before it writes is not the commit's.
        commit(mount, form, "recorded", opens=proxy.exchanges.clear)
        return list(proxy.exchanges)


class Replay:
    """Sends recorded requests again, over connections kept alive, one after another, for the table that nobody mounts."""

    def __init__(self, account: Account, exchanges: list[Exchange]):
        self.account = account
        self.exchanges = exchanges
        host = urlsplit(account.endpoint).netloc
        self.connections = {name: http.client.HTTPConnection(host) for name in {self._service(each) for each in exchanges}}

    @staticmethod
    def _service(exchange: Exchange) -> str:
        target = exchange.headers.get("x-amz-target") or exchange.headers.get("X-Amz-Target") or ""
        return "s3" if not target else "glue" if "Glue" in target else "dynamodb"

    def run(self) -> float:
        """Seconds of all requests together; making and signing them is not counted."""
        total, token, recorded_token = 0.0, None, None
        suffix = uuid.uuid4().hex
        for exchange in self.exchanges:
            target, body = exchange.target.replace(MOUNTED, PLAIN), exchange.body
            if exchange.kind == "PUT":
                target = target.replace(".metadata.json", f"-{suffix}.metadata.json")
            else:
                body = body.replace(MOUNTED.encode(), PLAIN.encode())
                if exchange.kind == "UpdateTable":
                    document = json.loads(body)
                    document["VersionId"] = token
                    body = json.dumps(document, separators=(",", ":")).encode()
                elif exchange.kind == "UpdateItem" and recorded_token:
                    body = body.replace(recorded_token.encode(), str(token).encode())
            seconds, answer = self._send(exchange, target, body)
            total += seconds
            if exchange.kind == "GetTable":
                token = json.loads(answer)["Table"]["VersionId"]
            elif exchange.kind == "GetItem" and b"metadata_location" in answer:
                token, recorded_token = (json.loads(text)["Item"]["v"]["S"] for text in (answer, exchange.answer))
        return total

    def _send(self, exchange: Exchange, target: str, body: bytes) -> tuple[float, bytes]:
        service = self._service(exchange)
        left_out = ("authorization", "host", "x-amz-date", "content-length", "x-amz-content-sha256", "x-amz-checksum-crc32", "connection")
        headers = {name: value for name, value in exchange.headers.items() if name.lower() not in left_out}
        request = AWSRequest(exchange.method, self.account.endpoint + target, data=body, headers=headers)
        if service == "s3":
            request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
        SigV4Auth(self.account.credentials, service, REGION).add_auth(request)
        signed = dict(request.headers.items())
        connection = self.connections[service]
        begun = time.perf_counter()
        connection.request(exchange.method, target, body or None, signed)
        response = connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - begun
        if response.status >= 300:
            raise RuntimeError(f"the bare {exchange.kind} was answered {response.status}: {answer[:300]!r}")
        return seconds, answer

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()


def measure_commits(account: Account, metastores: list[str], commits: int, scratch: Path) -> list[Case]:
    """Commits through the mount and bare requests by turns, so that both meet the machine in the same state."""
    cases = []
    for kind in metastores:
        for locked in (False, True):
            for form in ("full", "edited"):
                case = Case(kind, locked, form)
                exchanges = record(account, kind, locked, form, scratch)
                case.requests = [exchange.kind for exchange in exchanges]
                replay = Replay(account, exchanges)
                with CommitMount(account, account.endpoint, kind, locked, scratch) as mount:
                    for number in range(-5, commits):
                        call, whole = commit(mount, form, str(number))
                        bare = replay.run()
                        if number >= 0:
                            case.call.append(call)
                            case.whole.append(whole)
                            case.bare.append(bare)
                replay.close()
                cases.append(case)
                print(f"{kind} {'locked' if locked else 'unlocked'} {form}: {', '.join(case.requests)}", file=sys.stderr, flush=True)
    return cases


def percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def commit_table(cases: list[Case], commits: int) -> str:
    lines = [
        f"{commits} commits of a metadata file of {METADATA_BYTES >> 10} KiB each, by turns with the bare requests; milliseconds, median and 99th percentile",
        "",
        "| metastore | lock | form | committing call | from open on | bare requests | call - bare | requests |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        pairs = [(percentile(values, 0.5), percentile(values, 0.99)) for values in (case.call, case.whole, case.bare)]
        columns = [f"{middle:.1f}, {last:.1f}" for middle, last in pairs]
        more = f"{pairs[0][0] - pairs[2][0]:+.1f}, {pairs[0][1] - pairs[2][1]:+.1f}"
        lock = "yes" if case.locked else "no"
        lines.append(f"| {case.metastore} | {lock} | {case.form} | {' | '.join(columns)} | {more} | {', '.join(case.requests)} |")
    return "\n".join(lines) + "\n"
