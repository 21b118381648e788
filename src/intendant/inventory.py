"""Hosts, groups and variables as Ansible itself resolves them, whatever the inventory is made of."""

import json
import subprocess
import sys
from collections.abc import Hashable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from intendant.config import Config
from intendant.errors import EngineError, InputError, NotFoundError
from intendant.runner.environment import ansible_environment
from intendant.sources import sign_files

_TIMEOUT_SECONDS = 120


class HostEntry(BaseModel):
    """One host. ``variables`` are never shown: they may hold secrets."""

    model_config = ConfigDict(frozen=True)

    name: str
    groups: tuple[str, ...]
    address: str
    user: str
    port: int | None
    connection: str
    variables: dict[str, Any] = Field(repr=False)


class InventoryView(BaseModel):
    """The hosts that a pattern matches, and the groups that hold them (name to host names)."""

    model_config = ConfigDict(frozen=True)

    hosts: dict[str, HostEntry]
    groups: dict[str, tuple[str, ...]]


class Inventory:
    """Reads the project's inventory with ansible-inventory, so that plugins, vault and precedence are Ansible's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: dict[tuple[str, ...], tuple[Hashable, dict[str, Any]]] = {}

    def read(self, pattern: str = "all") -> InventoryView:
        """The hosts that ``pattern`` (Ansible's host pattern syntax) matches, with their variables.

        Raises:
            InputError: the pattern is empty or malformed.
            NotFoundError: no host matches; the message offers near names.
            EngineError: the inventory cannot be read.
        """
        check_pattern(pattern)
        found = self._list("--limit", pattern)
        view = parse_inventory(found) if found is not None else InventoryView(hosts={}, groups={})
        if not view.hosts:
            everything = parse_inventory(self._list() or {})
            if pattern == "all" and not everything.hosts:
                return everything
            raise NotFoundError(
                "host or group", pattern, [*everything.hosts, *everything.groups], "The list of hosts shows them all."
            )
        return view

    def _list(self, *arguments: str) -> dict[str, Any] | None:
        """What ansible-inventory says; asked again only when a file has changed, or others than files have a say."""
        signature = sign_files(self._config)
        known = self._known.get(arguments)
        if signature is not None and known is not None and known[0] == signature:
            return known[1]
        found = self._run(*arguments)
        if signature is not None and found is not None:
            self._known[arguments] = (signature, found)
        return found

    def _run(self, *arguments: str) -> dict[str, Any] | None:
        config = self._config
        # -P: a json.py of the project is not for us.
        command = [sys.executable, "-P", "-m", "ansible", "inventory", "--list"]
        command += ["--playbook-dir", str(config.project_dir)]
        if config.ansible_cfg is None:
            command += ["-i", str(config.project_dir / "inventory")]
        try:
            done = subprocess.run(
                [*command, *arguments],
                cwd=config.project_dir,
                env=ansible_environment(config),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"The inventory was not read within {_TIMEOUT_SECONDS} s.") from error
        if done.returncode == 0:
            listed: dict[str, Any] = json.loads(done.stdout)
            return listed
        if "no hosts to target" in done.stderr or "does not match any hosts" in done.stderr:
            return None
        raise EngineError(f"The inventory cannot be read: {done.stderr.strip()[-1500:]}")


def check_pattern(pattern: str) -> None:
    """Refuse what Ansible would read as a file name, an option or as everything.

    Raises:
        InputError: the pattern is empty, begins with ``@`` or ``-``, or holds control characters.
    """
    if not pattern.strip():
        raise InputError("hosts: the pattern is empty. Name hosts or groups, such as 'web1' or 'web,!web3', or 'all'.")
    if pattern.lstrip().startswith(("@", "-")) or not pattern.isprintable():
        raise InputError(
            f"hosts: {pattern[:80]!r} is no host pattern. Name hosts or groups, such as 'web1' or 'web,!web3'."
        )


def parse_inventory(listed: Mapping[str, Any]) -> InventoryView:
    """The output of ``ansible-inventory --list`` as hosts and groups."""
    variables = listed.get("_meta", {}).get("hostvars", {})
    children = {name: group.get("children", []) for name, group in listed.items() if name != "_meta"}
    direct = {name: group.get("hosts", []) for name, group in listed.items() if name != "_meta"}

    def members(name: str, seen: frozenset[str] = frozenset()) -> list[str]:
        if name in seen:
            return []
        nested = [host for child in children.get(name, []) for host in members(child, seen | {name})]
        return list(dict.fromkeys([*direct.get(name, []), *nested]))

    groups = {name: tuple(members(name)) for name in children}
    names = groups.get("all") or tuple(dict.fromkeys(host for hosts in groups.values() for host in hosts))
    hosts = {name: _entry(name, variables.get(name, {}), groups) for name in names}
    return InventoryView(hosts=hosts, groups={name: hosts for name, hosts in sorted(groups.items()) if hosts})


def _entry(name: str, variables: dict[str, Any], groups: Mapping[str, tuple[str, ...]]) -> HostEntry:
    def first(*names: str) -> str:
        return next((str(variables[key]) for key in names if variables.get(key) not in (None, "")), "")

    port = first("ansible_port", "ansible_ssh_port")
    return HostEntry(
        name=name,
        groups=tuple(
            sorted(group for group, hosts in groups.items() if name in hosts and group not in ("all", "ungrouped"))
        ),
        address=first("ansible_host", "ansible_ssh_host") or name,
        user=first("ansible_user", "ansible_ssh_user"),
        port=int(port) if port.isdigit() else None,
        connection=first("ansible_connection") or ("local" if name == "localhost" else "ssh"),
        variables=variables,
    )
