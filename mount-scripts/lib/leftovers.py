#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds what a test run left behind: FUSE mounts, and processes of the run or of programs built or installed below the project.

usage: leftovers.py remember STATE-FILE      before the run
       leftovers.py report STATE-FILE MARK   after it; MARK is a NAME=VALUE that the run had in its environment. Exits 1 if something is left.
"""

import json
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROGRAMS = tuple(f"{PROJECT}/{directory}" for directory in (".build", "Tests/Benchmarks/.build"))
PATIENCE_SECONDS = 5


def fuse_mounts():
    mounts = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split(" ")
        kind = fields[fields.index("-") + 1]
        if kind == "fuse" or kind.startswith("fuse."):
            mounts.append(fields[4])
    return mounts


def processes(mark):
    """`pid birth` → command line, of live processes that carry the mark or whose program lies in a build directory."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (directory / "cmdline").read_bytes().split(b"\0")
            environment = (directory / "environ").read_bytes().split(b"\0")
            birth = (directory / "stat").read_text().rpartition(")")[2].split()[19]
        except OSError:
            continue
        program = arguments[0].decode(errors="replace")
        if mark and mark.encode() in environment or program.startswith(PROGRAMS):
            found[f"{directory.name} {birth}"] = b" ".join(arguments).decode(errors="replace").strip()
    return found


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("remember", "report"):
        sys.exit(__doc__)
    state = Path(sys.argv[2])
    if sys.argv[1] == "remember":
        state.write_text(json.dumps({"processes": list(processes("")), "mounts": fuse_mounts()}))
        return 0
    before = json.loads(state.read_text())
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        left = [f"process {key.split()[0]}: {line}" for key, line in processes(sys.argv[3]).items() if key not in before["processes"]]
        left += [f"mount {path}" for path in fuse_mounts() if path not in before["mounts"]]
        if not left or time.monotonic() > end:
            break
        time.sleep(0.2)
    for item in left:
        print(f"left behind: {item}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
