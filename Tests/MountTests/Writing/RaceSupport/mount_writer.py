#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A writer that commits through a mount with the system calls of ordinary programs, again and again, and derives anew after each refusal.

mount_writer.py FORM NAME QUOTA SECONDS UNTIL DIRECTORY... sets the property `race.NAME` to the number of its attempt until QUOTA attempts were
accepted and the file UNTIL exists (`/` if nothing is waited for). It uses the first of the table's directories that is there. Each attempt is one line of JSON on standard output. FORM is `edited`
(a changed copy is renamed onto current.metadata.json), `full` (a whole file under the next name; the commit point is its close) or
`shell` (the edited form by jq and mv). It ends with status 1 if the time was too short, and with 0 if the table is gone.
"""

import errno
import json
import os
import subprocess
import sys
import time
import uuid

CURRENT = "current.metadata.json"
# What a table that is moved or dropped looks like to one who works in its directory.
GONE = (errno.ENOENT, errno.ENOTDIR)


class Writer:
    def __init__(self, name, directories):
        self.name = name
        self.key = f"race.{name}"
        self.directories = directories
        self.attempt = 0
        # Of the last attempt that was accepted; None while one has an unknown outcome.
        self.accepted = ""

    def metadata(self):
        """The metadata directory, or None if the table is nowhere."""
        for _ in range(100):
            for directory in self.directories:
                if os.path.isdir(f"{directory}/metadata"):
                    return f"{directory}/metadata"
            if len(self.directories) == 1:
                return None
            time.sleep(0.02)  # between two names
        return None

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if self.accepted is not None and document["properties"].get(self.key, "") != self.accepted:
            raise SystemExit(f"{self.name}: {path} does not hold the own commit {self.accepted}")
        return document

    def edited(self, metadata):
        document = self.read(f"{metadata}/{CURRENT}")
        document["properties"][self.key] = str(self.attempt)
        scratch = f"{metadata}/{self.name}.{self.attempt}"
        with open(scratch, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
        try:
            os.rename(scratch, f"{metadata}/{CURRENT}")
        except OSError:
            os.unlink(scratch)
            raise

    def full(self, metadata):
        base = os.readlink(f"{metadata}/{CURRENT}")
        document = self.read(f"{metadata}/{base}")
        location = document["properties"].get("write.metadata.path", document["location"] + "/metadata")
        entry = {"timestamp-ms": document["last-updated-ms"], "metadata-file": f"{location}/{base}"}
        document["metadata-log"] = document.get("metadata-log", []) + [entry]
        document["last-updated-ms"] = max(time.time_ns() // 1_000_000, document["last-updated-ms"] + 1)
        document["properties"][self.key] = str(self.attempt)
        path = f"{metadata}/{int(base.split('-')[0]) + 1:05d}-{uuid.uuid4()}.metadata.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(descriptor, json.dumps(document).encode())
        finally:
            try:
                os.close(descriptor)
            except OSError:
                os.unlink(path)
                raise

    def shell(self, metadata):
        script = (
            'cd "$1" && jq --arg key "$2" --arg value "$3" ".properties[\\$key]=\\$value" current.metadata.json >"$4" '
            '&& { mv "$4" current.metadata.json || { rm -f "$4"; exit 9; }; }'
        )
        words = [metadata, self.key, str(self.attempt), f"{self.name}.{self.attempt}"]
        done = subprocess.run(["/bin/bash", "-c", script, "bash", *words], capture_output=True, text=True)
        if done.returncode:
            known = [number for number in errno.errorcode if done.stderr.strip().endswith(": " + os.strerror(number))]
            raise OSError(known[0] if known else 0, done.stderr)

    def run(self, form, quota, seconds, until):
        deadline = time.monotonic() + seconds
        count = 0
        while count < quota or not os.path.exists(until):
            if time.monotonic() > deadline:
                sys.exit(f"{self.name}: {count} of {quota} commits in {seconds} s")
            metadata = self.metadata()
            if metadata is None:
                return
            self.attempt += 1
            outcome = self.once(form, metadata)
            count += outcome["outcome"] == "accepted"
            print(json.dumps({"writer": self.name, "attempt": self.attempt} | outcome), flush=True)

    def once(self, form, metadata):
        started = time.time()
        try:
            getattr(self, form)(metadata)
        except OSError as error:
            # An unclear outcome is one that the mount calls so; every other number is a promise that nothing was committed.
            unknown = error.errno == errno.EIO
            if unknown:
                self.accepted = None
            name = errno.errorcode.get(error.errno, str(error))
            outcome = "gone" if error.errno in GONE else "unknown" if unknown else "refused"
            return {"outcome": outcome, "errno": name, "started": started, "ended": time.time()}
        self.accepted = str(self.attempt)
        return {"outcome": "accepted", "started": started, "ended": time.time()}


def main():
    form, name, quota, seconds, until, *directories = sys.argv[1:]
    Writer(name, directories).run(form, int(quota), float(seconds), until)


main()
