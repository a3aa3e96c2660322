# SPDX-License-Identifier: Apache-2.0
"""The read server of a run."""

import json
import subprocess
import urllib.request
from dataclasses import dataclass, field

from environment import clean_environment


@dataclass
class Traffic:
    """What the server saw since its last reset."""

    requests: dict[str, int] = field(default_factory=dict)
    bytes_sent: int = 0
    connections: int = 0
    most_in_flight: int = 0

    @property
    def total(self) -> int:
        return sum(self.requests.values())


@dataclass
class Objects:
    """The objects a run reads: one large, four parts, and the sets that are listed."""

    size: int
    listed: int = 10_000
    tables: int = 10_000
    has_million: bool = False
    # A folder whose folders are buckets.
    root: str = ""

    @property
    def part_size(self) -> int:
        return self.size // 4

    def arguments(self) -> list[str]:
        arguments = ["--synthetic", f"bench/t/data/big.bin={self.size}"]
        for part in range(4):
            arguments += ["--synthetic", f"bench/t/data/part-{part}.bin={self.part_size}"]
        sets = {"listing": f"{self.listed}", "walk": f"{self.listed}/100", "wide": f"{self.listed}/1", "flat": "100000/1"}
        if self.has_million:
            sets["million"] = "1000000"
        for name, count in sets.items():
            arguments += ["--synthetic-many", f"bench/{name}/data={count}", "--table", f"bench.{name}=s3://bench/{name}"]
        arguments += ["--table", "bench.t=s3://bench/t", "--table", "bench.columns=s3://columns/t"]
        if self.root:
            arguments += ["--root", self.root]
        return arguments + ["--glue-tables", str(self.tables)]


class ReadServer:
    """A running read-server; it ends with this process at the latest, by its standard input."""

    def __init__(self, binary: str, objects: Objects, shape: list[str]):
        command = [binary, "--port", "0", "--exit-with-stdin", *objects.arguments(), *shape]
        self.binary = binary
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_environment(), text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().split()
        if len(line) != 2 or line[0] != "listening":
            raise RuntimeError("read-server did not start")
        self.url = f"http://{line[1]}"
        # The proxy of the environment must not stand between: no proxies at all.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def reset(self) -> None:
        self._opener.open(urllib.request.Request(f"{self.url}/__reset", data=b"", method="POST")).close()

    def traffic(self) -> Traffic:
        with self._opener.open(f"{self.url}/__stats") as answer:
            return Traffic(**json.load(answer))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def __enter__(self) -> "ReadServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
