# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian packages that the build, the tests and the quickstart need. Source after common.sh.

# Libraries to build against · tools that the mount needs · tools that tests and the quickstart drive through the mount · lint · the package.
SYSTEM_PACKAGES=(
  libfuse3-dev libcurl4-openssl-dev libssl-dev libexpat1-dev zlib1g-dev libzstd-dev libsnappy-dev pkg-config
  fuse3 ca-certificates
  python3 python3-venv jq tree rsync procps less psmisc file attr git s3fs
  shellcheck
  debootstrap dpkg-dev lintian mandoc zsh fish
)

missing_packages() {
  local present
  # dpkg-query fails where one of them is unknown, which is no reason to end here.
  present=$({ dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${SYSTEM_PACKAGES[@]}" 2>/dev/null || true; } | sed -n 's/^ii *//p')
  printf '%s\n' "${SYSTEM_PACKAGES[@]}" | grep -vxF "$present" || true
}

# Installs what is missing and says so; does nothing and says nothing when all is there.
install_system_packages() {
  local missing
  command -v dpkg-query >/dev/null 2>&1 || die "this machine has no dpkg; install by hand: ${SYSTEM_PACKAGES[*]}"
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  require_root
  say "installing Debian packages: ${missing[*]}"
  local log=$TOOLS_ROOT/apt.log
  mkdir -p "$TOOLS_ROOT"
  local options=(-q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  {
    apt-get "${options[@]}" update &&
      DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" --no-install-recommends install "${missing[@]}"
  } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "apt-get failed; its whole output is in $log"
  }
}

# install_promtool: takes promtool out of Debian's package of Prometheus, which would start a server, and sets PROMTOOL.
PROMTOOL=$TOOLS_ROOT/prometheus/usr/bin/promtool
install_promtool() {
  local log=$TOOLS_ROOT/promtool.log
  [ ! -x "$PROMTOOL" ] || return 0
  say "fetching promtool"
  mkdir -p "$TOOLS_ROOT/prometheus"
  (cd "$TOOLS_ROOT/prometheus" && apt-get -q -o Acquire::Retries=3 download prometheus && dpkg -x prometheus_*.deb . && rm prometheus_*.deb) \
    >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    die "promtool cannot be fetched; see $log"
  }
}
