# SPDX-License-Identifier: Apache-2.0
"""The tables of a run, on the terminal and in docs/performance.md."""

from pathlib import Path
from statistics import median

from jobs import Job
from measure import Sample

BEGIN = "<!-- bench:begin -->"
END = "<!-- bench:end -->"
MEBI = 1 << 20


def table(job: Job, where: str, samples: dict[str, list[Sample]]) -> str:
    """A Markdown table: a row a client, medians, the slowest and fastest run in brackets."""
    about_bytes = any(run.asked for runs in samples.values() for run in runs)
    base = "s3fs" if "s3fs" in samples else None
    head = ["client", "MB/s" if about_bytes else "seconds", "x s3fs", "wall s", "CPU s/GiB" if about_bytes else "CPU s"]
    head += ["before MiB", "peak MiB", "after MiB", "requests", "sent/asked" if about_bytes else "sent KiB", "connections"]
    rows = [head] + [_row(client, runs, samples[base] if base else None) for client, runs in samples.items()]
    if job.calls:
        head += ["calls/s", "calls/CPU s"]
        for row, runs in zip(rows[1:], samples.values()):
            row += [f"{job.calls / median(run.wall for run in runs):,.0f}", f"{job.calls / median(run.cpu for run in runs):,.0f}"]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return f"{job.title}, {where}\n\n" + "\n".join(lines) + "\n"


def _row(client: str, runs: list[Sample], base: list[Sample] | None) -> list[str]:
    wall = median(run.wall for run in runs)
    asked = runs[0].asked
    cpu = median(run.cpu for run in runs)
    if asked:
        speeds = sorted(asked / 1e6 / run.wall for run in runs)
        main = f"{median(speeds):.0f} ({speeds[0]:.0f}-{speeds[-1]:.0f})"
        work = f"{cpu / (asked / (1 << 30)):.2f}"
        sent = f"{median(run.traffic.bytes_sent for run in runs) / asked:.2f}"
    else:
        walls = sorted(run.wall for run in runs)
        main = f"{wall:.3f} ({walls[0]:.3f}-{walls[-1]:.3f})"
        work = f"{cpu:.2f}"
        sent = f"{median(run.traffic.bytes_sent for run in runs) / 1024:.0f}"
    ratio = f"{median(run.wall for run in base) / wall:.2f}" if base else "-"
    before = f"{median(run.before for run in runs) / MEBI:.0f}" if runs[0].before else "-"
    peak = f"{median(run.peak for run in runs) / MEBI:.0f}" if runs[0].peak else "-"
    after = f"{median(run.resident for run in runs) / MEBI:.0f}" if runs[0].resident else "-"
    connections = f"{median(run.traffic.connections for run in runs):.0f}"
    return [client, main, ratio, f"{wall:.3f}", work, before, peak, after, _requests(runs), sent, connections]


def _requests(runs: list[Sample]) -> str:
    middle = sorted(runs, key=lambda run: run.traffic.total)[len(runs) // 2].traffic
    return ", ".join(f"{count} {kind}" for kind, count in sorted(middle.requests.items())) or "0"


def write_docs(path: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Puts the figures between the marks of the page; a page without marks gets them at its end."""
    block = f"{begin}\n{text}{end}\n"
    page = path.read_text() if path.exists() else "# Performance\n\nHow BergFS is measured: `mount-scripts/bench --help`.\n\n"
    if begin in page and end in page:
        page = page[: page.index(begin)] + block + page[page.index(end) + len(end) + 1 :]
    else:
        page = page.rstrip("\n") + "\n\n" + block
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page)
