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
SMALL_SIZE = 16 << 10
STAT_CALLS = 200_000
IDLE_SECONDS = 5
OPENED = 200
FLAT = 100_000
MILLION = 1_000_000


@dataclass(frozen=True)
class Job:
    """A job: its name, the clients that can do it, its commands on a mount, the bytes asked (0: not about bytes).

    `warm` commands run first and are not counted; `calls` is how many operations of the filesystem the commands make, for a rate.
    `rival_limit` adds a row of BergFS with that much memory; `is_long` jobs run when they are named, or in the full form.
    """

    name: str
    title: str
    clients: tuple[str, ...]
    commands: Callable[[Mount, Objects, int], list[list[str]]]
    asked: Callable[[Objects], int]
    memory_limit: str = "128M"
    metastore: str = "glue"
    warm: Callable[[Mount, Objects, int], list[list[str]]] | None = None
    calls: int = 0
    rival_limit: str = ""
    is_long: bool = False


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


def _small(mount: Mount, objects: Objects, run: int) -> list[list[str]]:
    file = mount.path("t", "data/big.bin")
    return [[sys.executable, "-S", "-E", READER, file, str(random_count(objects)), str(SMALL_SIZE), str(run), "1048576"]]


def _second_touch(mount: Mount, objects: Objects, run: int) -> list[list[str]]:
    # The same places, but the next 16 KiB there, which the kernel does not have.
    return [_small(mount, objects, run)[0] + [str(SMALL_SIZE)]]


def _stat(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [[sys.executable, "-S", "-E", READER, "--stat", mount.path("t", "data/big.bin"), str(STAT_CALLS)]]


def _stat_once(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["stat", mount.path("t", "data/big.bin")]]


def _list_names(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["ls", "-fR", mount.path("listing")]]


def _first_name(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [[sys.executable, "-S", "-E", READER, "--first", mount.path("flat", "data/d000")]]


def _flat_names(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["ls", "-f", mount.path("flat", "data/d000")]]


def _flat_attributes(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["ls", "-l", mount.path("flat", "data/d000")]]


def _flat_find(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["find", mount.path("flat", "data/d000"), "-size", "+1k"]]


def _flat_du(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["du", "-s", mount.path("flat", "data/d000")]]


def _walk(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["find", mount.path("walk", "data"), "-name", "nothing"]]


def _million(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["find", mount.path("million", "data"), "-size", "+1k"]]


def _one_directory(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["ls", "-l", mount.path("listing", "data/d000")]]


def _open(mount: Mount, _: Objects, run: int) -> list[list[str]]:
    return [[sys.executable, "-S", "-E", READER, "--open", mount.path("listing", "data/d000"), str(OPENED), str(run)]]


def _warm_names(mount: Mount, _: Objects, __: int) -> list[list[str]]:
    return [["ls", "-f", mount.path("wide", "data/d000")]]


def _wait(_: Mount, __: Objects, ___: int) -> list[list[str]]:
    return [["sleep", str(IDLE_SECONDS)]]


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
        rival_limit="4G",
    ),
    Job("random", "Random 256 KiB reads", ALL_MOUNTS, _random, lambda objects: random_count(objects) * RANDOM_SIZE),
    Job("small", "Random 16 KiB reads", ALL_MOUNTS, _small, lambda objects: random_count(objects) * SMALL_SIZE),
    Job(
        "touch",
        "Random 16 KiB reads, second touch of the same MiB",
        ALL_MOUNTS,
        _second_touch,
        lambda objects: random_count(objects) * SMALL_SIZE,
        "256M",
        warm=_small,
    ),
    Job("stat", f"{STAT_CALLS:,} times stat of one file, warm", ALL_MOUNTS, _stat, lambda _: 0, warm=_stat_once, calls=STAT_CALLS),
    Job("warm", "ls -fR of 10,000 files in 10 directories, warm", ALL_MOUNTS, _list_names, lambda _: 0, warm=_list_names),
    Job("wide", "ls -f of 10,000 files in one directory, warm", ("bergfs",), _warm_names, lambda _: 0, warm=_warm_names),
    Job(
        "open",
        f"Open and first byte of {OPENED} files whose attributes are known",
        ("bergfs",),
        _open,
        lambda _: 0,
        warm=_one_directory,
        calls=OPENED,
    ),
    Job("idle", f"{IDLE_SECONDS} seconds of nothing", ("bergfs",), _wait, lambda _: 0),
    Job("walk", "find over 10,000 files in 100 directories", ("bergfs",), _walk, lambda _: 0),
    Job("first", f"The first name of {FLAT:,} in one directory", ("bergfs",), _first_name, lambda _: 0),
    Job("flat", f"ls -f of {FLAT:,} files in one directory", ("bergfs",), _flat_names, lambda _: 0),
    Job("flat-ls", f"ls -l of {FLAT:,} files after ls -f", ("bergfs",), _flat_attributes, lambda _: 0, warm=_flat_names, is_long=True),
    Job("flat-find", f"find -size over {FLAT:,} files after ls -f", ("bergfs",), _flat_find, lambda _: 0, warm=_flat_names, is_long=True),
    Job("flat-du", f"du of {FLAT:,} files after ls -f", ("bergfs",), _flat_du, lambda _: 0, warm=_flat_names, is_long=True),
    Job(
        "million",
        f"find -size over {MILLION:,} files in 10 directories",
        ("bergfs",),
        _million,
        lambda _: 0,
        is_long=True,
    ),
    Job("files", "ls -lR of 10,000 files in 10 directories", ALL_MOUNTS, _list_files, lambda _: 0),
    Job("tables", "ls -l of a namespace of 10,000 tables (Glue)", ("bergfs",), _list_tables, lambda _: 0),
    Job(
        "items",
        "ls -l of a namespace of 10,000 tables (DynamoDB)",
        ("bergfs",),
        _list_tables,
        lambda _: 0,
        metastore="dynamodb",
    ),
]
