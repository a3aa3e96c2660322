#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which test sets each property: docs/property-tests.md from docs/configuration.md and the tests themselves.

Without arguments prints the page; `--check` says what is wrong with the one in docs and exits 1. A property that has an effect and that no test
sets is an error.
"""

import re
import sys
from pathlib import Path

PAGE = Path("docs/property-tests.md")
ROW = re.compile(r"^\| `([^`]+)` \|.*\| ([^|]*) \|$")
TEST = re.compile(r'@Test\(\s*(?:\n\s*)?"((?:[^"\\]|\\.)*)"')
# Modules whose tests send requests or mount come first: those show an effect, the others that a value is read.
ORDER = ["MountTests", "ConformanceTests", "IcebergAWSTests", "AWSServicesTests", "AWSCoreTests", "HTTPTests", "MountDaemonTests", "CatalogFSTests", "ObjectCacheTests", "IcebergTests", "ConfigurationTests"]
INTRODUCTION = """# Properties and their tests

This page is made from `docs/configuration.md` and the tests (`mount-scripts/lib/property_tests.py`); do not edit it by hand.

Every property of the table of keys: what becomes of it, and a test that sets it. A key that has an effect and that no test sets is an error of
`mount-scripts/lint`.
"""


def sources():
    """Module, text and the places of its tests, of every file with tests."""
    for module in ORDER:
        for path in sorted(Path("Tests", module).rglob("*.swift")):
            text = path.read_text()
            yield module, text, [(match.start(), match.group(1)) for match in TEST.finditer(text)]


def constants():
    """Names of constants in the source, by the keys that they hold: a test may write those."""
    names = {}
    for path in Path("Sources/Iceberg/Properties").glob("*.swift"):
        text = path.read_text()
        table = re.search(r"enum (\w+)", text)
        for name, key in re.findall(r'static let (\w+) = "([^"]+)"', text):
            names[key] = f"{table.group(1)}.{name}"
    return names


def setter(texts, key, constant):
    """Module and name of a test that sets a key: the nearest before its place, or the first of the file."""
    for module, _, tests in texts:
        for _, name in tests:
            if re.search(rf"(?<![\w.-]){re.escape(key)}(?![\w.-])", name):
                return module, name
    for module, text, tests in texts:
        if constant and tests and constant in text:
            place = text.find(constant)
            before = [name for start, name in tests if start <= place]
            return module, (before or [tests[0][1]])[-1]
        place = text.find(f'"{key}')
        while place >= 0:
            end = text[place + 1 + len(key) : place + 2 + len(key)]
            if end in ('"', "=", ":", ".", "\\", " ") or key.endswith((".", "-")):
                before = [name for start, name in tests if start <= place]
                after = [name for start, name in tests if start > place]
                if before or after:
                    return module, (before or after)[-1 if before else 0]
            place = text.find(f'"{key}', place + 1)
    return None


def page():
    texts, names = list(sources()), constants()
    lines, problems = [INTRODUCTION], []
    for line in Path("docs/configuration.md").read_text().splitlines():
        if line.startswith("## "):
            lines += ["", line, "", "| key | | test |", "|---|---|---|"]
        match = ROW.match(line)
        if not match:
            continue
        shown, status = match.groups()
        key = shown.split("<")[0]
        found = setter(texts, key, names.get(key))
        if found is None and not status.startswith("no effect"):
            problems.append(f"docs/configuration.md: no test sets {shown}")
        test = f'`{found[0]}` "{found[1]}"' if found and not status.startswith("no effect") else ""
        lines.append(f"| `{shown}` | {status} | {test} |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n", problems


def main():
    text, problems = page()
    if "--check" not in sys.argv:
        sys.stdout.write(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        problems.append(f"{PAGE}: not what the tests are now; run python3 mount-scripts/lib/property_tests.py > {PAGE}")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
