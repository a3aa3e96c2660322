# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Pieces shared by every script. Source it; it sets PROJECT_ROOT and TOOLS_ROOT and changes no option of the shell.

PROJECT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Private environments, state of the quickstart, test reports: ignored by git, safe to delete.
# shellcheck disable=SC2034 # used by those who source this
TOOLS_ROOT=$PROJECT_ROOT/.build-tools

say() { printf '== %s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "$(basename "$0"): $*"
  exit 1
}

require_root() {
  [ "$(id -u)" -eq 0 ] || die "run this as root: it installs packages and mounts"
}

require_swift() {
  command -v swift >/dev/null 2>&1 || die "no swift in PATH: install a Swift 6.2 or newer toolchain from https://swift.org/install first"
}

# Removes from this shell what would send a client, or a child, to another account, endpoint, catalog or certificate store.
clear_cloud_environment() {
  local name
  for name in $(compgen -e); do
    case $name in
      AWS_* | REQUESTS_CA_BUNDLE | PYICEBERG_* | BERGFS_*) unset "$name" ;;
      http_proxy | https_proxy | all_proxy | HTTP_PROXY | HTTPS_PROXY | ALL_PROXY) export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost ;;
    esac
  done
}

# free_port: a TCP port of 127.0.0.1 that was free a moment ago. Callers retry when a server loses the race for it.
free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# process_birth PID: the start time of a process in clock ticks, which together with its id names it for ever. Fails if it is gone.
process_birth() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<<"${line##*) }"
  [ "${fields[0]}" != Z ] || return 1
  printf '%s\n' "${fields[19]}"
}

# write_pid_file FILE PID
write_pid_file() {
  local birth
  birth=$(process_birth "$2") || return 1
  printf '%s %s\n' "$2" "$birth" >"$1"
}

# pid_of FILE: prints the process id in a pid file if that very process still runs, else fails.
pid_of() {
  local pid birth
  [ -s "$1" ] || return 1
  read -r pid birth <"$1"
  [ "$(process_birth "$pid")" = "$birth" ] || return 1
  printf '%s\n' "$pid"
}

# stop_process FILE: ends the process of a pid file, waits until it is gone, removes the file.
stop_process() {
  local pid round
  if pid=$(pid_of "$1"); then
    kill "$pid" 2>/dev/null
    for ((round = 0; round < 100; round++)); do
      pid_of "$1" >/dev/null || break
      sleep 0.1
    done
    if pid_of "$1" >/dev/null; then kill -9 "$pid" 2>/dev/null; fi
  fi
  rm -f "$1"
}

# mounted_at DIRECTORY: whether something is mounted exactly there; a mount whose daemon died counts.
mounted_at() {
  local path=${1%/}
  awk -v want="${path// /\\040}" '$5 == want { found = 1 } END { exit !found }' /proc/self/mountinfo
}
