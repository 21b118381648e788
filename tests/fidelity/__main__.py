"""`python -m fidelity [--role NAME]... [--set NAME] [--docs FOLDER [--write]]`: measure and tell; 1 if unequal."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from fidelity.cases import read_cases
from fidelity.hostile import measure_hostile
from fidelity.measure import Measured, guard, measure_refused, measure_set
from fidelity.table import find_stale, write_measured
from lab.needs import missing
from roles.running import ROLES, ROOT

Job = tuple[str, str, Callable[[], list[Measured]]]


def main() -> int:
    """Measure what was asked for. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="fidelity", description=__doc__)
    parser.add_argument("--role", action="append", default=[], help="only this role; may be repeated")
    parser.add_argument("--set", default="", help="only the set of this name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many sets are measured at a time")
    parser.add_argument("--docs", type=Path, help="the folder whose fidelity.md and plans/ are compared")
    parser.add_argument("--write", action="store_true", help="write what was measured into these instead")
    parser.add_argument("--within", type=float, default=float("inf"), help="seconds after which no other set is begun")
    asked = parser.parse_args()
    if reasons := missing():
        print(f"no lab hosts here: {'; '.join(reasons)}", file=sys.stderr)
        return 1
    cases = read_cases()
    if unknown := set(asked.role) - set(cases):
        print(f"no cases for {', '.join(sorted(unknown))}; there are {', '.join(cases)}", file=sys.stderr)
        return 1
    jobs: list[Job] = []
    for role, told in cases.items():
        if asked.role and role not in asked.role:
            continue
        sets = [one for one in told.sets if asked.set in ("", one.name)]
        jobs += [(role, one.name, partial(measure_set, role, one)) for one in sets]
        if told.refused and asked.set in ("", "(refused)"):
            jobs.append((role, "(refused)", partial(measure_refused, told)))
        if asked.set in ("", "(hostile)") and role in ROLES:
            jobs.append((role, "(hostile)", partial(measure_hostile, told)))
    written = asked.docs if asked.write else None
    measured = _measure(jobs, asked.jobs, time.time() + asked.within, written)
    failed = sum(bool(one.problems) for one in measured)
    print(f"{len(measured) - failed} of {len(measured)} exact")
    stale: list[str] = []
    if asked.docs and not asked.write:
        stale = find_stale(asked.docs, measured)
        print("\n".join([*stale, "the docs are stale: make fidelity-docs"] if stale else ["the docs say so"]))
    return 1 if failed or stale else 0


def _measure(jobs: list[Job], workers: int, until: float, written: Path | None) -> list[Measured]:
    measured: list[Measured] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending = [(role, name, pool.submit(guard, role, name, job, until)) for role, name, job in jobs]
        for role, name, future in pending:
            for one in future.result():
                print(
                    f"{role:20} {name:30} {one.suite:10} {'exact' if not one.problems else 'NOT EXACT'} {one.seconds} s"
                )
                for problem in one.problems:
                    print("    " + problem.replace("\n", "\n      "))
                sys.stdout.flush()
                measured.append(one)
            if written:
                write_measured(written, measured)  # at once: what is known by then outlives an interruption
    return measured


def run_on_a_copy() -> int:
    """Measure a copy of roles, modules and tests: an edit meanwhile must not make a plan stale, or half of it new."""
    with TemporaryDirectory() as folder:
        for name in ("roles", "src", "tests"):
            shutil.copytree(ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "ansible.cfg", folder)
        environment = {**os.environ, "PYTHONPATH": f"{folder}/src:{folder}/tests", "FIDELITY_COPY": folder}
        done = subprocess.run([sys.executable, "-m", "fidelity", *sys.argv[1:]], env=environment, check=False)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main() if "FIDELITY_COPY" in os.environ else run_on_a_copy())
