"""Fingerprints what decides a plan's outcome, at planning and again before applying."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from os import environ
from pathlib import Path

from intendant.config import Config
from intendant.inventory import InventoryView
from intendant.plans import Bindings
from intendant.secrets import SecretBox
from intendant.snapshot import fingerprint_snapshot, fingerprint_sources


def bind(config: Config, box: SecretBox, view: InventoryView, roles: Mapping[str, Path], snapshot: Path) -> Bindings:
    """The bindings of a plan as the world is now.

    Args:
        view: the hosts that the plan's pattern matches now.
        roles: the folder of each intent of the plan.
        snapshot: the plan's folder.
    """
    content = fingerprint_sources(config, roles)
    content.update({f"setting {name} of the environment": box.fingerprint(value) for name, value in _settings()})
    variables = {
        name: {key: box.fingerprint(value) for key, value in {**host.variables, "(groups)": host.groups}.items()}
        for name, host in view.hosts.items()
    }
    return Bindings(
        content=content,
        params=fingerprint_snapshot(snapshot),
        hosts=tuple(sorted(view.hosts)),
        variables=variables,
        ansible_core=version("ansible-core"),
    )


def _settings() -> Sequence[tuple[str, str]]:
    return sorted((name, value) for name, value in environ.items() if name.startswith("ANSIBLE_"))
