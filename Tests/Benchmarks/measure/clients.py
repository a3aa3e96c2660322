# SPDX-License-Identifier: Apache-2.0
"""The ways to read the benchmark's bucket: three mounts, and curl without a filesystem."""

import os
import subprocess
import time
from pathlib import Path

from environment import clean_environment, first_line
from server import ReadServer

READY_SECONDS = 30
ACCESS_KEY = "benchmark"
SECRET_KEY = "benchmark-secret"


class Mount:
    """One mount of the bucket `bench`, its daemon a child of this process in the foreground."""

    name = ""

    def __init__(self, server: ReadServer, scratch: Path):
        self.server = server
        self.scratch = scratch
        self.point = scratch / f"mnt-{self.name}"
        self.log = scratch / f"{self.name}.log"
        self._daemon: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The program and its arguments, staying in the foreground."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return clean_environment()

    def path(self, table: str, rest: str = "") -> str:
        """Where an object below a table's location shows."""
        return str(self.point / table / rest)

    @classmethod
    def version(cls) -> str:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        assert self._daemon is not None
        return self._daemon.pid

    def __enter__(self) -> "Mount":
        self.point.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            self._daemon = subprocess.Popen(
                self.command(), env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"{self.name} did not mount: {self.log.read_text(errors='replace').strip()[-400:]}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemon is None:
            return
        if os.path.ismount(self.point):
            subprocess.run(["fusermount3", "-u", "-z", str(self.point)], check=False)
        try:
            self._daemon.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        self._daemon = None

    def _answers(self) -> bool:
        try:
            return os.path.ismount(self.point) and os.stat(self.path("t", "data/big.bin")).st_size > 0
        except OSError:
            return False


class BergFS(Mount):
    name = "bergfs"
    binary = ""
    memory_limit: str | None = "128M"
    metastore = "glue"
    # Seconds that listings and catalog answers are believed: `warm` jobs must not run out of them between two commands.
    metadata_ttl: int | None = None

    def command(self) -> list[str]:
        properties = {
            "type": self.metastore,
            "warehouse": "s3://bench",
            f"{self.metastore}.endpoint": self.server.url,
            "s3.endpoint": self.server.url,
            "s3.path-style-access": "true",
            "client.region": "us-east-1",
        }
        command = [self.binary, "mount", "bench", str(self.point), "--foreground"]
        for key, value in properties.items():
            command += ["--property", f"{key}={value}"]
        if self.metadata_ttl is not None:
            command += ["--metadata-ttl", str(self.metadata_ttl)]
        return command + (["--memory-limit", self.memory_limit] if self.memory_limit else [])

    def environment(self) -> dict[str, str]:
        return clean_environment(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY)

    def path(self, table: str, rest: str = "") -> str:
        return str(self.point / "bench" / table / rest)

    @classmethod
    def version(cls) -> str:
        return first_line(cls.binary, "version")


class S3FS(Mount):
    name = "s3fs"

    def command(self) -> list[str]:
        password = self.scratch / "s3fs.passwd"
        password.write_text(f"{ACCESS_KEY}:{SECRET_KEY}\n")
        password.chmod(0o600)
        options = f"ro,passwd_file={password},url={self.server.url},use_path_request_style,parallel_count=16,multireq_max=20"
        return ["s3fs", "bench", str(self.point), "-f", "-o", options]

    @classmethod
    def version(cls) -> str:
        return first_line("s3fs", "--version")


class Rclone(Mount):
    name = "rclone"

    def command(self) -> list[str]:
        config = self.scratch / "rclone.conf"
        config.write_text(
            f"[r]\ntype = s3\nprovider = Other\nendpoint = {self.server.url}\nforce_path_style = true\n"
            f"access_key_id = {ACCESS_KEY}\nsecret_access_key = {SECRET_KEY}\n"
        )
        return ["rclone", "mount", "r:bench", str(self.point), "--config", str(config), "--read-only", "--use-server-modtime"]

    @classmethod
    def version(cls) -> str:
        return first_line("rclone", "version")


MOUNTS: dict[str, type[Mount]] = {kind.name: kind for kind in (BergFS, S3FS, Rclone)}
# Ranges read at once by curl, by the row's name.
CURLS = {"curl-1": 1, "curl-4": 4}


def curl_commands(server: ReadServer, streams: int, size: int) -> list[list[str]]:
    """Commands that together read the large object once."""
    step = -(-size // streams)
    url = f"{server.url}/bench/t/data/big.bin"
    ranges = [f"{start}-{min(start + step, size) - 1}" for start in range(0, size, step)]
    return [["curl", "-sS", "--fail", "--noproxy", "*", "-o", "/dev/null", "-r", part, url] for part in ranges]
