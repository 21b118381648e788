"""The composition root: one project's use cases with everything that they need."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from intendant.applying import Applier
from intendant.approving import Approver
from intendant.catalog import Catalog
from intendant.commanding import Commander
from intendant.config import Config, load_config
from intendant.connections import Connections
from intendant.editing import Editor
from intendant.executing import Executor
from intendant.factcache import FactCache
from intendant.filing import Filer
from intendant.gathering import FactGatherer
from intendant.importing import Importer
from intendant.inspecting import Inspector
from intendant.inventory import Inventory
from intendant.outputs import Outputs
from intendant.passkeys import PasskeyFile
from intendant.paths import collections_path, roles_path
from intendant.planning import Planner
from intendant.proposing import Proposer, check_command_step
from intendant.reach.checking import HostChecker
from intendant.reads import HostReader
from intendant.runner.ansible import AnsibleRunner
from intendant.runner.base import Runner
from intendant.secrets import SecretBox
from intendant.store import Store
from intendant.tailing import LogTailer

if TYPE_CHECKING:
    from intendant.enrolling import Enroller
    from intendant.equivalents.entries import Entries
    from intendant.equivalents.finding import Equivalent
    from intendant.exporting import Exporter
    from intendant.shell.rules import Rules
    from intendant.shell.verdicts import Verdict
    from intendant.words.resolving import CachedResolver, Resolution


@dataclass(frozen=True)
class App:
    """What the edges (MCP, command line, worker) call."""

    config: Config
    catalog: Catalog
    inventory: Inventory
    store: Store
    planner: Planner
    editor: Editor
    importer: Importer
    keys: PasskeyFile
    approver: Approver
    applier: Applier
    executor: Executor
    inspector: Inspector
    commander: Commander
    tailer: LogTailer
    gatherer: FactGatherer
    filer: Filer
    connections: Connections
    outputs: Outputs
    checker: HostChecker

    def resolve(self, request: str) -> "Resolution":
        """What the words mean, given the project's intents, hosts and groups."""
        view = self.inventory.read()
        return self._resolver.resolve(request, self.catalog.list(), list(view.hosts), view.groups)

    @cached_property
    def enroller(self) -> "Enroller":
        """What says what an edit of the inventory would write; its libraries take time to import, too."""
        from intendant.enrolling import Enroller

        return Enroller(self.config, self.inventory)

    @cached_property
    def exporter(self) -> "Exporter":
        """What turns the history into a playbook."""
        from intendant.exporting import Exporter

        return Exporter(self.config, self.catalog, self.inventory, self.store)

    @cached_property
    def _resolver(self) -> "CachedResolver":
        # Its libraries take time to import, and most commands do without them.
        from intendant.words.resolving import CachedResolver

        return CachedResolver()


class _Classifier:
    """Tells what a command line does; the parser and the rules are loaded when they are first needed."""

    @cached_property
    def _rules(self) -> "Rules":
        from intendant.shell.rules import load_rules

        return load_rules()

    def __call__(self, command: str) -> "Verdict":
        from intendant.shell.classifying import classify

        return classify(command, self._rules)


class _Equivalents:
    """Tells which steps do what a command line does; the data is loaded when it is first needed."""

    @cached_property
    def _entries(self) -> "Entries":
        from intendant.equivalents.entries import load_entries

        return load_entries()

    def __call__(self, command: str, root: bool) -> "Equivalent | None":
        from intendant.equivalents.finding import find_equivalent

        return find_equivalent(command, self._entries, root=root)


def open_app(project: Path | None = None, runner: Runner | None = None) -> App:
    """Open the project at or above ``project`` (default: the working folder).

    Args:
        runner: in place of the real one (ansible-playbook).

    Raises:
        ProjectError: there is no project, or its settings are wrong.
    """
    config = load_config(project)
    store = Store(config.state_dir, config.database_url)
    box = SecretBox(config.state_dir)
    catalog = Catalog(roles_path(config), collections_path(config))
    inventory = Inventory(config)
    runner = runner or AnsibleRunner(config, box.key_file)
    keys = PasskeyFile(config.passkeys_file)
    approver = Approver(store, utc_now, keys)
    applier = Applier(config, store, utc_now)
    applier.reap()
    connections, outputs, classify = Connections(config), Outputs(config.state_dir), _Classifier()
    reader = HostReader(config, inventory, connections, outputs, classify, utc_now)
    check_step = partial(check_command_step, config.policy, classify)
    editor = Editor(config, inventory, store, utc_now)
    planner = Planner(config, catalog, inventory, store, runner, box, utc_now, check_step)
    proposer = Proposer(config.policy, planner, _Equivalents())
    return App(
        config=config,
        catalog=catalog,
        inventory=inventory,
        store=store,
        planner=planner,
        editor=editor,
        importer=Importer(config, catalog, inventory, store, box, utc_now, check_step),
        keys=keys,
        approver=approver,
        applier=applier,
        inspector=Inspector(config, inventory, runner),
        commander=Commander(reader, proposer),
        filer=Filer(config, inventory, connections),
        tailer=LogTailer(reader),
        gatherer=FactGatherer(reader, FactCache(config.state_dir), store.last_runs, utc_now),
        connections=connections,
        outputs=outputs,
        checker=HostChecker(config, inventory),
        executor=Executor(config, catalog, inventory, store, approver, runner, box, utc_now, editor),
    )


def utc_now() -> datetime:
    """The clock of everything that runs for real."""
    return datetime.now(UTC)
