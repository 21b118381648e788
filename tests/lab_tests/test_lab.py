"""The lab itself, on real hosts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE

import pytest

import lab as lab_package
from lab import Lab, LabError, LabHost, PythonMirror
from lab.fixtures import unique_name
from lab.leftovers import clean
from lab.network import wire_name
from lab.registry import HostRecord, read_hosts, read_lab

pytestmark = pytest.mark.lab

SUITES = {"bookworm": "12", "trixie": "13"}


def python_env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(lab_package.__file__).parents[1])}


def call_python(*words: str) -> str:
    """What another Python process prints."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=python_env())
    assert not done.stderr
    return done.stdout


def record_of(lab: Lab, host: LabHost) -> HostRecord:
    return next(record for record in read_hosts(lab.folder.name) if record.name == host.name)


def traces(record: HostRecord) -> list[str]:
    """What of a host is still on this machine."""
    found = [str(path) for path in (record.folder, record.path) if path.exists()]
    found += [str(path) for path in Path("/sys/class/net").glob(wire_name(record.index))]
    return found + traces_of_name(record.netns)


def traces_of_name(name: str) -> list[str]:
    found = [str(path) for path in Path("/run/netns").glob(f"*{name}")]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/*{name}")]
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            # every process of a host is in the host's control group, also where the machine cannot see its arguments
            told = "".join((process / file).read_text(errors="replace") for file in ("cmdline", "cgroup", "mountinfo"))
            if name in told and process.name != str(os.getpid()):
                found.append(f"process {process.name}")
    return found


@pytest.fixture(params=sorted(SUITES))
def host(request: pytest.FixtureRequest) -> LabHost:
    found = request.getfixturevalue(f"{request.param}_host")
    assert isinstance(found, LabHost)
    return found


def test_it_is_a_running_system_of_its_suite(host: LabHost) -> None:
    assert host.run("systemctl is-system-running").stdout.strip() == "running"
    assert host.run("ps -p 1 -o comm= 2>/dev/null || cat /proc/1/comm").stdout.strip() == "systemd"
    assert f'VERSION_ID="{SUITES[host.suite]}"' in host.run("cat /etc/os-release").stdout
    assert host.run("hostname").stdout.strip() == host.name


def test_the_user_is_unprivileged_and_may_use_sudo(host: LabHost) -> None:
    assert host.run("id -un; cat /etc/shadow", user=host.user, check=False).stdout.split() == [host.user]
    assert host.run("sudo -n id -un", user=host.user).stdout.strip() == "root"


def test_a_package_installs_without_an_update_first(host: LabHost) -> None:
    host.run("sudo apt-get install -y -q hello", user=host.user, timeout=120)
    assert "Hello" in host.run("hello").stdout


def test_an_update_works(host: LabHost) -> None:
    said = host.run("apt-get update", timeout=120)
    assert not said.stderr.strip()


def test_hosts_reach_each_other(bookworm_host: LabHost, trixie_host: LabHost) -> None:
    code = f"import socket; print(socket.create_connection(('{trixie_host.address}', 22), 5).recv(4))"
    assert "SSH-" in bookworm_host.run(f'python3 -c "{code}"').stdout


def test_hosts_have_no_way_out(host: LabHost) -> None:
    assert host.run("timeout 1 bash -c ': > /dev/tcp/192.0.2.99/80'", check=False).returncode != 0


def test_host_keys_and_machine_ids_differ(fresh_host: Callable[[str], LabHost], trixie_host: LabHost) -> None:
    other = fresh_host("trixie")
    for path in ("/etc/ssh/ssh_host_ed25519_key.pub", "/etc/machine-id"):
        assert other.run(f"cat {path}").stdout != trixie_host.run(f"cat {path}").stdout


def test_another_hosts_key_is_refused(bookworm_host: LabHost, trixie_host: LabHost, tmp_path: Path) -> None:
    forged = tmp_path / "known_hosts"
    forged.write_text(f"{trixie_host.address} {bookworm_host.known_hosts.read_text().split(' ', 1)[1]}")
    liar = replace(trixie_host, known_hosts=forged)
    assert liar.run("true", check=False).returncode == 255


def test_stopping_a_service_spares_the_other_hosts(fresh_host: Callable[[str], LabHost], trixie_host: LabHost) -> None:
    show = "systemctl show -p MainPID,ActiveState systemd-logind"
    before = trixie_host.run(show).stdout
    fresh_host("trixie").run("systemctl kill --signal=KILL systemd-logind; systemctl stop systemd-logind", timeout=20)
    assert trixie_host.run(show).stdout == before


def test_a_host_that_reboots_comes_back(lab: Lab) -> None:
    host = lab.boot(unique_name("again"))
    which = "cat /proc/sys/kernel/random/boot_id"
    before = host.run(f"touch /root/kept; {which}").stdout
    host.run("systemctl reboot", check=False)
    now, deadline = before, time.monotonic() + 60
    while now in ("", before) and time.monotonic() < deadline:
        now = host.run(which, check=False).stdout
        time.sleep(0.2)
    assert now not in ("", before)
    assert host.run("systemctl is-system-running --wait; ls /root/kept", check=False).stdout == "running\n/root/kept\n"
    record = record_of(lab, host)
    lab.stop(host.name)
    assert traces(record) == []


def test_stop_leaves_nothing_behind(lab: Lab) -> None:
    host = lab.boot(unique_name("gone"))
    record = record_of(lab, host)
    assert traces(record)
    lab.stop(host.name)
    assert traces(record) == []
    assert host.name not in lab.hosts


def test_a_failed_boot_leaves_nothing_behind(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.labs.BOOT_SECONDS", 0.0)
    name = unique_name("late")
    with pytest.raises(LabError, match="did not boot"):
        lab.boot(name)
    assert name not in {record.name for record in read_hosts(lab.folder.name)}
    assert traces_of_name(name) == []


def test_labs_coexist_with_hosts_of_one_name(lab: Lab, trixie_host: LabHost, tmp_path: Path) -> None:
    with Lab(tmp_path) as other:
        twin = other.boot(trixie_host.name)
        record = record_of(other, twin)
        assert twin.address != trixie_host.address
        assert twin.run("hostname").stdout.strip() == trixie_host.run("hostname").stdout.strip()
        with pytest.raises(LabError, match="exists already"):
            other.boot(twin.name)
    assert traces(record) == []
    assert trixie_host.run("true").returncode == 0


def test_what_a_dead_owner_left_is_cleaned_up(lab: Lab) -> None:
    code = "from lab import Lab; lab = Lab(); lab.boot('orphan'); print(lab.folder.name, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], env=python_env(), stdin=PIPE, stdout=PIPE, text=True) as owner:
        assert owner.stdout
        lab_id = owner.stdout.readline().strip()
        (record,) = read_hosts(lab_id)
        clean()
        assert any(trace.startswith("process") for trace in traces(record))
        owner.kill()
    clean()  # unless another lab that opens just now has done so already
    assert traces(record) == []
    assert read_lab(lab_id) is None


def test_the_command_line_keeps_hosts_until_told(lab: Lab) -> None:
    def call(*words: str) -> str:
        return call_python("-m", "lab", *words, "--lab", name)

    name = unique_name("cli")
    assert "ansible_ssh_private_key_file" in call("up", "kept", "other=bookworm")
    assert "web" not in call("inventory")
    assert call("ssh", "kept", "sudo hostname").strip() == "kept"
    records = read_hosts(name)
    call("down", "other")
    assert [record.name for record in read_hosts(name)] == ["kept"]
    call("down", "--all")
    assert [trace for record in records for trace in traces(record)] == []
    assert read_lab(name) is None


def test_the_python_build_runs_on_a_host(host: LabHost, python_mirror: PythonMirror) -> None:
    target, url = f"/opt/python/{python_mirror.version}", f"{python_mirror.url}/{python_mirror.tag}"
    fetch = f"import urllib.request as u; u.urlretrieve('{url}/{python_mirror.filename}', '{python_mirror.filename}')"
    host.run(f'python3 -c "{fetch}"; mkdir -p {target}; tar xf cpython-* --strip-components=1 -C {target}')
    sums = host.run(f"python3 -c \"import urllib.request as u; print(u.urlopen('{url}/SHA256SUMS').read().decode())\"")
    host.run("sha256sum -c - <<'END'\n" + sums.stdout.strip() + "\nEND")
    python = f"{target}/bin/python{python_mirror.series}"
    assert host.run(f'{python} -c "import ssl, sqlite3, ctypes; print(1)"').stdout.strip() == "1"
    host.run(f"{python} -m venv --without-pip /tmp/plain && {python} -m venv /tmp/full && /tmp/full/bin/pip --version")
