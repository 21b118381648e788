"""Warm connections: Ansible's own connection plugins in a process that stays, driven by lines of JSON.

`python -P -m intendant.ansible.connector [--inventory SOURCE]`, the working folder being the project. Ansible resolves
what it always does: variables, vault, ~/.ssh/config, jump hosts, passwords, become. One request, one answer, any order:

    {"id": 7, "host": "web1", "script": "uname -r", "become": false, "seconds": 40.0}
    {"id": 7, "code": 0, "stdout": BASE64, "stderr": BASE64, "duration": 0.012}
    {"id": 7, "error": "unreachable" | "become" | "timeout" | "other", "message": "…", "duration": 10.0}

``script`` is POSIX shell; it arrives on the standard input of a shell on the host, or where become needs a terminal as
an argument. ``seconds`` is when the host is given up. Vaulted values are masked before anything leaves this process. It
ends when its input does.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import sys
import threading
import time
from typing import Any

# ansible.cli first: it sets up what the rest of Ansible relies on.
from ansible.cli import CLI  # isort: skip
from ansible import constants as C  # noqa: N812 (as everybody calls it)
from ansible._internal._templating._engine import TemplateEngine
from ansible.errors import AnsibleConnectionFailure
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import add_all_plugin_dirs, become_loader, connection_loader, init_plugin_loader
from ansible.vars.manager import VariableManager

from intendant.ansible.vaulted import find_vaulted
from intendant.redaction import Redactor

_WATCH_SECONDS = 0.2
_RESET_SECONDS = 5
_SHELL = "/bin/sh"


class Project:
    """The project's inventory and variables, and connections to its hosts that nobody is using."""

    def __init__(self, source: str | None) -> None:
        folder = os.getcwd()
        init_plugin_loader()
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
        variables = self._variables.get_vars(host=host)
        self.redactor.learn(secret for value in variables.values() for secret in find_vaulted(value, self._files))
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


class Request:
    """One script on one host, in a thread of its own that may be left behind."""

    def __init__(self, connector: Connector, asked: dict[str, Any]) -> None:
        self._connector = connector
        self._asked = asked
        self._connection: Any = None
        self._answered = False
        self._lock = threading.Lock()
        self.mark = secrets.token_hex(8)
        self.started = 0.0

    @property
    def overdue(self) -> bool:
        """It has begun and should have ended by now."""
        return bool(self.started) and time.monotonic() > self.started + self._asked["seconds"]

    def run(self) -> None:
        """Do it and answer, whatever happens."""
        self._connector.slots.acquire()
        self.started = time.monotonic()
        host, become = self._asked["host"], self._asked["become"]
        project = self._connector.project
        try:
            self._connection = project.take(host, become)
            code, stdout, stderr = run_script(self._connection, self._asked["script"], self.mark)
            if code == 255 and self._connection.transport == "ssh":
                raise AnsibleConnectionFailure(stderr.decode(errors="replace"))
        except Exception as error:
            self.answer(error=_kind_of(error, become), message=str(error))
            return
        if self.answer(code=code, stdout=self._mask(stdout), stderr=self._mask(stderr)):
            project.give_back(host, become, self._connection)

    def give_up(self) -> None:
        """Answer that the host does not, end what was started for it, and do not use that connection again."""
        if self.answer(error="timeout", message="no answer"):
            _kill_marked(self.mark)
            self._connector.project.forget(self._asked["host"])
            # The shared ssh connection that hangs would be the next command's, too.
            if hasattr(self._connection, "reset"):
                thread = threading.Thread(target=self._reset, daemon=True)
                thread.start()
                thread.join(_RESET_SECONDS)

    def _reset(self) -> None:
        try:
            self._connection.reset()
        except Exception as error:
            sys.stderr.write(f"connection to {self._asked['host']} was not reset: {error}\n")

    def answer(self, **values: Any) -> bool:
        """Answer once and free the slot; False when that was done before."""
        with self._lock:
            if self._answered:
                return False
            self._answered = True
        if "message" in values:
            values["message"] = self._connector.project.redactor.redact(values["message"])
        duration = round(time.monotonic() - self.started, 4)
        self._connector.write({"id": self._asked["id"], "duration": duration, **values})
        self._connector.finish(self)
        return True

    def _mask(self, output: bytes) -> str:
        text = output.decode("utf-8", "surrogateescape")
        masked = self._connector.project.redactor.redact(text) if text else text
        return base64.b64encode(masked.encode("utf-8", "surrogateescape")).decode()


class Connector:
    """Reads requests, writes answers.

    Args:
        output: descriptor of the real standard output.
    """

    def __init__(self, project: Project, output: int) -> None:
        self.project = project
        self.slots = threading.Semaphore(C.DEFAULT_FORKS)
        self._output = os.fdopen(output, "w", encoding="ascii")
        self._lock = threading.Lock()
        self._running: set[Request] = set()

    def serve(self, requests: Any) -> None:
        """Until the requests end; then end what is still running, too."""
        threading.Thread(target=self._watch, daemon=True).start()
        for line in requests:
            request = Request(self, json.loads(line))
            with self._lock:
                self._running.add(request)
            threading.Thread(target=request.run, daemon=True).start()
        for request in list(self._running):
            _kill_marked(request.mark)
        os._exit(0)

    def write(self, answer: dict[str, Any]) -> None:
        """One line; nobody who listens is no reason to fail."""
        try:
            with self._lock:
                self._output.write(json.dumps(answer) + "\n")
                self._output.flush()
        except OSError:
            os._exit(0)

    def finish(self, request: Request) -> None:
        """The request needs its slot no more."""
        with self._lock:
            self._running.discard(request)
        self.slots.release()

    def _watch(self) -> None:
        while True:
            time.sleep(_WATCH_SECONDS)
            with self._lock:
                overdue = [request for request in self._running if request.overdue]
            for request in overdue:
                threading.Thread(target=request.give_up, daemon=True).start()


def _kind_of(error: Exception, become: bool) -> str:
    text = str(error).lower()
    if become and ("password" in text or "escalation" in text or "become" in text) and "permission denied" not in text:
        return "become"
    return "unreachable" if isinstance(error, AnsibleConnectionFailure) else "other"


def _kill_marked(mark: str) -> None:
    """End the local processes that were started for one request, and theirs."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            if any(mark in argument for argument in child.cmdline()):
                for process in (*child.children(recursive=True), child):
                    process.kill()
        except psutil.Error:
            continue


def main() -> None:
    """Keep the protocol's descriptors away from Ansible and from what it starts, then serve."""
    source = sys.argv[2] if sys.argv[1:2] == ["--inventory"] else None
    requests, output = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    Connector(Project(source), output).serve(os.fdopen(requests, encoding="utf-8"))


if __name__ == "__main__":
    main()
