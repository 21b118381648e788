"""The real runner: ansible-runner, and nobody else imports it."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from intendant.config import Config
from intendant.errors import EngineError
from intendant.paths import collections_path
from intendant.redaction import SECRET_ID, SHOWN_ID, Redactor
from intendant.runner.base import Job, Outcome, TaskResult
from intendant.runner.environment import ansible_environment
from intendant.runner.events import read_event

_CALLBACKS = Path(__file__).parents[1] / "ansible" / "callback"
_NO_LIMIT = str(2**40)


class AnsibleRunner:
    """Runs jobs with ansible-playbook; what ansible-runner writes goes to a private folder that is then removed."""

    def __init__(self, config: Config, vault_key: Path) -> None:
        self._config = config
        self._vault_key = vault_key

    def run(
        self,
        job: Job,
        on_result: Callable[[TaskResult], None],
        on_task: Callable[[int, str], None],
        should_cancel: Callable[[], bool],
    ) -> Outcome:
        """See ``Runner.run``."""
        import ansible_runner  # slow to import, and a server that only lists its tools does without

        work = make_work_folder(_memory_folder())
        failed: set[str] = set()
        ended = False
        complaints: list[str] = []

        def handle(event: dict[str, Any]) -> bool:
            nonlocal ended
            seen = read_event(event)
            if isinstance(seen, TaskResult):
                on_result(seen)
            elif seen is not None and seen.kind == "task":
                on_task(seen.step, seen.text)
            elif seen is not None and seen.kind == "end":
                failed.update(seen.hosts)
                ended = True
            elif seen is not None and len(complaints) < 200:
                complaints.append(seen.text)
            return False  # ansible-runner must not write the event to disk

        try:
            runner = ansible_runner.run(
                private_data_dir=str(work),
                project_dir=str(self._config.project_dir),
                playbook=str(job.directory / "playbook.yml"),
                inventory=None if self._config.ansible_cfg else str(self._config.project_dir / "inventory"),
                cmdline=self._command_line(job, work),
                envvars=self._environment(job),
                forks=self._config.forks,
                settings={"pexpect_timeout": 1, "suppress_output_file": True},
                fact_cache_type="none",
                quiet=True,
                event_handler=handle,
                cancel_callback=should_cancel,
            )
        except OSError as error:
            raise EngineError(f"Ansible could not be started: {error}") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        cancelled = runner.status == "canceled" or bool(job.cancel_file and job.cancel_file.exists() and not ended)
        text = Redactor().redact("\n".join(complaints).strip()[-2000:])
        if not ended and not cancelled:
            raise EngineError(f"Ansible stopped before the end (exit status {runner.rc}). {text}".strip())
        return Outcome(failed_hosts=frozenset(failed), finished=ended, cancelled=cancelled, error=text)

    def _command_line(self, job: Job, work: Path) -> str:
        # The playbook names every host of the plan, also those that could not be predicted and so are not applied to.
        hosts = work / "hosts"
        hosts.write_text("\n".join(job.hosts), encoding="utf-8")
        # Only names of files that we made: what people and models wrote is inside them.
        arguments = ["--diff", "-e", f"@{job.directory / 'params.json'}"]
        arguments += [part for name in (SECRET_ID, SHOWN_ID) for part in ("--vault-id", f"{name}@{self._vault_key}")]
        arguments += ["--limit", f"@{hosts}"]
        if job.check:
            arguments.insert(0, "--check")
        return " ".join(json.dumps(argument) for argument in arguments)

    def _environment(self, job: Job) -> dict[str, str]:
        environment = ansible_environment(self._config)
        environment.update(
            AWX_LIB_DIRECTORY=str(_CALLBACKS),
            # A role that is not in the snapshot is not found at all.
            ANSIBLE_ROLES_PATH=str(job.directory / "roles"),
            # Where the catalog looks, so that what it lists can run.
            ANSIBLE_COLLECTIONS_PATH=os.pathsep.join(map(str, collections_path(self._config))),
            MAX_EVENT_RES=_NO_LIMIT,
            INTENDANT_SECRET_VARIABLES=",".join(job.secret_variables),
            INTENDANT_CANCEL_FILE=str(job.cancel_file or ""),
            ANSIBLE_FORCE_COLOR="0",
        )
        environment.pop("ANSIBLE_STDOUT_CALLBACK", None)
        return environment


def make_work_folder(base: str | None) -> Path:
    """A private folder named after this process; those of processes that were killed are removed on the way."""
    folder = Path(base or tempfile.gettempdir())
    for left in folder.glob("intendant-*-*"):
        owner = left.name.split("-")[1]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"intendant-{os.getpid()}-", dir=folder))


def _memory_folder() -> str | None:
    """A folder in memory where there is one: the events pass through it, masked, on their way to us."""
    for candidate in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108 (mkdtemp makes it ours alone)
        if candidate and os.access(candidate, os.W_OK):
            return candidate
    return None
