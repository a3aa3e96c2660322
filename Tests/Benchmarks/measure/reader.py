# SPDX-License-Identifier: Apache-2.0
"""Reads blocks at random places of a file: reader.py FILE COUNT SIZE SEED.

Offsets are multiples of 4 KiB and never overlap, so no read can be served from an earlier one.
"""

import os
import random
import sys


def main() -> int:
    path, count, size, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    descriptor = os.open(path, os.O_RDONLY)
    slots = os.fstat(descriptor).st_size // (2 * size)
    buffer = bytearray(size)
    chooser = random.Random(seed)
    for slot in chooser.sample(range(slots), count):
        # Each slot is twice the size: the block starts anywhere in its first half.
        offset = slot * 2 * size + chooser.randrange(0, size, 4096)
        if os.preadv(descriptor, [buffer], offset) != size:
            print(f"short read at {offset}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
