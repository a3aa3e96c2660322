# SPDX-License-Identifier: Apache-2.0
"""Copying files in: one large, many small ones, by cp and rsync, through BergFS and s3fs into the server's memory."""

import hashlib
import shutil
import statistics
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import process
from clients import ACCESS_KEY, SECRET_KEY, BergFS, Mount, S3FS
from environment import clean_environment, drop_page_cache
from server import ReadServer

MEBI = 1 << 20


class WritableBergFS(BergFS):
    def command(self) -> list[str]:
        return super().command() + ["--staging-dir", str(self.scratch / "staging")]


class WritableS3FS(S3FS):
    """With the settings that the reading benchmark gives it, but for `ro`."""

    def command(self) -> list[str]:
        password = self.scratch / "s3fs.passwd"
        password.write_text(f"{ACCESS_KEY}:{SECRET_KEY}\n")
        password.chmod(0o600)
        options = f"passwd_file={password},url={self.server.url},use_path_request_style,parallel_count=16,multireq_max=20"
        return ["s3fs", "bench", str(self.point), "-f", "-o", options]


CLIENTS: dict[str, type[Mount]] = {"bergfs": WritableBergFS, "s3fs": WritableS3FS}


@dataclass
class Written:
    """Runs of one client at one job: seconds, CPU seconds of daemon and tool, peak resident bytes, requests by kind."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    peak: int = 0
    requests: dict[str, int] = field(default_factory=dict)


def large_file(scratch: Path, size: int) -> tuple[Path, str]:
    """A file of random bytes in the page cache, and its MD5."""
    path, digest = scratch / "large", hashlib.md5()
    with open("/dev/urandom", "rb") as source, open(path, "wb") as file:
        for _ in range(size // MEBI):
            block = source.read(MEBI)
            digest.update(block)
            file.write(block)
    return path, digest.hexdigest()


def small_files(scratch: Path, count: int) -> Path:
    directory = scratch / "small"
    directory.mkdir()
    for number in range(count):
        (directory / f"part-{number:05d}.parquet").write_bytes(f"{number:08d}".encode() * 512)
    return directory


def run(mount: Mount, server: ReadServer, command: list[str], into: Written) -> None:
    server.reset()
    process.reset_peak(mount.pid)
    before = process.cpu_seconds(mount.pid)
    usage = process.run_all([command], clean_environment())
    into.walls.append(usage.wall)
    into.cpus.append(usage.cpu + process.cpu_seconds(mount.pid) - before)
    into.peak = max(into.peak, process.status_bytes(mount.pid, "VmHWM"))
    into.requests = server.traffic().requests


def forget(server: ReadServer, key: str) -> None:
    """Takes an object out of the server's memory, past every mount."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(f"{server.url}/bench/{key}", method="DELETE")).close()


def measure_large(server: ReadServer, source: Path, digest: str, runs: int, scratch: Path) -> dict[str, Written]:
    """cp of the large file, each time on a fresh mount; the first copy of each client is read back and compared.

    Raises RuntimeError when a byte differs.
    """
    results = {name: Written() for name in CLIENTS}
    for number in range(runs):
        # Who goes first changes with each run.
        for name in list(CLIENTS)[:: 1 if number % 2 == 0 else -1]:
            key = f"t/data/{name}-{number}.bin"
            with CLIENTS[name](server, scratch) as mount:
                target = mount.path("t", f"data/{name}-{number}.bin")
                with open(source, "rb") as file:
                    while file.read(MEBI):
                        pass
                run(mount, server, ["cp", str(source), target], results[name])
            if number == 0:
                with CLIENTS[name](server, scratch) as mount:
                    drop_page_cache()
                    said = subprocess.run(
                        ["md5sum", mount.path("t", f"data/{name}-{number}.bin")], capture_output=True, text=True, check=True
                    )
                if said.stdout.split()[0] != digest:
                    raise RuntimeError(f"{name}: MD5 {said.stdout.split()[0]} came back for {digest}")
            forget(server, key)
            print(f"cp large {number + 1}/{runs} {name}: {results[name].walls[-1]:.2f} s", file=sys.stderr, flush=True)
    return results


def measure_small(server: ReadServer, source: Path, runs: int, scratch: Path) -> dict[str, dict[str, Written]]:
    """cp -r and rsync -r of the small files into a new directory each."""
    tools = {"cp -r": ["cp", "-r", str(source)], "rsync -r": ["rsync", "-r", f"{source}/"]}
    results = {tool: {name: Written() for name in CLIENTS} for tool in tools}
    for tool, command in tools.items():
        for number in range(runs):
            for name in list(CLIENTS)[:: 1 if number % 2 == 0 else -1]:
                with CLIENTS[name](server, scratch) as mount:
                    target = mount.path("t", f"data/{name}-{tool.split()[0]}-{number}")
                    run(mount, server, [*command, target], results[tool][name])
                print(f"{tool} {number + 1}/{runs} {name}: {results[tool][name].walls[-1]:.2f} s", file=sys.stderr, flush=True)
    return results


def file_table(title: str, results: dict[str, Written], size: int, count: int) -> str:
    """A row a client; the rate is MB/s of one file, or files a second."""
    rate = "MB/s" if count == 1 else "files/s"
    lines = [title, "", f"| client | {rate} | x s3fs | wall s | CPU s | peak MiB | requests |", "|---|---|---|---|---|---|---|"]
    amount = size / 1e6 if count == 1 else count
    base = statistics.median(results["s3fs"].walls)
    for name, written in results.items():
        wall = statistics.median(written.walls)
        rates = sorted(amount / each for each in written.walls)
        requests = ", ".join(f"{number} {kind}" for kind, number in sorted(written.requests.items()))
        lines.append(
            f"| {name} | {amount / wall:,.0f} ({rates[0]:,.0f}-{rates[-1]:,.0f}) | {base / wall:.2f} | {wall:.2f} "
            f"| {statistics.median(written.cpus):.2f} | {written.peak / MEBI:.0f} | {requests} |"
        )
    return "\n".join(lines) + "\n"


def measure_files(server_binary: str, size: int, small: int, runs: int, scratch: Path) -> list[str]:
    objects = _SmallObjects()
    source, digest = large_file(scratch, size)
    directory = small_files(scratch, small)
    with ReadServer(server_binary, objects, ["--writable", "bench"]) as server:
        large = measure_large(server, source, digest, runs, scratch)
        tables = [file_table(f"cp of one file of {size // MEBI} MiB, `--memory-limit 128M`; MD5 of what came back is equal", large, size, 1)]
        for tool, results in measure_small(server, directory, runs, scratch).items():
            tables.append(file_table(f"{tool} of {small:,} files of 4 KiB into a new directory", results, small * 4096, small))
    shutil.rmtree(directory)
    return tables


class _SmallObjects:
    """What the server holds before anything is written: a file by which a mount is known to answer."""

    def arguments(self) -> list[str]:
        return ["--synthetic", "bench/t/data/big.bin=1K", "--table", "bench.t=s3://bench/t"]
