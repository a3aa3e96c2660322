# SPDX-License-Identifier: Apache-2.0
"""What the machine is, and the environment children get."""

import os
import platform
import subprocess


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without what would redirect or authenticate a client behind the benchmark's back."""
    dropped = ("AWS_", "BERGFS_", "PYICEBERG_", "RCLONE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    for name in list(kept):
        if name.endswith("_CA_BUNDLE") or name.lower().endswith("_proxy"):
            del kept[name]
    kept["LC_ALL"] = "C"
    kept.update(extra)
    return kept


def drop_page_cache() -> None:
    """Empties the kernel's page, dentry and inode caches."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as control:
        control.write("3\n")


def first_line(*command: str) -> str:
    """The first line a program prints, or why there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else f"{command[0]}: nothing printed"


def machine() -> str:
    """One line about processor, memory and kernel."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as meminfo:
        memory = int(meminfo.readline().split()[1]) / (1 << 20)
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"
