# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A local AWS (S3, Glue, DynamoDB, STS) for tests and the quickstart. Source after common.sh and python.sh.

# emulator_start STATE_DIRECTORY ACCESS_KEY SECRET_KEY: starts the emulator on a free port of 127.0.0.1 with signatures checked, waits until it
# answers, and sets EMULATOR_ENDPOINT. STATE_DIRECTORY keeps its pid file, endpoint and log. Data lives in its memory only.
emulator_start() {
  local state=$1 access_key=$2 secret_key=$3 attempt port
  mkdir -p "$state"
  for attempt in 1 2 3; do
    port=$(free_port)
    (
      clear_cloud_environment
      export GATEWAY_PORT=$port BIND_HOST=127.0.0.1 AUTH=true LOG_LEVEL=WARNING PYTHONUNBUFFERED=1
      export AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key
      cd "$state" || exit 1
      exec setsid "$EMULATOR_PYTHON" -m ministack </dev/null >"$state/emulator.log" 2>&1
    ) &
    if write_pid_file "$state/emulator.pid" $! && emulator_wait "$state" "$port"; then
      EMULATOR_ENDPOINT=http://127.0.0.1:$port
      printf '%s\n' "$EMULATOR_ENDPOINT" >"$state/emulator.endpoint"
      return 0
    fi
    stop_process "$state/emulator.pid"
    warn "the emulator did not start on port $port (attempt $attempt)"
  done
  tail -n 20 "$state/emulator.log" >&2
  die "the emulator does not start; its log is $state/emulator.log"
}

# emulator_wait STATE_DIRECTORY PORT: waits up to a minute for a healthy answer, less if the process ends.
emulator_wait() {
  local round
  for ((round = 0; round < 300; round++)); do
    pid_of "$1/emulator.pid" >/dev/null || return 1
    if emulator_answers "$2"; then return 0; fi
    sleep 0.2
  done
  return 1
}

emulator_answers() {
  local status
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
  read -r -t 5 status <&3
  exec 3>&- 3<&-
  [[ $status == *" 200 "* ]]
} 2>/dev/null

# emulator_stop STATE_DIRECTORY
emulator_stop() {
  stop_process "$1/emulator.pid"
  rm -f "$1/emulator.endpoint"
}
