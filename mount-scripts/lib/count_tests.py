#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the test cases in xunit files and ends with the line `N passed, N failed`."""

import argparse
import os
import sys
import xml.etree.ElementTree as ElementTree


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--runner-status", type=int, default=0, help="exit status of the test runner")
    parser.add_argument("--other-failures", type=int, default=0, help="failed checks that are no test cases")
    return parser.parse_args()


def count(path):
    """(passed, failed, skipped) names; a test case may hold several failures."""
    passed, failed, skipped = [], [], []
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None:
            skipped.append(name)
        else:
            passed.append(name)
    return passed, failed, skipped


def main():
    arguments = parse_arguments()
    passed, failed, skipped = [], [], []
    for path in arguments.files:
        try:
            counted = count(path)
        except (OSError, ElementTree.ParseError) as error:
            # A runner that crashes leaves a report without an end; its exit status counts it.
            print(f"{path}: {error}")
            continue
        for whole, part in zip((passed, failed, skipped), counted):
            whole += part
    for name in failed:
        print(f"failed: {name}")
    for name in skipped:
        print(f"skipped: {name}")
    failures = len(failed) + arguments.other_failures
    if os.environ.get("CI") == "true":
        failures += len(skipped)
    if arguments.runner_status != 0 and not failed:
        print(f"the test runner ended with status {arguments.runner_status}, though no test case failed: it crashed or did not start")
        failures += 1
    if not passed and not failures:
        print("no test ran")
        failures += 1
    tail = "" if not skipped or os.environ.get("CI") == "true" else f", {len(skipped)} skipped"
    print(f"{len(passed)} passed, {failures} failed{tail}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
