"""The composition root: one project's use cases with everything that they need."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from intendant.applying import Applier
from intendant.approving import Approver
from intendant.catalog import Catalog
from intendant.config import Config, load_config
from intendant.executing import Executor
from intendant.inspecting import Inspector
from intendant.inventory import Inventory
from intendant.paths import collections_path, roles_path
from intendant.planning import Planner
from intendant.reach.checking import HostChecker
from intendant.runner.ansible import AnsibleRunner
from intendant.runner.base import Runner
from intendant.secrets import SecretBox
from intendant.store import Store

if TYPE_CHECKING:
    from intendant.resolving import CachedResolver, Resolution


@dataclass(frozen=True)
class App:
    """What the edges (MCP, command line, worker) call."""

    config: Config
    catalog: Catalog
    inventory: Inventory
    store: Store
    planner: Planner
    approver: Approver
    applier: Applier
    executor: Executor
    inspector: Inspector
    checker: HostChecker

    def resolve(self, request: str) -> "Resolution":
        """What the words mean, given the project's intents, hosts and groups."""
        view = self.inventory.read()
        return self._resolver.resolve(request, self.catalog.list(), list(view.hosts), list(view.groups))

    @cached_property
    def _resolver(self) -> "CachedResolver":
        # Its libraries take time to import, and most commands do without them.
        from intendant.resolving import CachedResolver

        return CachedResolver()


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
    approver = Approver(store, utc_now)
    applier = Applier(config, store, utc_now)
    applier.reap()
    return App(
        config=config,
        catalog=catalog,
        inventory=inventory,
        store=store,
        planner=Planner(config, catalog, inventory, store, runner, box, utc_now),
        approver=approver,
        applier=applier,
        inspector=Inspector(config, inventory, runner),
        checker=HostChecker(config, inventory),
        executor=Executor(config, catalog, inventory, store, approver, runner, box, utc_now),
    )


def utc_now() -> datetime:
    """The clock of everything that runs for real."""
    return datetime.now(UTC)
