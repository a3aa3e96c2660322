# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of processes, as the kernel counts them."""

import os
import subprocess
import time
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """What a set of processes used: wall and CPU seconds."""

    wall: float = 0.0
    cpu: float = 0.0


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a living process with all its threads."""
    with open(f"/proc/{pid}/stat") as stat:
        # The name in parentheses may hold spaces: fields are counted from behind it.
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def status_bytes(pid: int, field: str) -> int:
    """A size of /proc/PID/status, such as VmHWM, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/{pid}/status has no {field}")


def reset_peak(pid: int) -> None:
    """Sets VmHWM back to the resident set of now."""
    with open(f"/proc/{pid}/clear_refs", "w") as control:
        control.write("5\n")


def run_all(commands: list[list[str]], environment: dict[str, str]) -> Usage:
    """Runs commands at once to their end.

    Raises RuntimeError when one fails.
    """
    begun = time.monotonic()
    children = [
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for command in commands
    ]
    usage = Usage()
    failures = []
    for child, command in zip(children, commands):
        _, status, resources = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        usage.cpu += resources.ru_utime + resources.ru_stime
        said = child.stderr.read().decode(errors="replace").strip() if child.stderr else ""
        if child.stderr:
            child.stderr.close()
        if child.returncode != 0:
            failures.append(f"{' '.join(command)} ended with {child.returncode}: {said}")
    usage.wall = time.monotonic() - begun
    if failures:
        raise RuntimeError("; ".join(failures))
    return usage
