# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Keeps locate's updatedb out of mounts: it would list whole lakes every night. Plain sh: it becomes a part of the package's scripts.

# updatedb_prune FILE: adds fuse.bergfs to PRUNEFS of an updatedb.conf; does nothing where there is none, or it has it.
updatedb_prune() {
  [ -f "$1" ] && grep -q '^PRUNEFS=' "$1" || return 0
  grep -q '^PRUNEFS=.*fuse\.bergfs' "$1" || sed -i 's/^\(PRUNEFS="[^"]*\)"/\1 fuse.bergfs"/' "$1"
}

# updatedb_unprune FILE: takes it out again.
updatedb_unprune() {
  [ ! -f "$1" ] || sed -i '/^PRUNEFS=/s/ fuse\.bergfs\b//' "$1"
}
