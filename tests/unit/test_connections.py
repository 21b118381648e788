"""The connector without a host: this machine over Ansible's local connection, and what goes wrong at its start."""

import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from intendant.config import load_config
from intendant.connections import Connections
from intendant.errors import EngineError
from intendant.remote import Order, build_script, read_outcome

HERE = "all:\n  hosts:\n    here: {ansible_connection: local}\n    odd: {ansible_connection: no_such_plugin}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "intendant.toml").write_text('state_dir = "state"\n')
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\n")
    (tmp_path / "hosts.yml").write_text(HERE)
    return tmp_path


@pytest.fixture
def connections(project: Path) -> Iterator[Connections]:
    found = Connections(load_config(project))
    yield found
    found.close()


def run(connections: Connections, command: str, host: str = "here") -> str:
    order = Order(command, secrets.token_hex(8), 20)
    answer = connections.run({host: build_script(order)}, become=False, seconds=20)[host]
    assert answer.error is None, answer.message
    return read_outcome(order, answer.stdout, answer.stderr).stdout.data.decode()


def test_one_process_serves_many_commands(connections: Connections) -> None:
    assert run(connections, "echo one") == "one\n"
    [first] = connectors()
    assert run(connections, "echo two") == "two\n"
    assert connectors() == [first]
    connections.close()
    assert not psutil.pid_exists(first.pid)
    assert run(connections, "echo three") == "three\n"


def test_commands_of_several_threads_do_not_wait_for_each_other(connections: Connections) -> None:
    run(connections, "true")
    ended: list[str] = []

    def note(command: str) -> None:
        ended.append(run(connections, command).strip())

    slow = threading.Thread(target=note, args=("sleep 3; echo slow",))
    slow.start()
    time.sleep(0.3)
    note("echo quick")
    slow.join()
    assert ended == ["quick", "slow"]


def test_a_busy_connector_is_left_to_others_and_what_waits_for_its_turn_never_begins(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "intendant.toml").write_text('state_dir = "state"\nforks = 1\n')
    monkeypatch.setattr("intendant.connections._CONNECTOR_SECONDS", 0)
    monkeypatch.setattr("intendant.connections.GRACE_SECONDS", 1)
    connections = Connections(load_config(project))
    run(connections, "true")
    ended: list[str] = []
    slow = threading.Thread(target=lambda: ended.append(run(connections, "sleep 6; echo slow")))
    slow.start()
    time.sleep(0.3)
    order = Order(f"echo begun > {project / 'begun'}", secrets.token_hex(8), 1)
    answer = connections.run({"here": build_script(order)}, become=False, seconds=1)["here"]
    assert answer.error == "timeout"
    slow.join()
    assert ended == ["slow\n"]
    assert run(connections, "echo after") == "after\n"
    assert not (project / "begun").exists()
    connections.close()


def test_a_file_of_the_project_is_never_taken_for_a_module_of_pythons(project: Path, connections: Connections) -> None:
    (project / "json.py").write_text("raise SystemExit('the wrong json')\n")
    (project / "ansible").mkdir()
    (project / "ansible" / "__init__.py").write_text("raise SystemExit('the wrong ansible')\n")
    assert run(connections, "echo fine") == "fine\n"


def test_a_wrong_connection_or_host_is_an_error_of_that_host(connections: Connections) -> None:
    found = connections.run({"odd": "true", "nobody": "true"}, become=False, seconds=5)
    assert "no_such_plugin" in found["odd"].message
    assert "nobody" in found["nobody"].message
    assert {answer.error for answer in found.values()} == {"other"}


def test_what_ansible_says_when_it_cannot_start_is_told(project: Path, connections: Connections) -> None:
    (project / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\nvault_password_file = nowhere\n")
    connections = Connections(load_config(project))
    with pytest.raises(EngineError, match="nowhere"):
        connections.run({"here": "true"}, become=False, seconds=5)


def test_a_start_that_hangs_takes_a_bounded_time_and_leaves_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = project / "vault-password"
    program.write_text("#!/bin/sh\nsleep 71.5\n")
    program.chmod(0o755)
    (project / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\nvault_password_file = vault-password\n")
    monkeypatch.setattr("intendant.connections._START_SECONDS", 2)
    monkeypatch.setattr("intendant.connections._CONNECTOR_SECONDS", 1)
    monkeypatch.setattr("intendant.connections.GRACE_SECONDS", 0)
    connections = Connections(load_config(project))
    started = time.monotonic()
    # More than a pipe holds, so that it cannot all be written before it is read.
    with pytest.raises(EngineError, match="could not be started"):
        connections.run({"here": f"echo {'x' * 300_000}"}, become=False, seconds=1)
    assert time.monotonic() - started < 20
    assert not connectors()
    assert subprocess.run(["pgrep", "-f", "sleep 71[.]5"], check=False, capture_output=True).returncode == 1


def connectors() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # one that has just ended has no command line
            if "intendant.ansible.connector" in child.cmdline():
                found.append(child)
    return found
