"""Looking at hosts without changing them."""

import shutil
import tempfile
from pathlib import Path

from intendant.config import Config
from intendant.inventory import Inventory
from intendant.runner.base import Job, Runner, TaskResult
from intendant.runner.recorder import Recorder
from intendant.snapshot import write_playbook


class Inspector:
    """Reads facts in check mode."""

    def __init__(self, config: Config, inventory: Inventory, runner: Runner) -> None:
        self._config = config
        self._inventory = inventory
        self._runner = runner

    def read_facts(self, pattern: str) -> dict[str, dict[str, str]]:
        """What each matching host says of itself now (distribution, kernel, memory …), by host and fact.

        A host that cannot be asked has the one fact ``error``.

        Raises:
            InputError: the pattern is wrong or matches nothing.
            EngineError: Ansible could not run.
        """
        view = self._inventory.read(pattern)
        facts: dict[str, dict[str, str]] = {}
        recorder = Recorder(tuple(view.hosts))

        def collect(result: TaskResult) -> None:
            recorder.add(result)
            if result.facts:
                facts[result.host] = result.facts

        self._config.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix="facts-", dir=self._config.state_dir))
        try:
            write_playbook(folder, [], view.hosts)
            job = Job(folder, tuple(view.hosts), check=True)
            outcome = self._runner.run(job, collect, lambda *_: None, lambda: False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        for host in recorder.host_plans(outcome):
            if host.host not in facts:
                facts[host.host] = {"error": host.error or "the host gave no facts"}
        return facts
