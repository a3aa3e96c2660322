# SPDX-License-Identifier: Apache-2.0
"""The measuring core of mount-scripts/bench; standard library only."""

import argparse
import datetime
import signal
import sys
import tempfile
import time
from pathlib import Path

import parquet
import writing
from clients import CURLS, MOUNTS, BergFS
from environment import first_line, machine
from jobs import JOBS
from measure import Sample, measure, rival, verify
from report import table, write_docs
from server import Objects, ReadServer

SHAPED_JOBS = ("sequential", "walk", parquet.NAME)
SHAPED = ["--latency-ms", "20", "--bandwidth-mbps", "90"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mount-scripts/bench",
        description="Compare BergFS with s3fs, rclone and curl on one read server.",
        allow_abbrev=False,
    )
    parser.add_argument("--server", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--bergfs", default="", help=argparse.SUPPRESS)
    parser.add_argument("--docs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--duckdb-python", default="", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="3 runs (some 1) instead of 5, without the jobs that take long, and no s3fs and rclone on the shaped server")
    parser.add_argument("--runs", type=int, help="runs of each job and client")
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large object (default 1024)")
    parser.add_argument("--clients", default="bergfs,s3fs,rclone,curl-1,curl-4", help="which clients, separated by commas")
    parser.add_argument("--jobs", help=f"which jobs, separated by commas: {', '.join([job.name for job in JOBS] + [parquet.NAME])}")
    parser.add_argument("--servers", default="bare,shaped", help=f"bare, shaped, or both (shaped: {', '.join(SHAPED_JOBS)} only)")
    parser.add_argument("--write-docs", action="store_true", help="put the figures into docs/performance.md")
    options = parser.parse_args()
    options.clients = options.clients.split(",")
    unknown = set(options.clients) - set(MOUNTS) - set(CURLS)
    if unknown:
        parser.error(f"no client {', '.join(sorted(unknown))}")
    named = options.jobs.split(",") if options.jobs else [job.name for job in JOBS if not (job.is_long and options.quick)] + [parquet.NAME]
    options.jobs = [job for job in JOBS if job.name in named]
    options.parquet = parquet.NAME in named and options.duckdb_python != ""
    options.servers = options.servers.split(",")
    if not (options.jobs or options.parquet) or not set(options.servers) <= {"bare", "shaped"}:
        parser.error("nothing to measure: see --jobs and --servers")
    options.runs = options.runs or (3 if options.quick else 5)
    return options


def run_server(options: argparse.Namespace, kind: str, scratch: Path) -> list[str]:
    """All jobs on one server; the tables."""
    shaped = kind == "shaped"
    objects = Objects(size=options.size << 20, has_million=any(job.name == "million" for job in options.jobs))
    if options.parquet:
        objects.root = str(parquet.make(options.duckdb_python, scratch))
    network = "20 ms to the first byte, 90 MB/s a connection" if shaped else "bare loopback"
    clients = [name for name in options.clients if not (shaped and options.quick and name in ("s3fs", "rclone"))]
    tables = []
    with ReadServer(options.server, objects, SHAPED if shaped else []) as server:
        if not shaped:
            for name in (name for name in clients if name in MOUNTS):
                verify(name, server, objects, scratch)
                progress(f"{name}: bytes verified")
        for job in (job for job in options.jobs if not shaped or job.name in SHAPED_JOBS):
            able = [name for name in clients if name in job.clients]
            if not able:
                continue
            if job.rival_limit and "bergfs" in able:
                able.append(rival(job))
            samples: dict[str, list[Sample]] = {name: [] for name in able}
            for run in range(options.runs):
                # Who goes first changes with each run, so that no client always meets the machine in the same state.
                turn = run % len(able)
                for name in able[turn:] + able[:turn]:
                    if run and is_measured_once(options, job.name, name, shaped):
                        continue
                    samples[name].append(measure(job, name, server, objects, scratch, run))
                    progress(f"{kind} {job.name} {run + 1}/{options.runs} {name}: {samples[name][-1].wall:.2f} s")
            where = f"{objects.size >> 20} MiB object, {network}"
            tables.append(table(job, where, samples))
        if options.parquet and "bergfs" in clients:
            tables.append(parquet.run(options.duckdb_python, server, scratch, options.runs, network, progress))
    return tables


def is_measured_once(options: argparse.Namespace, job: str, client: str, shaped: bool) -> bool:
    """Whether the quick form leaves it at one run: what takes long and gives the same figure each time."""
    return options.quick and (job == "idle" or (shaped and client == "curl-1"))


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def heading(options: argparse.Namespace) -> str:
    versions = [MOUNTS[name].version() for name in options.clients if name in MOUNTS]
    versions.append(first_line("curl", "--version").split(" (")[0])
    return (
        f"{datetime.date.today()}, {machine()}. {'; '.join(versions)}. Median of {options.runs} runs (slowest-fastest), a fresh mount and "
        f"no page cache each time{'; idle, and curl-1 20 ms away, one run' if options.quick else ''}; CPU is the daemon's and the reader's together, requests and bytes are the server's own count.\n"
    )


def main() -> int:
    # Ended from outside, the mounts and servers must still be taken down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if "--writing" in sys.argv:
        return writing.main()
    options = arguments()
    BergFS.binary = options.bergfs
    begun = time.monotonic()
    text = heading(options) + "\n"
    with tempfile.TemporaryDirectory(prefix="bergfs-bench-") as scratch:
        for kind in options.servers:
            for part in run_server(options, kind, Path(scratch)):
                text += part + "\n"
    print(text)
    progress(f"took {time.monotonic() - begun:.0f} s")
    if options.write_docs:
        write_docs(Path(options.docs), text)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        progress(f"bench: {error}")
        sys.exit(1)
