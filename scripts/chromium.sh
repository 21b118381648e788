#!/bin/sh
# Makes sure that there is a Chromium for `make browser`: Debian's own, installed with apt where we may.
set -eu
! command -v chromium >/dev/null 2>&1 || exit 0
if [ "$(id -u)" -eq 0 ]; then as_root=; else as_root=sudo; fi
if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$as_root" ] && ! sudo -n true 2>/dev/null; }; then
  echo "chromium: install it first (on Debian: apt-get install chromium)." >&2
  exit 1
fi
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q -y --no-install-recommends install \
  chromium fonts-dejavu-core >/dev/null
