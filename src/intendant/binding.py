"""Fingerprints what decides a plan's outcome, at planning and again before applying."""

from collections.abc import Mapping
from importlib.metadata import version
from os import environ
from pathlib import Path

from intendant import __version__
from intendant.config import Config
from intendant.inventory import InventoryView
from intendant.plans import Bindings, Seal
from intendant.sealing import hint_value, seal_values
from intendant.secrets import SecretBox
from intendant.snapshot import fingerprint_snapshot, fingerprint_sources


def bind(
    config: Config, box: SecretBox, view: InventoryView, roles: Mapping[str, Path], snapshot: Path, salt: str = ""
) -> Bindings:
    """The bindings of a plan as the world is now.

    Args:
        view: the hosts that the plan's pattern matches now.
        roles: the folder of each intent of the plan.
        snapshot: the plan's folder.
        salt: of a portable plan (hexadecimal): its variables are bound so that another machine can check them.
    """
    settings = _settings()
    variables = {name: {**host.variables, "(groups)": host.groups} for name, host in view.hosts.items()}
    seal = None
    if salt:
        values = seal_values(salt, {"settings": settings, "variables": variables})
        seal = Seal(salt=salt, values=values, intendant=__version__)

    def mark(name: str, value: object) -> str:
        return hint_value(name, value) if salt else box.fingerprint(value)

    content = fingerprint_sources(config, roles)
    content.update({f"setting {name} of the environment": mark(name, value) for name, value in settings.items()})
    return Bindings(
        content=content,
        params=fingerprint_snapshot(snapshot),
        hosts=tuple(sorted(view.hosts)),
        variables={host: {name: mark(name, value) for name, value in own.items()} for host, own in variables.items()},
        ansible_core=version("ansible-core"),
        seal=seal,
    )


def _settings() -> dict[str, str]:
    return {name: value for name, value in sorted(environ.items()) if name.startswith("ANSIBLE_")}
