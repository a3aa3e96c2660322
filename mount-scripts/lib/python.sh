# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Two private Python environments: the emulator pins a botocore of its own, so it cannot share one with the clients. Source after common.sh.

# shellcheck disable=SC2034 # used by those who source this
EMULATOR_PYTHON=$TOOLS_ROOT/emulator/bin/python
# shellcheck disable=SC2034
CLIENTS_PYTHON=$TOOLS_ROOT/clients/bin/python

# python_stamp REQUIREMENTS: what an environment was made from; a change of it makes the environment anew.
python_stamp() {
  printf '%s\n%s\n' "$(/usr/bin/python3 -V)" "$PROJECT_ROOT"
  cat "$1"
}

# install_python_environment NAME: makes or keeps $TOOLS_ROOT/NAME from requirements-NAME.txt.
install_python_environment() {
  local name=$1 directory=$TOOLS_ROOT/$1 log=$TOOLS_ROOT/pip-$1.log
  local requirements=$PROJECT_ROOT/mount-scripts/lib/requirements-$1.txt
  if [ -x "$directory/bin/python" ] && [ "$(python_stamp "$requirements")" = "$(cat "$directory/stamp" 2>/dev/null)" ]; then
    return 0
  fi
  say "making the Python environment '$name'"
  mkdir -p "$TOOLS_ROOT"
  rm -rf "$directory"
  # The pip that Debian 12 ships cannot resolve the clients' requirements: it is replaced first.
  {
    /usr/bin/python3 -m venv "$directory" &&
      "$directory/bin/python" -m pip install --disable-pip-version-check 'pip>=26' &&
      "$directory/bin/python" -m pip install --disable-pip-version-check -r "$requirements" &&
      "$directory/bin/python" -m compileall -q "$directory/lib"
  } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "pip failed for the environment '$name'; its whole output is in $log"
  }
  python_stamp "$requirements" >"$directory/stamp"
}

install_python_environments() {
  install_python_environment emulator
  install_python_environment clients
}
