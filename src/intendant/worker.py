"""The detached process of one run: `python -m intendant.worker`. It verifies, says so, and executes."""

import argparse
import contextlib
import json
import logging
import os
import signal
from pathlib import Path


def main() -> int:
    """Execute one plan. Exit status 0 when the run came to an end, 3 when it was refused."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--plan", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--answer-fd", type=int, required=True)
    arguments = parser.parse_args()
    if os.fork():  # whoever started us waits for this end, and has no child to look after
        os._exit(0)
    os.setsid()
    return run_plan(arguments.project, arguments.plan, arguments.run, arguments.answer_fd)


def run_plan(project: Path, plan_id: str, run_id: str, answer_fd: int) -> int:
    """Verify, answer and execute; the return value is the exit status."""
    # Imported after the fork: these take most of the time to start.
    from intendant.app import open_app
    from intendant.errors import IntendantError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Whoever started us may close its terminal or end its session.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        executor = open_app(project).executor
        run = executor.start(plan_id, run_id)
    except IntendantError as error:
        _answer(answer_fd, {"refused": type(error).__name__, "message": str(error)})
        return 3
    _answer(answer_fd, {"started": run.id})
    executor.execute(run)
    return 0


def _answer(descriptor: int, document: dict[str, str]) -> None:
    with contextlib.suppress(OSError):  # the one who asked may be gone: the run goes on
        os.write(descriptor, json.dumps(document).encode() + b"\n")
    os.close(descriptor)


if __name__ == "__main__":
    raise SystemExit(main())
