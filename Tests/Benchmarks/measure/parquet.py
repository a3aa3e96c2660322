# SPDX-License-Identifier: Apache-2.0
"""Two of twenty columns of a Parquet file, summed by DuckDB: through the mount, and from S3 by its own httpfs extension."""

import json
import subprocess
from pathlib import Path
from statistics import median
from typing import Callable

from clients import ACCESS_KEY, SECRET_KEY, BergFS
from environment import clean_environment, drop_page_cache
from server import ReadServer

NAME = "parquet"
QUERY = str(Path(__file__).parent / "parquet_query.py")
MEBI = 1 << 20
FILE = "t/data/columns.parquet"
COLUMNS = ["reader", "seconds", "x S3 itself", "requests", "MiB sent"]


def make(python: str, scratch: Path) -> Path:
    """Writes the file once; the folder that the server takes for its root."""
    root = scratch / "root"
    path = root / "columns" / FILE
    if not path.exists():
        path.parent.mkdir(parents=True)
        _run([python, QUERY, "--write", str(path)])
    return root


def run(python: str, server: ReadServer, scratch: Path, runs: int, network: str, progress: Callable[[str], None]) -> str:
    """A Markdown table: medians of the query's own seconds, each in a DuckDB of its own."""
    figures: dict[str, list[tuple[float, dict[str, int], int]]] = {"S3 itself": [], "mount, cold": [], "mount, warm": []}
    rows_sum = set()
    for number in range(runs):
        server.reset()
        answer = _run([python, QUERY, "--s3", server.url, f"s3://columns/{FILE}"])
        figures["S3 itself"].append(_figure(answer, server))
        rows_sum.add(answer["sum"])
        mount = BergFS(server, scratch)
        mount.metadata_ttl = 600
        with mount:
            drop_page_cache()
            for kind in ("mount, cold", "mount, warm"):
                server.reset()
                answer = _run([python, QUERY, mount.path("columns", "data/columns.parquet")])
                figures[kind].append(_figure(answer, server))
                rows_sum.add(answer["sum"])
        progress(f"{NAME} {number + 1}/{runs}: " + ", ".join(f"{kind} {samples[-1][0]:.3f} s" for kind, samples in figures.items()))
    if len(rows_sum) != 1:
        raise RuntimeError(f"the sums differ: {rows_sum}")
    base = median(seconds for seconds, _, _ in figures["S3 itself"])
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for kind, samples in figures.items():
        walls = sorted(seconds for seconds, _, _ in samples)
        _, requests, sent = sorted(samples, key=lambda sample: sum(sample[1].values()))[len(samples) // 2]
        said = ", ".join(f"{count} {name}" for name, count in sorted(requests.items())) or "0"
        wall = f"{median(walls):.3f} ({walls[0]:.3f}-{walls[-1]:.3f})"
        lines.append(f"| {kind} | {wall} | {median(walls) / base:.2f} | {said} | {sent / MEBI:.1f} |")
    return f"DuckDB, 2 of 20 columns of a Parquet file of 200 MB, {network}\n\n" + "\n".join(lines) + "\n"


def _figure(answer: dict[str, float], server: ReadServer) -> tuple[float, dict[str, int], int]:
    traffic = server.traffic()
    return answer["seconds"], traffic.requests, traffic.bytes_sent


def _run(command: list[str]) -> dict[str, float]:
    environment = clean_environment(BENCH_ACCESS_KEY=ACCESS_KEY, BENCH_SECRET_KEY=SECRET_KEY)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    return json.loads(done.stdout)
