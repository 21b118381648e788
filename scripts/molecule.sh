#!/bin/sh
# Runs molecule scenarios, two at a time, and says how each one ended; what it printed is in build/molecule/NAME.log.
#   scripts/molecule.sh [NAME...]      all of them without a name
# With WITHIN (seconds) in the environment none begins after that, and what was left out is said.
set -u
logs=build/molecule
mkdir -p "$logs"

if [ "${1:-}" = --one ]; then
  began=$(date +%s)
  if [ "$began" -ge "${BEGIN_UNTIL:-9999999999}" ]; then
    echo "not run $2: no time left"
    exit 0
  fi
  if molecule test --scenario-name "$2" > "$logs/$2.log" 2>&1; then
    echo "ok      $2 ($(($(date +%s) - began)) s)"
    exit 0
  fi
  echo "FAILED  $2 ($(($(date +%s) - began)) s), the end of $logs/$2.log:"
  grep -aE 'fatal:|\[ERROR\]|CRITICAL' "$logs/$2.log" | tail -n 10
  tail -n 25 "$logs/$2.log"
  exit 1
fi

if [ -n "${WITHIN:-}" ]; then
  BEGIN_UNTIL=$(($(date +%s) + WITHIN))
  export BEGIN_UNTIL
fi
if [ $# -eq 0 ]; then
  for scenario in molecule/*/molecule.yml; do
    scenario=${scenario%/molecule.yml}
    set -- "$@" "${scenario#molecule/}"
  done
fi
printf '%s\n' "$@" | xargs -P 2 -n 1 "$0" --one
