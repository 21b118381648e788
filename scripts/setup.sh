#!/bin/sh
# Makes .venv with everything that the Makefile's targets need. Usage: scripts/setup.sh [EXTRA...]; run by `make setup`.
# Package index and certificate are those of the machine's own pip configuration.
set -eu
cd "$(dirname "$0")/.."
extras=dev
for extra in "$@"; do extras="$extras,$extra"; done

say() { printf 'setup: %s\n' "$*" >&2; }

# A shim may exist on the PATH and still fail, so each candidate has to run.
runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# Debian ships venv without ensurepip; both are needed.
has_venv() { "$1" -c 'import venv; from ensurepip import version' >/dev/null 2>&1; }

find_python() {
  without_venv=
  for candidate in python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
    runs "$candidate" || continue
    if has_venv "$candidate"; then
      printf '%s\n' "$candidate"
      return 0
    fi
    [ -n "$without_venv" ] || without_venv=$candidate
  done
  if [ -n "$without_venv" ]; then
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "$without_venv (Python $version) cannot make a virtual environment: its ensurepip module is missing."
    say "On Debian or Ubuntu: apt-get install python$version-venv"
  else
    say "no working Python 3.11 or newer was found (tried python3.13, python3.12, python3.11, python3, /usr/bin/python3)."
    say "On Debian or Ubuntu: apt-get install python3 python3-venv. With pyenv: pyenv global VERSION"
  fi
  return 1
}

if ! runs .venv/bin/python; then
  python=$(find_python)
  say "creating .venv with $python"
  rm -rf .venv
  "$python" -m venv .venv
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

# A .venv that another tool made may have no pip.
pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null

if ! .venv/bin/uv --version >/dev/null 2>&1; then
  pip install --quiet --constraint constraints.txt uv
fi

# uv does not read pip's configuration.
index=${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || true)}
if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then
  export UV_DEFAULT_INDEX="$index"
fi
certificate=${PIP_CERT:-$(pip config get global.cert 2>/dev/null || true)}
if [ -n "$certificate" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
  export SSL_CERT_FILE="$certificate"
fi
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-180}"

.venv/bin/uv pip install --quiet --python .venv/bin/python --constraint constraints.txt --editable ".[$extras]"
say "ready: $(.venv/bin/python -c '
import platform
from importlib.metadata import version
print("Python", platform.python_version() + ", ansible-core", version("ansible-core"))')"
