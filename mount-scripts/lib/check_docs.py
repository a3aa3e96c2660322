# SPDX-License-Identifier: Apache-2.0
"""Checks that the documents speak of what there is: tests that docs/semantics.md names, messages that docs/troubleshooting.md explains."""

import re
from pathlib import Path

SEMANTICS = Path("docs/semantics.md")
TROUBLESHOOTING = Path("docs/troubleshooting.md")
UNPROVEN = "## Not yet proven by a test"

TEST_NAME = re.compile(r'@Test\(\s*"((?:[^"\\]|\\.)*)"')
PROOF = re.compile(r'^\s+`(\w+Tests)` "(.*)"$')
# In the last section the sentence stands in the second column: the first is what programs say of the errno.
AFTER_MOUNTING = "## After mounting"
SHORTEST_FRAGMENT = 6


def unescaped(text):
    return re.sub(r"\\(.)", r"\1", text)


def test_names(target):
    return {unescaped(name) for path in Path("Tests", target).rglob("*.swift") for name in TEST_NAME.findall(path.read_text())}


def semantics():
    """Each sentence names a test, and each test exists."""
    known, section, sentence, proofs = {}, "", 0, 0
    for number, line in enumerate([*SEMANTICS.read_text().splitlines(), "## end"], 1):
        proof = PROOF.match(line)
        if line.startswith(("- ", "## ")):
            if sentence and not proofs and section != UNPROVEN:
                yield f"{SEMANTICS}:{sentence}: no test is named for this sentence"
            sentence, proofs = (number if line.startswith("- ") else 0), 0
            section = line if line.startswith("## ") else section
        elif proof:
            proofs += 1
            target, name = proof.groups()
            if target not in known:
                known[target] = test_names(target)
            if name not in known[target]:
                yield f'{SEMANTICS}:{number}: no test of {target} is called "{name}"'
        elif sentence and line.strip():
            yield f"{SEMANTICS}:{number}: neither a sentence nor a test"


def troubleshooting():
    """Each constant part of a message stands in the sources."""
    sources = "\n".join(unescaped(path.read_text()) for path in Path("Sources").rglob("*.swift"))
    section = ""
    for number, line in enumerate(TROUBLESHOOTING.read_text().splitlines(), 1):
        section = line if line.startswith("## ") else section
        if not line.startswith("| "):
            continue
        cell = line.split("|")[2 if section == AFTER_MOUNTING else 1]
        for message in re.findall(r"`([^`]+)`", cell):
            for fragment in message.split("…"):
                fragment = fragment.strip(" …:;,.()\"'")
                if len(fragment) >= SHORTEST_FRAGMENT and fragment not in sources:
                    yield f'{TROUBLESHOOTING}:{number}: no message holds "{fragment}"'


def findings():
    yield from semantics()
    yield from troubleshooting()
