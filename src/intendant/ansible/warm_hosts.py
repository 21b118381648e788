"""Connections to the project's hosts, made as Ansible's task executor makes them, and how a script goes over one."""

from __future__ import annotations

import base64
import os
import shlex
import threading
from typing import Any

# ansible.cli first: it sets up what the rest of Ansible relies on.
from ansible.cli import CLI  # isort: skip
from ansible import constants as C  # noqa: N812 (as everybody calls it)
from ansible._internal._templating._engine import TemplateEngine
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import add_all_plugin_dirs, become_loader, connection_loader, init_plugin_loader
from ansible.vars.manager import VariableManager

from intendant.ansible.bounded import bound_logins
from intendant.ansible.vaulted import find_vaulted
from intendant.redaction import Redactor

_SHELL = "/bin/sh"


class Project:
    """The project's inventory and variables, and connections to its hosts that nobody is using."""

    def __init__(self, source: str | None) -> None:
        folder = os.getcwd()
        init_plugin_loader()
        bound_logins()
        self._loader = DataLoader()
        self._loader.set_basedir(folder)
        add_all_plugin_dirs(folder)
        identities = C.DEFAULT_VAULT_IDENTITY_LIST
        self._loader.set_vault_secrets(CLI.setup_vault_secrets(self._loader, vault_ids=identities, auto_prompt=False))
        self._inventory = InventoryManager(loader=self._loader, sources=source or C.DEFAULT_HOST_LIST)
        self._variables = VariableManager(
            loader=self._loader, inventory=self._inventory, version_info=CLI.version_info(gitinfo=False)
        )
        self._idle: dict[tuple[str, bool], list[Any]] = {}
        self._files: dict[str, bool] = {}
        # Neither Ansible's templating nor its plugin loader says that several threads may use it.
        self._lock = threading.Lock()
        self.redactor = Redactor()

    def take(self, name: str, become: bool) -> Any:
        """A connection for one command at a time; give it back when it may be used again."""
        with self._lock:
            idle = self._idle.setdefault((name, become), [])
            return idle.pop() if idle else self._make(name, become)

    def give_back(self, name: str, become: bool, connection: Any) -> None:
        """The connection may be used again."""
        with self._lock:
            self._idle.setdefault((name, become), []).append(connection)

    def forget(self, name: str) -> None:
        """Make connections to this host anew."""
        with self._lock:
            for become in (False, True):
                self._idle.pop((name, become), None)

    def _make(self, name: str, become: bool) -> Any:
        """As `ansible.executor.task_executor` does for a task."""
        host = self._inventory.get_host(name)
        if host is None:
            raise LookupError(f"The inventory holds no host {name}.")
        variables = self._learn(host)
        engine = TemplateEngine(self._loader, variables)

        def read(variable: str, default: Any) -> Any:
            return engine.template(variables[variable]) if variables.get(variable) else default

        context = PlayContext()
        context.remote_addr = read("ansible_host", name)
        kind = read("ansible_connection", C.config.get_config_value("DEFAULT_TRANSPORT"))
        connection = connection_loader.get(kind, context, None)
        if connection is None:
            raise LookupError(f"There is no connection plugin {kind!r}.")
        if become:
            method = read("ansible_become_method", C.DEFAULT_BECOME_METHOD)
            plugin = become_loader.get(method)
            if plugin is None:
                raise LookupError(f"There is no become plugin {method!r}.")
            connection.set_become_plugin(plugin)
            self._set_options("become", plugin, variables, engine)
        options = connection._resolve_option_variables(variables, engine)
        connection.set_options(task_keys={}, var_options=options)
        self._set_options("shell", connection._shell, variables, engine)
        return connection

    def mask(self, name: str, texts: list[list[str]]) -> list[list[str]]:
        """Texts in pieces, without the secrets that the host's variables hold and what looks like one."""
        with self._lock:
            host = self._inventory.get_host(name)
            if host is None:
                raise LookupError(f"The inventory holds no host {name}.")
            self._learn(host)
            return [self.redactor.redact_pieces(pieces) for pieces in texts]

    def _learn(self, host: Any) -> dict[str, Any]:
        variables: dict[str, Any] = self._variables.get_vars(host=host)
        self.redactor.learn(secret for value in variables.values() for secret in find_vaulted(value, self._files))
        return variables

    @staticmethod
    def _set_options(kind: str, plugin: Any, variables: dict[str, Any], engine: Any) -> None:
        names = C.config.get_plugin_vars(kind, plugin._load_name)
        options = {name: engine.template(variables[name]) for name in names if name in variables}
        plugin.set_options(task_keys={}, var_options=options)


def run_script(connection: Any, script: str, mark: str) -> tuple[int, bytes, bytes]:
    """Exit code of the connection, standard output and standard error; ``mark`` is in the command line."""
    become = connection.become
    if connection.has_pipelining and (become is None or become.pipelining):
        # Without a terminal, which would mix both outputs. Every login shell reads this line alike.
        line, data = f"exec {_SHELL} -s {mark}", script.encode() + b"\n"
        if become is not None:
            line = become.build_become_command(line, connection._shell)
    else:
        encoded = base64.b64encode(script.encode()).decode()
        line, data = f': {mark}; eval "`echo {encoded} | base64 -d`"', None
        if become is not None:
            line = become.build_become_command(f"{_SHELL} -c {shlex.quote(line)}", connection._shell)
        line = f"{_SHELL} -c {shlex.quote(line)}"
    result: tuple[int, bytes, bytes] = connection.exec_command(line, in_data=data, sudoable=become is not None)
    return result
