# SPDX-License-Identifier: Apache-2.0
"""What is measured: each job gives the commands a client's readers run."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from clients import Mount
from server import Objects

READER = str(Path(__file__).parent / "reader.py")
RANDOM_SIZE = 256 << 10


@dataclass(frozen=True)
class Job:
    """A job: its name, the clients that can do it, its commands on a mount, the bytes asked (0: not about bytes)."""

    name: str
    title: str
    clients: tuple[str, ...]
    commands: Callable[[Mount, Objects, int], list[list[str]]]
    asked: Callable[[Objects], int]
    memory_limit: str = "128M"


def _sequential(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["dd", f"if={mount.path('t', 'data/big.bin')}", "of=/dev/null", "bs=1M", "status=none"]]


def _four_readers(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    parts = [mount.path("t", f"data/part-{part}.bin") for part in range(4)]
    return [["dd", f"if={part}", "of=/dev/null", "bs=1M", "status=none"] for part in parts]


def random_count(objects: Objects) -> int:
    """How many blocks are read: an eighth of the large object at most."""
    return min(200, objects.size // RANDOM_SIZE // 8)


def _random(mount: Mount, objects: Objects, run: int) -> list[list[str]]:
    file = mount.path("t", "data/big.bin")
    return [[sys.executable, "-S", "-E", READER, file, str(random_count(objects)), str(RANDOM_SIZE), str(run)]]


def _list_files(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["ls", "-lR", mount.path("listing")]]


def _list_tables(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["ls", "-l", str(mount.point / "many")]]


ALL_MOUNTS = ("bergfs", "s3fs", "rclone")
JOBS = [
    Job(
        "sequential",
        "Sequential cold read, one reader",
        (*ALL_MOUNTS, "curl-1", "curl-4"),
        _sequential,
        lambda objects: objects.size,
    ),
    Job(
        "readers",
        "Four readers at once, a quarter of the bytes each",
        ALL_MOUNTS,
        _four_readers,
        lambda objects: 4 * objects.part_size,
        "256M",
    ),
    Job("random", "Random 256 KiB reads", ALL_MOUNTS, _random, lambda objects: random_count(objects) * RANDOM_SIZE),
    Job("files", "ls -lR of 10,000 files in 10 directories", ALL_MOUNTS, _list_files, lambda _: 0),
    Job("tables", "ls -l of a namespace of 1,000 tables (Glue)", ("bergfs",), _list_tables, lambda _: 0),
]
