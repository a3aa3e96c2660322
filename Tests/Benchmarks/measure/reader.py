# SPDX-License-Identifier: Apache-2.0
"""Reads blocks at random places of a file, or asks for its attributes again and again.

reader.py FILE COUNT SIZE SEED [SLOT [SHIFT]]: offsets are multiples of 4 KiB, one in each chosen slot of SLOT bytes (twice the size unless
given), so no read can be served from an earlier one; SHIFT moves each read on by that many bytes.
reader.py --stat FILE COUNT
reader.py --first DIRECTORY: one name of it
reader.py --open DIRECTORY COUNT SEED: opens files of it and reads a byte of each
"""

import os
import random
import sys


def main() -> int:
    if sys.argv[1] == "--stat":
        for _ in range(int(sys.argv[3])):
            os.stat(sys.argv[2])
        return 0
    if sys.argv[1] == "--first":
        with os.scandir(sys.argv[2]) as entries:
            return 0 if next(entries, None) else 1
    if sys.argv[1] == "--open":
        for name in random.Random(int(sys.argv[4])).sample(sorted(os.listdir(sys.argv[2])), int(sys.argv[3])):
            with open(f"{sys.argv[2]}/{name}", "rb", buffering=0) as file:
                if len(file.read(1)) != 1:
                    return 1
        return 0
    path, count, size, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    slot_size = int(sys.argv[5]) if len(sys.argv) > 5 else 2 * size
    shift = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    descriptor = os.open(path, os.O_RDONLY)
    if shift or len(sys.argv) > 5:
        # The kernel's own read-ahead would bring neighbours in.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    slots = os.fstat(descriptor).st_size // slot_size
    buffer = bytearray(size)
    chooser = random.Random(seed)
    for slot in chooser.sample(range(slots), count):
        # The block starts anywhere in the first half of its slot.
        offset = slot * slot_size + chooser.randrange(0, slot_size // 2, 4096) + shift
        if os.preadv(descriptor, [buffer], offset) != size:
            print(f"short read at {offset}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
