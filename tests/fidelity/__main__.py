"""`python -m fidelity [--role NAME]... [--set NAME] [--jobs N] [--write FILE]`: measure and tell; 1 if unequal."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from fidelity.cases import read_cases
from fidelity.hostile import measure_hostile
from fidelity.measure import Measured, guard, measure_refused, measure_set
from fidelity.table import render_table
from lab.needs import missing
from roles.running import ROLES, ROOT

Job = tuple[str, str, Callable[[], list[Measured]]]


def main() -> int:
    """Measure what was asked for. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="fidelity", description=__doc__)
    parser.add_argument("--role", action="append", default=[], help="only this role; may be repeated")
    parser.add_argument("--set", default="", help="only the set of this name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many sets are measured at a time")
    parser.add_argument("--write", type=Path, help="write the table into this file")
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
    measured = _measure(jobs, asked.jobs)
    if asked.write:
        asked.write.write_text(render_table(measured), encoding="utf-8")
    failed = sum(bool(one.problems) for one in measured)
    print(f"{len(measured) - failed} of {len(measured)} exact")
    return 1 if failed else 0


def _measure(jobs: list[Job], workers: int) -> list[Measured]:
    measured: list[Measured] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending = [(role, name, pool.submit(guard, role, name, job)) for role, name, job in jobs]
        for role, name, future in pending:
            for one in future.result():
                print(
                    f"{role:20} {name:30} {one.suite:10} {'exact' if not one.problems else 'NOT EXACT'} {one.seconds} s"
                )
                for problem in one.problems:
                    print("    " + problem.replace("\n", "\n      "))
                sys.stdout.flush()
                measured.append(one)
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
