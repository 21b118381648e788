"""ansible-runner's event callback, with masking inside ansible-playbook before anything leaves the process.

It takes the place of ansible-runner's plugin of the same name (found through AWX_LIB_DIRECTORY) and adds four things:
each result is cut down to what a plan or a run needs, secrets are masked, a cancel file stops the job between two
tasks, and the process ends when the one that started it dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import signal
from collections.abc import Iterator
from typing import Any

from ansible.utils.display import Display

from intendant.ansible.vaulted import find_vaulted
from intendant.redaction import Redactor


def load_upstream() -> Any:
    """ansible-runner's plugin by its file: importing the package would cost every start of Ansible its time."""
    package = importlib.util.find_spec("ansible_runner")
    assert package is not None
    assert package.origin is not None
    file = os.path.join(os.path.dirname(package.origin), "display_callback", "callback", "awx_display.py")
    spec = importlib.util.spec_from_file_location("intendant_upstream_awx_display", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


upstream = load_upstream()
Upstream: Any = upstream.CallbackModule
DOCUMENTATION = upstream.DOCUMENTATION

TARGET_ARGS = tuple("path dest name names pkg package unit src url user key state argv cmd".split())
SHOWN_FACTS = (
    "distribution",
    "distribution_version",
    "kernel",
    "architecture",
    "processor_vcpus",
    "memtotal_mb",
    "python_version",
    "service_mgr",
    "pkg_mgr",
    "virtualization_type",
)
_MESSAGE_LIMIT = 4000
_DIFF_LIMIT = 2_000_000
_PR_SET_PDEATHSIG = 1

redactor = Redactor()
_plain_display = Display.display


def _masked_display(self: Display, msg: str, *args: Any, **kwargs: Any) -> Any:
    return _plain_display(self, redactor.redact(str(msg)), *args, **kwargs)


Display.display = _masked_display


class CallbackModule(Upstream):
    """See the module's text."""

    CALLBACK_NAME = "awx_display"
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"

    def __init__(self) -> None:
        super().__init__()
        self._skipped: dict[str, Any] = {}
        self._knows_hosts = False
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        with stopping_on_failure():
            variables = play.get_variable_manager()
            redactor.learn(collect_secrets(variables, play, every_host=not self._knows_hosts))
            self._knows_hosts = True
        super().v2_playbook_on_play_start(play)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        stop_if_cancelled()
        super().v2_playbook_on_task_start(task, is_conditional)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        stop_if_cancelled()
        super().v2_playbook_on_handler_task_start(task)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._skipped = result._result
        super().v2_runner_on_skipped(result)

    @contextlib.contextmanager
    def capture_event_data(self, event: str, **event_data: Any) -> Iterator[None]:
        with stopping_on_failure():
            result = event_data.pop("res", None)
            event_data.pop("diff", None)  # the summary of the result has it too, masked
            if event == "runner_on_skipped":
                result, self._skipped = self._skipped, {}
            if result is not None:
                failed = event.endswith(("failed", "unreachable"))
                event_data["summary"] = redactor.redact_all(summarize(result, failed=failed))
            if isinstance(event_data.get("name"), str):
                event_data["name"] = redactor.redact(event_data["name"])
        with super().capture_event_data(event, **event_data):
            yield

    def set_task(self, task: Any, local: bool = False) -> None:
        super().set_task(task, local)
        name = {"task": redactor.redact(str(task.name or task.action))}
        if local:
            upstream.event_context.add_local(**name)
        else:
            upstream.event_context.add_global(**name)


def stop_if_cancelled() -> None:
    """Leave between two tasks when the cancel file is there.

    Raises:
        KeyboardInterrupt: which ansible-playbook answers by ending in order.
    """
    cancel_file = os.environ.get("INTENDANT_CANCEL_FILE")
    if cancel_file and os.path.exists(cancel_file):
        raise KeyboardInterrupt


@contextlib.contextmanager
def stopping_on_failure() -> Iterator[None]:
    """End the whole job when our own code fails.

    Ansible only warns of a callback that raises, and goes on: secrets would be shown and changes be lost.
    """
    try:
        yield
    except Exception as error:
        raise SystemExit(f"Intendant's callback failed: {type(error).__name__}") from error


def collect_secrets(variables: Any, play: Any, *, every_host: bool) -> set[str]:
    """Plain values of everything vaulted, and of the variables named in INTENDANT_SECRET_VARIABLES.

    The variables of a play's roles are the same for each host, so one host is enough for those.
    """
    named = set(filter(None, os.environ.get("INTENDANT_SECRET_VARIABLES", "").split(",")))
    encrypted_files: dict[str, bool] = {}
    found: set[str] = set(find_vaulted(variables.extra_vars, encrypted_files))
    hosts = variables._inventory.get_hosts()
    spaces = [variables.get_vars(play=play, host=host, include_hostvars=False) for host in hosts[:1]]
    if every_host:
        spaces += [variables.get_vars(host=host, include_hostvars=False) for host in hosts]
    for space in spaces:
        for name, value in space.items():
            found.update(_strings(value) if name in named else find_vaulted(value, encrypted_files))
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    elif value is not None and not isinstance(value, bool):
        with contextlib.suppress(Exception):
            yield str(value)


def summarize(result: dict[str, Any], *, failed: bool) -> dict[str, Any]:
    """The part of a task's result that plans and runs are made of; nothing but flags of a hidden (no_log) one.

    That a command's exit status made it fail is known to the event (``failed``), not to its result.
    """
    summary: dict[str, Any] = {
        flag: True for flag in ("changed", "failed", "unreachable", "skipped") if result.get(flag)
    }
    if result.get("_ansible_no_log") or "censored" in result:
        return summary | {"hidden": True}
    arguments = (result.get("invocation") or {}).get("module_args") or {}
    if isinstance(arguments, dict):
        given = {key: arguments.get(key) for key in TARGET_ARGS}
        summary["args"] = {key: _plain(value) for key, value in given.items() if value not in (None, "", [])}
    if result.get("diff") and result.get("changed"):
        summary["diff"] = [_bounded(part) for part in _as_list(result["diff"]) if isinstance(part, dict)]
    if "results" in result:
        summary["looped"] = True
    found = result.get("ansible_facts")
    if isinstance(found, dict) and "ansible_distribution" in found:
        summary["facts"] = {name: str(found[f"ansible_{name}"]) for name in SHOWN_FACTS if f"ansible_{name}" in found}
    if result.get("blind_spot"):
        summary["blind_spot"] = str(result["blind_spot"])[:500]
    if "ansible_loop_var" in result:
        label = result.get("_ansible_item_label", result.get(result["ansible_loop_var"], ""))
        summary["item"] = str(label)[:500]
    message = _explain(result) if failed else str(result.get("msg", ""))
    # What broke is at the end of a long message, and named at its beginning.
    if failed and len(message) > _MESSAGE_LIMIT:
        message = message[: _MESSAGE_LIMIT // 2] + "\n…\n" + message[-_MESSAGE_LIMIT // 2 :]
    summary["msg"] = message[: _MESSAGE_LIMIT + 10]
    reasons = (result.get("skip_reason"), result.get("skipped_reason"), result.get("false_condition"))
    summary["skip_reason"] = " ".join(str(reason) for reason in reasons if reason not in (None, ""))
    return summary


def _explain(result: dict[str, Any]) -> str:
    """Message and output of what failed; the gathering of facts wraps the results of its modules."""
    parts = []
    for part in (result, *(result.get("failed_modules") or {}).values()):
        parts.append(str(part.get("msg", "")))
        parts += [
            str(part.get(stream, "")).strip()[-_MESSAGE_LIMIT // 2 :]
            for stream in ("module_stderr", "stderr", "module_stdout", "stdout")
        ]
    return "\n".join(part for part in parts if part)


def _bounded(part: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _plain(value) if not isinstance(value, str) or len(value) <= _DIFF_LIMIT else None
        for key, value in part.items()
        if key in ("before", "after", "before_header", "after_header", "prepared")
        or (key in ("src_binary", "dst_binary", "src_larger", "dst_larger") and value)
    }


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _plain(value: Any) -> Any:
    """Ansible's tagged values as plain JSON ones."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
