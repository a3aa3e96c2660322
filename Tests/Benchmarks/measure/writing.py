# SPDX-License-Identifier: Apache-2.0
"""`bench --writing`: commits beside their bare requests, and copying files in beside s3fs."""

import argparse
import datetime
import os
import sys
import tempfile
import time
from pathlib import Path

import report
from clients import BergFS
from environment import first_line, machine

BEGIN = "<!-- bench-writing:begin -->"
END = "<!-- bench-writing:end -->"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mount-scripts/bench --writing",
        description="Measure commits against the emulator, and files copied in beside s3fs.",
        allow_abbrev=False,
    )
    parser.add_argument("--writing", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--server", default="", help=argparse.SUPPRESS)
    parser.add_argument("--bergfs", default="", help=argparse.SUPPRESS)
    parser.add_argument("--emulator", default="", help=argparse.SUPPRESS)
    parser.add_argument("--docs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--commits", type=int, default=200, help="commits of each form, metastore and lock (default 200)")
    parser.add_argument("--metastores", default="glue,dynamodb", help="glue, dynamodb, or both (default)")
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large file (default 1024)")
    parser.add_argument("--small", type=int, default=2000, help="how many small files (default 2000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each copy (default 3)")
    parser.add_argument("--jobs", default="commits,files", help="commits, files, or both (default)")
    parser.add_argument("--write-docs", action="store_true", help="put the figures into docs/performance.md")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    BergFS.binary = options.bergfs
    begun = time.monotonic()
    text = (
        f"{datetime.date.today()}, {machine()}, load {os.getloadavg()[0]:.1f}. {first_line(options.bergfs, 'version')}; "
        f"{first_line('s3fs', '--version')}. Median of {options.runs} copies (slowest-fastest); CPU is the daemon's and the tool's.\n\n"
    )
    jobs = options.jobs.split(",")
    with tempfile.TemporaryDirectory(prefix="bergfs-bench-") as directory:
        scratch = Path(directory)
        (scratch / "staging").mkdir(mode=0o700)
        if "commits" in jobs:
            # Needs boto3 and PyIceberg, which copying does not.
            from commits import Account, CommitMount, commit_table, measure_commits

            CommitMount.binary = options.bergfs
            account = Account(options.emulator, os.environ["SEED_ACCESS_KEY"], os.environ["SEED_SECRET_KEY"])
            cases = measure_commits(account, options.metastores.split(","), options.commits, scratch)
            text += commit_table(cases, options.commits) + "\n"
        if "files" in jobs:
            from written_files import measure_files

            text += "\n".join(measure_files(options.server, options.size << 20, options.small, options.runs, scratch)) + "\n"
    print(text)
    print(f"took {time.monotonic() - begun:.0f} s", file=sys.stderr)
    if options.write_docs:
        report.write_docs(Path(options.docs), text, BEGIN, END)
    return 0
