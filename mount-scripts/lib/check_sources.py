#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the tree that no compiler makes. Prints `file:line: what` for each finding; exits 1 if there is one.

Run without arguments from the project's root.
"""

import re
import subprocess
import sys
from pathlib import Path

import check_docs

# Which module may import which; nothing else of the project, and a C library only through its one module. The arrows point one way.
IMPORTS = {
    "Telemetry": set(),
    "Processes": {"CLinux"},
    "WireFormats": {"CExpat", "CZlib", "CSnappy", "CZstd"},
    "HTTP": {"CCurl"},
    "AWSCore": {"HTTP", "WireFormats", "COpenSSL", "Processes"},
    "AWSServices": {"AWSCore", "HTTP", "WireFormats"},
    "Iceberg": {"WireFormats", "Processes"},
    "IcebergAWS": {"AWSServices", "AWSCore", "HTTP", "Iceberg", "WireFormats"},
    "ObjectCache": {"CZlib", "Iceberg"},
    "CatalogFS": {"CLinux", "ObjectCache", "Iceberg", "WireFormats"},
    "Fuse": {"CFuse", "CLinux", "Processes"},
    "Configuration": {"Iceberg", "Yams"},
    "MountDaemon": {
        "CLinux", "Fuse", "CatalogFS", "ObjectCache", "IcebergAWS", "Iceberg", "AWSServices", "AWSCore", "HTTP", "Configuration", "WireFormats",
        "Processes",
    },
    "bergfs": {"MountDaemon", "Configuration", "Iceberg", "ArgumentParser"},
}  # fmt: skip
# Importable by all: the metric and log keys, the logging API, the standard library and the system.
EVERYWHERE = {"Telemetry", "Logging", "Swift", "Synchronization", "Glibc", "FoundationEssentials", "Foundation", "Dispatch", "_Concurrency"}
SYSTEM_TARGETS = {"CFuse", "CLinux", "CCurl", "COpenSSL", "CExpat", "CZlib", "CSnappy", "CZstd"}

LICENCE = "SPDX-License-Identifier: Apache-2.0"
MOST_LINES = 600
README_LINES = 150

IMPORT = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
                    r"(?:(?:typealias|struct|class|enum|protocol|let|var|func)\s+)?(\w+)")  # fmt: skip
UNSAFE = re.compile(r"\btry!|@unchecked\s+Sendable|nonisolated\(unsafe\)|\bas!|[\w)\]}>]!(?=[\s.,;:)\]}\[(]|$)")
LEFTOVER = re.compile(r"\b(TODO|FIXME|HACK|XXX)\b|fatalError\(\"(not|un)|\bunimplemented\b|\bfor now\b", re.IGNORECASE)
LEFTOVER_ROOTS = {"Package.swift", "Sources", "Tests", "mount-scripts", "docs", "README.md", ".ci"}
IDLE_TEST = re.compile(r"\.disabled\(|XCTSkip|withKnownIssue")
SLEEP = re.compile(r"Task\.sleep|\b[un]?sleep\(")
# Sleeps that pace nothing: a step of a loop that polls a condition, or a wait of minutes that stands for one without end.
POLLING = re.compile(r"\b(while|for)\b.*\{")
POLLING_LINES = 6
ENDLESS = re.compile(r"\.seconds\(\d{3,}\)")
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def project_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True, text=True
    )
    return [path for path in map(Path, listed.stdout.split("\0")) if path.is_file()]


def is_source(path, lines):
    return path.suffix in {".swift", ".c", ".h", ".sh", ".py"} or bool(lines) and lines[0].startswith("#!")


def header(path, lines):
    # A shebang or the version of the tools must come first where there is one.
    if is_source(path, lines) and not any(LICENCE in line for line in lines[:2]):
        yield 1, f"no '{LICENCE}' in the first two lines"


def size(path, lines):
    if is_source(path, lines) and len(lines) > MOST_LINES:
        yield len(lines), f"{len(lines)} lines, at most {MOST_LINES}: split it"
    if str(path) == "README.md" and len(lines) > README_LINES:
        yield len(lines), f"{len(lines)} lines, at most {README_LINES}"


def imports(path, lines):
    if path.suffix != ".swift" or path.parts[0] != "Sources":
        return
    module = path.parts[1]
    if module not in IMPORTS:
        yield 1, f"module {module} is not in the table of imports in mount-scripts/lib/check_sources.py"
        return
    for number, line in enumerate(lines, 1):
        match = IMPORT.match(line)
        if match and match[1] not in IMPORTS[module] | EVERYWHERE:
            yield number, f"{module} must not import {match[1]}"


def code_of(line):
    """The line without string literals and comments."""
    return STRING.sub('""', line).split("//")[0]


def safety(path, lines):
    if path.suffix != ".swift" or path.parts[0] != "Sources":
        return
    for number, line in enumerate(lines, 1):
        if UNSAFE.search(code_of(line)) and not is_explained(lines, number - 1):
            yield number, "a force unwrap, try!, as!, @unchecked or unsafe needs a '// SAFETY:' line beside or above"


def is_explained(lines, index):
    """A SAFETY comment on the line, among the comments and attributes right above, or as the first line of the body that the line opens."""
    if "// SAFETY:" in lines[index]:
        return True
    if lines[index].endswith("{") and index + 1 < len(lines) and lines[index + 1].strip().startswith("// SAFETY:"):
        return True
    above = index - 1
    while above >= 0 and lines[above].strip().startswith(("//", "@")):
        if "// SAFETY:" in lines[above]:
            return True
        above -= 1
    return False


def leftovers(path, lines):
    # This file holds the words themselves.
    if path.parts[0] not in LEFTOVER_ROOTS or path.name == Path(__file__).name:
        return
    for number, line in enumerate(lines, 1):
        if match := LEFTOVER.search(line):
            yield number, f"leftover '{match[0]}'"


def idle_tests(path, lines):
    # The benchmarks' server sleeps to shape its answers.
    if path.suffix != ".swift" or path.parts[0] != "Tests" or path.parts[:3] == ("Tests", "Benchmarks", "Sources"):
        return
    for number, line in enumerate(lines, 1):
        code = code_of(line)
        if match := IDLE_TEST.search(code):
            yield number, f"'{match[0]}': no test is switched off"
        polls = any(POLLING.search(code_of(above)) for above in lines[max(0, number - 1 - POLLING_LINES) : number])
        if SLEEP.search(code) and not polls and not ENDLESS.search(code):
            yield number, "no test sleeps: wait for a condition with a timeout, or inject a clock"


def module_table():
    """Modules that are declared but not in the table, or the other way round."""
    present = {path.name for path in Path("Sources").iterdir() if path.is_dir()} - SYSTEM_TARGETS
    for name in sorted(present ^ set(IMPORTS)):
        yield f"Sources/{name}:1: stands only in " + ("the tree" if name in present else "the table of imports")


def main():
    findings = [*module_table(), *check_docs.findings()]
    for path in project_files():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for check in (header, size, imports, safety, leftovers, idle_tests):
            findings += [f"{path}:{number}: {what}" for number, what in check(path, lines)]
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
