"""What the demo works on: a lab host, else a container, else this machine, read-only."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lab

NAME = "web1"
_CONTAINER = "intendant-demo"
_IMAGE = "docker.io/library/debian:stable"
_PREPARE = """\
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y --no-install-recommends install openssh-server python3 sudo ca-certificates >/dev/null
useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
install -d -o admin -g admin -m 700 /home/admin/.ssh
echo "$KEY" > /home/admin/.ssh/authorized_keys
chown admin: /home/admin/.ssh/authorized_keys
install -d /run/sshd
exec /usr/sbin/sshd -D -e
"""

Say = Callable[[str], None]


class DemoError(Exception):
    """A step did not go as said."""


@dataclass(frozen=True)
class Target:
    """One host: what to call it, its inventory variables, the Python to ask for, and a look at it with our own eyes.

    ``look`` is None where nothing may be changed.
    """

    name: str
    what: str
    variables: dict[str, Any]
    python: str
    role_variables: dict[str, str] = field(default_factory=dict)
    look: Callable[[str], str] | None = None
    missing: tuple[str, ...] = ()


@contextmanager
def open_target(folder: Path, say: Say) -> Iterator[Target]:
    """The best target that this machine has; it is gone afterwards."""
    reasons = _prepare_lab(say)
    if not reasons:
        with lab.Lab() as own:
            yield _boot_lab(own, say)
        return
    if engine := _find_engine():
        say(f"No lab host here ({'; '.join(reasons)}), so a container of {engine} stands in.")
        with _run_container(engine, folder, say) as target:
            yield target
        return
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    wanted = (*reasons, "no container engine: neither `docker info` nor `podman info` answers")
    yield Target("localhost", "this machine, read-only", here, python="3.12", missing=wanted)


def _prepare_lab(say: Say) -> list[str]:
    """Why there can be no lab host; what is missing is installed where that is possible."""
    if lab.missing() and sys.platform.startswith("linux") and os.geteuid() == 0:
        say("Installing what the lab needs (systemd-nspawn and a few tools) …")
        try:
            lab.install_packages()
        except lab.LabError as error:
            return [str(error)]
    return lab.missing()


def _boot_lab(own: lab.Lab, say: Say) -> Target:
    say("Booting a disposable Debian 13 host (the very first time takes half a minute) …")
    host = own.boot(NAME, "trixie")
    mirror = lab.PythonMirror(own)
    return Target(
        NAME,
        f"Debian 13, {host.user}@{host.address}",
        host.inventory_vars(),
        python=mirror.series,
        # As a site would have it: the host's own settings say where builds come from, nobody has to ask for it.
        role_variables={"python_mirror": mirror.url},
        look=lambda command: host.run(command).stdout.strip(),
    )


def _find_engine() -> str:
    for engine in ("docker", "podman"):
        if shutil.which(engine):
            done = subprocess.run([engine, "info"], capture_output=True, check=False, timeout=60)
            if done.returncode == 0:
                return engine
    return ""


@contextmanager
def _run_container(engine: str, folder: Path, say: Say) -> Iterator[Target]:
    key = folder / "id_ed25519"
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    name = f"{_CONTAINER}-{os.getpid()}"
    environment = f"KEY={key.with_suffix('.pub').read_text().strip()}"
    say(f"Starting {_IMAGE} with an SSH server …")
    try:
        _run(
            *(engine, "run", "--detach", "--name", name, "--hostname", NAME),
            *("--publish", "127.0.0.1::22", "--env", environment, _IMAGE, "bash", "-c", _PREPARE),
            timeout=600,
        )
        yield _await_container(engine, name, key, folder / "known_hosts")
    finally:
        subprocess.run([engine, "rm", "--force", name], capture_output=True, check=False, timeout=60)


def _await_container(engine: str, name: str, key: Path, known_hosts: Path) -> Target:
    port = _run(engine, "port", name, "22/tcp").splitlines()[0].rpartition(":")[2]
    options = f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
    ssh = ["ssh", *options.split(), "-o", "BatchMode=yes", "-i", str(key), "-p", port, "admin@127.0.0.1"]
    deadline = time.monotonic() + 300
    while True:
        # The container's own word for its key: nothing is trusted because it answered first.
        public = subprocess.run(
            [engine, "exec", name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        if public.returncode == 0:
            known_hosts.write_text(f"[127.0.0.1]:{port} {public.stdout}")
            if subprocess.run([*ssh, "true"], capture_output=True, check=False, timeout=60).returncode == 0:
                break
        running = _run(engine, "inspect", "--format", "{{.State.Running}}", name).strip() == "true"
        if not running or time.monotonic() > deadline:
            raise DemoError(f"the container's SSH server did not start: {_read_logs(engine, name)}")
        time.sleep(1)
    variables = {
        "ansible_host": "127.0.0.1",
        "ansible_port": int(port),
        "ansible_user": "admin",
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": options,
    }
    return Target(
        NAME,
        f"a Debian container, admin@127.0.0.1:{port}",
        variables,
        python="3.12",
        look=lambda command: _run(engine, "exec", name, "sh", "-c", command).strip(),
    )


def _read_logs(engine: str, name: str) -> str:
    done = subprocess.run([engine, "logs", name], capture_output=True, text=True, check=False, timeout=60)
    return (done.stdout + done.stderr).strip()[-1500:]


def _run(*command: str, timeout: float = 60) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    if done.returncode != 0:
        raise DemoError(f"`{' '.join(command[:3])} …` ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
    return done.stdout
