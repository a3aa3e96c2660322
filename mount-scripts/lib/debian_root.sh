# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A bare Debian 12 of this project's own, for tests of the package. Source after common.sh.

# shellcheck disable=SC2034 # used by those who source this
BARE_ROOT=$TOOLS_ROOT/bare-root

# debian_mirror: where this machine gets Debian 12 from, by its own sources.
debian_mirror() {
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }'
}

# make_bare_root: makes it (20 s), or keeps the one that is there. What a minimal Debian has, and systemd; nothing of this package's needs.
make_bare_root() {
  local mirror log=$TOOLS_ROOT/debootstrap.log
  [ ! -f "$BARE_ROOT/made" ] || return 0
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || die "no source of Debian 12 (bookworm) is configured in apt"
  rm -rf --one-file-system "$BARE_ROOT"
  mkdir -p "$BARE_ROOT"
  debootstrap --variant=minbase --include=systemd,dbus bookworm "$BARE_ROOT/tree" "$mirror" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    die "debootstrap failed; its output is in $log"
  }
  # It installs from where this machine does.
  rm -f "$BARE_ROOT/tree/etc/apt/sources.list"
  cp -a /etc/apt/sources.list.d "$BARE_ROOT/tree/etc/apt/"
  [ ! -f /etc/apt/sources.list ] || cp /etc/apt/sources.list "$BARE_ROOT/tree/etc/apt/"
  cp -L /etc/resolv.conf /etc/hosts "$BARE_ROOT/tree/etc/"
  chroot "$BARE_ROOT/tree" apt-get -q -o Acquire::Retries=3 update >>"$log" 2>&1 || die "apt-get update failed in the bare root; see $log"
  touch "$BARE_ROOT/made"
}
