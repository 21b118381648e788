"""Run inside Ansible's own process: how Ansible reaches hosts, and what hosts answer that only Ansible can ask.

``python reaching.py settings`` and ``python reaching.py ask`` read one JSON object from stdin and print JSON to stdout.
No password leaves this process: what is printed says only that there is one.
"""

import json
import shlex
import sys
from collections.abc import Callable
from typing import Any, TextIO

from ansible import constants as C  # noqa: N812 (its usual name)
from ansible.cli import CLI
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import become_loader, connection_loader, init_plugin_loader, shell_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.vars.manager import VariableManager

_OLDEST_PYTHON = (3, 8)
#: options of the connection that are passed on; of others only whether they are set
_OPTIONS = (
    "host",
    "port",
    "remote_user",
    "private_key_file",
    "ssh_executable",
    "ssh_args",
    "ssh_common_args",
    "ssh_extra_args",
    "timeout",
    "host_key_checking",
)
_FRESH = "-o ControlMaster=no -o ControlPath=none -o StrictHostKeyChecking=yes -o UpdateHostKeys=no"
_SECRET_OPTIONS = ("password", "private_key", "pkcs11_provider")


def read_settings(request: dict[str, Any], out: TextIO) -> None:
    """Prints the hosts that ``pattern`` matches: name to settings, or ``{"error": …}`` if one has no value."""
    loader, inventory, manager = _open(request)
    found: dict[str, Any] = {}
    for host in inventory.get_hosts(request["pattern"]):
        if host.implicit:
            continue  # localhost, which is not in the inventory
        try:
            variables = manager.get_vars(host=host)
            found[host.name] = _settings_of(variables, Templar(loader=loader, variables=variables))
        except Exception as error:
            found[host.name] = {"error": str(error)}
    out.write(json.dumps(found))


def ask_hosts(request: dict[str, Any], out: TextIO) -> None:
    """Run each host's own of ``scripts`` ("" for none) and, for those in ``become``, ``id -u`` as another user.

    Prints a line for each answer as it comes: ``[host, "script" or "become", {…}]``.
    """
    from ansible import context
    from ansible.executor.task_queue_manager import TaskQueueManager
    from ansible.playbook.play import Play
    from ansible.plugins.callback import CallbackBase
    from ansible.utils.context_objects import CLIArgs

    class Collector(CallbackBase):  # type: ignore[misc]  # Ansible comes without types
        def _take(self, result: Any) -> None:
            said = getattr(result, "result", None) or result._result
            host, task = getattr(result, "host", None) or result._host, getattr(result, "task", None) or result._task
            answer = {
                "rc": said.get("rc"),
                "stdout": str(said.get("stdout", "")),
                "stderr": str(said.get("stderr", "")),
                "message": str(said.get("msg", "")),
                "unreachable": bool(said.get("unreachable")),
            }
            out.write(json.dumps([host.get_name(), task.get_name(), answer]) + "\n")
            out.flush()

        def v2_runner_on_ok(self, result: Any) -> None:
            self._take(result)

        def v2_runner_on_unreachable(self, result: Any) -> None:
            self._take(result)

        def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
            self._take(result)

    # What the command line would have set.
    context.CLIARGS = CLIArgs(
        {
            "become": None,
            "become_method": C.DEFAULT_BECOME_METHOD,
            "check": False,
            "connection": C.DEFAULT_TRANSPORT,
            "diff": False,
            "forks": request["forks"],
            "skip_tags": [],
            "start_at_task": None,
            "tags": ["all"],
            "verbosity": 0,
        }
    )
    loader, inventory, manager = _open(request)
    script = {
        "name": "script",
        "raw": trust_as_template("{{ intendant_script }}"),
        "vars": {"ansible_become": False},
        "ignore_errors": True,
    }
    become = {"name": "become", "raw": "id -u", "become": True}
    for name, text in request["scripts"].items():
        command = f"/bin/sh -c {shlex.quote(text)}"
        variables = manager.get_vars(host=inventory.get_host(name))
        plain = _plugin_options(
            connection_loader, "connection", "ssh", variables, Templar(loader=loader, variables=variables)
        )
        # A connection that is still open from before would let in whoever has the wrong password by now.
        fresh = f"{_FRESH} {plain.get('ssh_args') or ''}"
        manager.set_nonpersistent_facts(name, {"intendant_script": command, "ansible_ssh_args": fresh})
    # Hosts with the same tasks are asked at the same time.
    wanted: dict[tuple[bool, bool], list[str]] = {}
    for name, text in request["scripts"].items():
        wanted.setdefault((bool(text), name in request["become"]), []).append(name)
    queue = TaskQueueManager(
        inventory=inventory,
        variable_manager=manager,
        loader=loader,
        passwords={},
        forks=request["forks"],
    )
    collector = Collector()
    if hasattr(collector, "_init_callback_methods"):
        collector._init_callback_methods()
    # With one there already, none of the project's own is loaded: nobody else is told of these plays.
    queue._callback_plugins.append(collector)
    try:
        for (has_script, has_become), hosts in wanted.items():
            tasks = [script] * has_script + [become] * has_become
            source = {"name": "reach", "hosts": hosts, "gather_facts": "no", "tasks": tasks}
            queue.run(Play().load(source, variable_manager=manager, loader=loader))
    finally:
        queue.cleanup()


def _open(request: dict[str, Any]) -> tuple[Any, Any, Any]:
    """As Ansible's own command lines begin."""
    init_plugin_loader()
    loader = DataLoader()
    loader.set_basedir(request["folder"])
    AnsibleCollectionConfig.playbook_paths = request["folder"]
    secrets = CLI.setup_vault_secrets(loader, vault_ids=list(C.DEFAULT_VAULT_IDENTITY_LIST), auto_prompt=False)
    loader.set_vault_secrets(secrets)
    inventory = InventoryManager(loader=loader, sources=request["inventory"] or C.DEFAULT_HOST_LIST)
    manager = VariableManager(loader=loader, inventory=inventory, version_info=CLI.version_info(gitinfo=False))
    return loader, inventory, manager


def _settings_of(variables: dict[str, Any], templar: Any) -> dict[str, Any]:
    def resolve(name: str, default: Any = None) -> Any:
        value = variables.get(name)
        return default if value is None else templar.template(value)

    connection = str(resolve("ansible_connection", C.DEFAULT_TRANSPORT)).removeprefix("ansible.builtin.")
    settings: dict[str, Any] = {"connection": "ssh" if connection == "smart" else connection}
    options = _plugin_options(connection_loader, "connection", settings["connection"], variables, templar)
    settings.update({name: _plain(options[name]) for name in _OPTIONS if options.get(name) is not None})
    settings["secret"] = any(options.get(name) for name in _SECRET_OPTIONS)
    # The plays of a plan become root; a host's own variable says otherwise.
    settings["become"] = boolean(resolve("ansible_become", True))
    method = str(resolve("ansible_become_method", C.DEFAULT_BECOME_METHOD)).removeprefix("ansible.builtin.")
    settings["become_method"] = method
    if settings["become"]:
        become = _plugin_options(become_loader, "become", method, variables, templar)
        settings["become_secret"] = bool(become.get("become_pass"))
        for name in ("become_user", "become_exe", "become_flags"):
            settings[name] = str(become.get(name) or "")
    shell = _plugin_options(shell_loader, "shell", "sh", variables, templar)
    settings["remote_tmp"] = str(shell.get("remote_tmp") or "")
    settings["python"] = str(resolve("ansible_python_interpreter", C.config.get_config_value("INTERPRETER_PYTHON")))
    if "ansible_interpreter_python_fallback" in variables:
        settings["pythons"] = [str(item) for item in resolve("ansible_interpreter_python_fallback")]
    settings["oldest_python"] = list(_oldest_python())
    return settings


def _plugin_options(loader: Any, kind: str, name: str, variables: dict[str, Any], templar: Any) -> dict[str, Any]:
    if loader.get(name, class_only=True) is None:
        return {}
    names = C.config.get_plugin_vars(kind, name)
    resolved = {key: templar.template(variables[key]) for key in names if variables.get(key) is not None}
    options: dict[str, Any] = C.config.get_plugin_options(kind, name, variables=resolved)
    return options


def _oldest_python() -> tuple[int, int]:
    try:
        from ansible.module_utils.basic import _PY_MIN
    except ImportError:
        return _OLDEST_PYTHON
    return tuple(_PY_MIN)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)


if __name__ == "__main__":
    calls: dict[str, Callable[[dict[str, Any], TextIO], None]] = {"settings": read_settings, "ask": ask_hosts}
    answers = sys.stdout
    sys.stdout = sys.stderr  # what plugins print is no answer
    calls[sys.argv[1]](json.load(sys.stdin), answers)
