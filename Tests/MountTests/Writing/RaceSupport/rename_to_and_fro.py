#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renames a table between two names until it has worked COUNT times: rename_to_and_fro.py DIRECTORY ONE OTHER COUNT SECONDS.

Prints the name that the table has at the end and how often each error came, as JSON.
"""

import errno
import json
import os
import sys
import time
from collections import Counter


def main():
    directory, one, other, count, seconds = sys.argv[1:]
    names, errors, deadline = [one, other], Counter(), time.monotonic() + float(seconds)
    done = 0
    while done < int(count):
        if time.monotonic() > deadline:
            sys.exit(f"{done} renames in {seconds} s, and {dict(errors)}")
        try:
            os.rename(f"{directory}/{names[0]}", f"{directory}/{names[1]}")
        except OSError as error:
            errors[errno.errorcode[error.errno]] += 1
        else:
            done += 1
            names.reverse()
        time.sleep(0.05)  # for commits to come between
    print(json.dumps({"name": names[0], "errors": errors}))


main()
