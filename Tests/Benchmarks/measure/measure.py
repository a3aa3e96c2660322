# SPDX-License-Identifier: Apache-2.0
"""One measured run of one job by one client."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import process
from clients import CURLS, MOUNTS, BergFS, Mount, curl_commands
from environment import clean_environment, drop_page_cache
from jobs import Job
from server import Objects, ReadServer, Traffic

MEBI = 1 << 20


@dataclass
class Sample:
    """A run's figures: wall and client CPU seconds; resident bytes before, at most and after (0: no daemon); traffic at the server; bytes asked."""

    wall: float
    cpu: float
    before: int
    peak: int
    resident: int
    traffic: Traffic
    asked: int


def measure(job: Job, client: str, server: ReadServer, objects: Objects, scratch: Path, run: int) -> Sample:
    """Runs a job once, everything cold: a fresh mount, no page cache."""
    if client in CURLS:
        drop_page_cache()
        server.reset()
        usage = process.run_all(curl_commands(server, CURLS[client], objects.size), clean_environment())
        return Sample(usage.wall, usage.cpu, 0, 0, 0, server.traffic(), job.asked(objects))
    with _mount(job, client, server, scratch) as mount:
        drop_page_cache()
        if job.warm:
            process.run_all(job.warm(mount, objects, run), clean_environment())
        server.reset()
        process.reset_peak(mount.pid)
        resident_before = process.status_bytes(mount.pid, "VmRSS")
        before = process.cpu_seconds(mount.pid)
        usage = process.run_all(job.commands(mount, objects, run), clean_environment())
        cpu = usage.cpu + process.cpu_seconds(mount.pid) - before
        peak = process.status_bytes(mount.pid, "VmHWM")
        resident = process.status_bytes(mount.pid, "VmRSS")
        return Sample(usage.wall, cpu, resident_before, peak, resident, server.traffic(), job.asked(objects))


def verify(client: str, server: ReadServer, objects: Objects, scratch: Path) -> None:
    """Reads a part object whole through a mount and compares it with what the server generates.

    Raises RuntimeError when a byte differs.
    """
    with subprocess.Popen(
        [server.binary, "--print-content", str(objects.part_size)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as generator:
        wanted = _digest(generator.stdout)
    with MOUNTS[client](server, scratch) as mount, open(mount.path("t", "data/part-0.bin"), "rb") as file:
        found = _digest(file)
    if found != wanted:
        raise RuntimeError(f"{client} read other bytes than the server sent: {found} for {wanted}")


def _digest(stream: IO[bytes] | None) -> str:
    digest = hashlib.sha256()
    while stream and (block := stream.read(MEBI)):
        digest.update(block)
    return digest.hexdigest()


def rival(job: Job) -> str:
    """The name of the row of BergFS with more memory; empty if the job has none."""
    return f"bergfs, {job.rival_limit}" if job.rival_limit else ""


def _mount(job: Job, client: str, server: ReadServer, scratch: Path) -> Mount:
    is_rival = client == rival(job)
    mount = MOUNTS["bergfs" if is_rival else client](server, scratch)
    if isinstance(mount, BergFS):
        mount.memory_limit = job.rival_limit if is_rival else job.memory_limit
        mount.metastore = job.metastore
        mount.metadata_ttl = 600 if job.warm else None
    return mount
