"""Files of a real host: listed, read, saved and sent, as the tools and the command line do it."""

import base64
import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from intendant.app import App
from intendant.cli import main
from intendant.errors import HostError, InputError, NotFoundError, PolicyError
from lab.hosts import LabHost
from support.keyblocks import key_block
from support.projects import APPROVED_BY_POLICY, Project, apply, make_project, only_plan, plan

KEY = key_block("".join(f"MIIEvQIBADANBgkq{number:04}\n" for number in range(60)))
VAULTED = "correct-horse-battery"
MIB = 2**20


@pytest.fixture
def project(trixie_host: LabHost, tmp_path: Path) -> Project:
    variables = trixie_host.inventory_vars()
    hosts = {"web1": variables, "web2": variables, "dead": {**variables, "ansible_port": 2}}
    project = make_project(tmp_path / "project", {})
    project.write("inventory/hosts.yml", yaml.safe_dump({"web": {"hosts": hosts}, "db": {"hosts": {"web2": {}}}}))
    return project


@pytest.fixture
def app(project: Project) -> Iterator[App]:
    app = project.open()
    yield app
    app.connections.close()


@pytest.fixture(autouse=True)
def _clean(trixie_host: LabHost) -> Iterator[None]:
    yield
    trixie_host.run("rm -rf /srv && mkdir /srv")


def put(host: LabHost, path: str, data: bytes) -> None:
    command = [*host.ssh_command(), f"cat > '{path}'"]
    subprocess.run(command, input=data, check=True, timeout=60)


def test_a_folder_is_listed_with_what_its_entries_are(app: App, trixie_host: LabHost) -> None:
    trixie_host.run(
        "cd /srv && printf hello > file && chgrp adm file && chmod 4640 file && mkdir -m 1777 folder && mkfifo fifo &&"
        " ln -s /etc/hosts link && touch .hidden \"$(printf 'a\\nb\\033[31m')\" && touch -d '2001-02-03 04:05:06Z' old"
    )
    found = app.filer.list_files("web1", "/srv")
    entries = {entry.name: entry for entry in found.entries}
    assert list(entries) == [".hidden", "a\\nb\\x1b[31m", "fifo", "file", "folder", "link", "old"]
    file = entries["file"]
    assert (file.type, file.size, file.mode, file.owner, file.group) == ("file", 5, "4640", "root", "adm")
    assert (entries["folder"].type, entries["folder"].mode) == ("folder", "1777")
    assert (entries["link"].type, entries["link"].target) == ("link", "/etc/hosts")
    assert entries["fifo"].type == "fifo"
    assert entries["old"].modified.isoformat() == "2001-02-03T04:05:06+00:00"
    assert (found.total, found.cut) == (7, False)
    assert [entry.name for entry in app.filer.list_files("web1", "/srv/file").entries] == ["file"]


def test_a_large_folder_comes_in_pages_and_a_very_large_one_is_cut(app: App, trixie_host: LabHost) -> None:
    trixie_host.run("cd /srv && seq -f f%06.0f 10050 | xargs touch")
    first = app.filer.list_files("web1", "/srv")
    assert (len(first.entries), first.total, first.cut) == (100, 10_000, True)
    last = app.filer.list_files("web1", "/srv", start=9_950)
    assert len(last.entries) == 50
    with pytest.raises(InputError, match="behind the end"):
        app.filer.list_files("web1", "/srv", start=10_000)


def test_what_only_root_sees_needs_sudo_and_says_so(app: App) -> None:
    with pytest.raises(HostError, match=r"/root cannot be read.*Permission denied.*sudo"):
        app.filer.list_files("web1", "/root")
    assert any(entry.name == ".ssh" for entry in app.filer.list_files("web1", "/root", sudo=True).entries)
    with pytest.raises(HostError, match=r"Permission denied.*sudo"):
        app.filer.read_file("web1", "/etc/shadow")
    assert app.filer.read_file("web1", "/etc/shadow", sudo=True).content.count("root:") == 1


def test_a_text_is_read_page_by_page(app: App, trixie_host: LabHost) -> None:
    text = "".join(f"zeile {number} für alle\n" for number in range(2000))
    put(trixie_host, "/srv/text", text.encode())
    read, offset = "", 0
    while True:
        page = app.filer.read_file("web1", "/srv/text", offset=offset, limit=9_999)
        assert (page.encoding, page.offset, page.size) == ("text", offset, len(text.encode()))
        read += page.content
        if page.next_offset is None:
            break
        offset = page.next_offset
    assert read == text
    assert app.filer.read_file("web1", "/srv/text", offset=len(text.encode())).content == ""
    with pytest.raises(InputError, match="behind the end"):
        app.filer.read_file("web1", "/srv/text", offset=len(text.encode()) + 1)


def test_bytes_that_are_no_text_come_as_base64(app: App, trixie_host: LabHost) -> None:
    data = bytes(range(256)) * 20
    put(trixie_host, "/srv/data", data)
    page = app.filer.read_file("web1", "/srv/data", offset=100, limit=600)
    assert (page.encoding, page.next_offset) == ("base64", 700)
    assert base64.b64decode(page.content) == data[100:700]


def test_no_page_shows_a_part_of_a_secret(app: App, trixie_host: LabHost) -> None:
    text = f"{'x' * 500}\n{KEY}\ndb_password = hunter2hunter2\n{'y' * 500}\n"
    put(trixie_host, "/srv/secrets", text.encode())
    shown = [app.filer.read_file("web1", "/srv/secrets", offset=at, limit=37).content for at in range(0, len(text), 37)]
    assert not [page for page in shown if "MII" in page or "Bgkq" in page or "hunt" in page or "ter2" in page]
    assert "".join(shown).startswith("x" * 500)
    assert "".join(shown).endswith("y" * 500 + "\n")


def test_a_vaulted_value_is_masked_on_both_sides_of_a_border(
    project: Project, trixie_host: LabHost, tmp_path: Path
) -> None:
    (tmp_path / "pass").write_text("vault-key")
    vault = [str(Path(sys.executable).with_name("ansible-vault")), "encrypt_string", "--vault-password-file"]
    done = subprocess.run([*vault, str(tmp_path / "pass"), VAULTED], capture_output=True, text=True, check=True)
    project.write("inventory/group_vars/web.yml", f"secret_word: {done.stdout.strip()}\n")
    project.write(
        "ansible.cfg", f"[defaults]\ninventory = inventory\ntimeout = 60\nvault_password_file = {tmp_path / 'pass'}\n"
    )
    put(trixie_host, "/srv/plain", f"before {VAULTED} after\n".encode())
    put(trixie_host, "/srv/wide", VAULTED.encode("utf-16"))
    app = project.open()
    try:
        whole = app.filer.read_file("web1", "/srv/plain").content
        parts = [app.filer.read_file("web1", "/srv/plain", offset=at, limit=10).content for at in range(0, 30, 10)]
        wide = app.filer.read_file("web1", "/srv/wide")
        trixie_host.run(f"touch /srv/{VAULTED}")
        names = [entry.name for entry in app.filer.list_files("web1", "/srv").entries]
    finally:
        app.connections.close()
    assert whole == "before (sensitive) after\n"
    assert parts == ["before (sensitive)", "(sensitive)", "(sensitive) a"]
    assert (wide.encoding, wide.content) == ("withheld", "")
    assert "(sensitive)" in names


@pytest.mark.parametrize(
    "data",
    [
        KEY.encode("utf-16"),
        KEY.encode().replace(b"PRIVATE", b"PRI\xffVATE"),
        KEY.encode() + b"\xff",
        b"\0" + KEY.encode(),
    ],
)
def test_a_key_disguised_as_bytes_is_withheld_on_every_page(app: App, trixie_host: LabHost, data: bytes) -> None:
    put(trixie_host, "/srv/key", data)
    page = app.filer.read_file("web1", "/srv/key")
    assert (page.encoding, page.content, page.next_offset) == ("withheld", "", None)
    middle = app.filer.read_file("web1", "/srv/key", offset=len(data) // 2, limit=60)
    assert middle.encoding == "withheld" or "MIIE" not in middle.content
    assert "Bgkq" not in base64.b64decode(middle.content if middle.encoding == "base64" else "").decode("latin-1")


def test_special_files_are_never_read_and_nothing_hangs(app: App, trixie_host: LabHost) -> None:
    trixie_host.run("mkfifo /srv/fifo; ln -s /dev/zero /srv/zero; ln -s /proc/kmsg /srv/kmsg; ln -s fifo /srv/link")
    app.filer.list_files("web1", "/srv")
    began = time.monotonic()
    for path, why in {
        "/srv/fifo": "pipe",
        "/srv/link": "pipe",
        "/srv/zero": "device",
        "/dev/null": "device",
        # Where the host is a container, these may be devices that stand in for the kernel's.
        "/srv/kmsg": "run_command|device",
        "/proc/kmsg": "run_command|device",
        "/proc/self/mem": "run_command",
        "/sys/kernel/notes": "run_command",
        "/srv": "list_files",
    }.items():
        for sudo in (False, True):
            with pytest.raises(InputError, match=why):
                app.filer.read_file("web1", path, sudo=sudo)
    with pytest.raises(InputError, match="pipe"):
        app.filer.download_file("web1", "/srv/fifo")
    assert time.monotonic() - began < 60


def test_a_file_is_saved_as_it_is_and_never_over_another(app: App, project: Project, trixie_host: LabHost) -> None:
    data = os.urandom(3 * MIB + 17) + KEY.encode()
    put(trixie_host, "/srv/data", data)
    trixie_host.run("chmod 600 /srv/data")
    with pytest.raises(HostError, match="sudo"):
        app.filer.download_file("web1", "/srv/data")
    told: list[int] = []
    saved = app.filer.download_file(
        "web1", "/srv/data", "web1/copy", sudo=True, on_progress=lambda progress: told.append(progress.done)
    )
    path = project.directory / saved.saved
    assert saved.saved == "downloads/web1/copy"
    assert path.read_bytes() == data
    assert (saved.size, saved.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert told == [MIB, 2 * MIB, 3 * MIB, len(data)]
    with pytest.raises(InputError, match="overwrite"):
        app.filer.download_file("web1", "/srv/data", "web1/copy", sudo=True)
    put(trixie_host, "/srv/data", b"")
    assert app.filer.download_file("web1", "/srv/data", "web1/copy", sudo=True, overwrite=True).size == 0
    assert path.read_bytes() == b""
    with pytest.raises(InputError, match="name"):
        app.filer.download_file("web1", "/srv/data", "../intendant.toml", sudo=True)


def test_a_file_that_changes_or_is_too_large_is_not_saved(app: App, project: Project, trixie_host: LabHost) -> None:
    trixie_host.run("head -c 3000000 /dev/zero > /srv/log")
    writes = "exec >/dev/null 2>&1; for i in $(seq 600); do echo x >> /srv/log; sleep 0.05; done"
    trixie_host.run(f"nohup sh -c '{writes}' >/dev/null 2>&1 &")
    with pytest.raises(HostError, match="changed while it was copied"):
        app.filer.download_file("web1", "/srv/log")
    trixie_host.run("pkill -f 'srv[/]log' || true")
    project.write("intendant.toml", f'state_dir = "state"\nmax_file_bytes = 1000\n{APPROVED_BY_POLICY}')
    small = project.open()
    try:
        with pytest.raises(InputError, match="max_file_bytes"):
            small.filer.download_file("web1", "/srv/log")
    finally:
        small.connections.close()
    assert list((project.directory / "downloads").rglob("*")) == []


def test_one_host_that_the_policy_allows_commands_on(project: Project, app: App) -> None:
    with pytest.raises(InputError, match="matches 2 hosts"):
        app.filer.read_file("web1,web2", "/etc/hostname")
    with pytest.raises(NotFoundError):
        app.filer.read_file("web9", "/etc/hostname")
    with pytest.raises(HostError, match="Connection refused"):
        app.filer.read_file("dead", "/etc/hostname")
    project.write("intendant.toml", 'state_dir = "state"\n[policy.groups.db]\nallowed_intents = ["packages"]\n')
    limited = project.open()
    for call in (limited.filer.list_files, limited.filer.read_file, limited.filer.download_file):
        with pytest.raises(PolicyError, match="web2"):
            call("web2", "/etc/hostname")


def test_an_upload_is_planned_without_being_sent_then_checked_put_in_place_and_the_old_file_kept(
    app: App, project: Project, trixie_host: LabHost
) -> None:
    data = os.urandom(30 * MIB)
    (project.directory / "files").mkdir()
    (project.directory / "files" / "large").write_bytes(data)
    (project.directory / "files" / "small").write_text("new\n")
    trixie_host.run("echo old > /srv/large; chmod 600 /srv/large; echo old > /srv/small")
    steps = [
        ("file", {"file_path": "/srv/large", "file_source": "large", "file_mode": "0640", "file_group": "adm"}),
        ("file", {"file_path": "/srv/small", "file_source": "small"}),
    ]
    before = received(trixie_host)
    planned = plan(app, "web1", *steps)
    assert received(trixie_host) - before < 5 * MIB
    large, small = only_plan(planned).changes
    assert (large.action, large.target) == ("update", "/srv/large")
    assert f"(large, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()})" in large.diff
    assert "+backup: /srv/large.NUMBER.DATE@TIME~" in large.diff
    assert "-old\n" in small.diff
    assert "+new" in small.diff

    run = apply(app, planned.id)
    assert (run.status, run.as_planned) == ("succeeded", True), run
    digest, _, permissions = trixie_host.run(
        "sha256sum /srv/large | cut -c1-64; stat -c '%a %U %G' /srv/large"
    ).stdout.partition("\n")
    assert digest == hashlib.sha256(data).hexdigest()
    assert permissions.strip() == "640 root adm"
    assert trixie_host.run("cat /srv/large.*~ /srv/small.*~ /srv/small").stdout == "old\nold\nnew\n"
    assert trixie_host.run("stat -c %a /srv/large.*~").stdout == "600\n"
    left = trixie_host.run("find /root/.ansible/tmp /home/admin/.ansible/tmp -type f", check=False)
    assert left.stdout == ""

    assert only_plan(plan(app, "web1", *steps)).changes == ()


def received(host: LabHost) -> int:
    return sum(map(int, host.run("cat /sys/class/net/*/statistics/rx_bytes").stdout.split()))


def test_the_command_line_lists_shows_and_saves(
    project: Project, trixie_host: LabHost, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.directory)
    put(trixie_host, "/srv/text", b"password = hunter2hunter2\n\033[31mtext\n")
    assert main(["files", "ls", "web1", "/srv"]) == 0
    assert " root root 36 " in capsys.readouterr().out
    assert main(["files", "ls", "web1", "/srv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"][0]["name"] == "text"
    assert main(["files", "cat", "web1", "/srv/text"]) == 0
    assert capsys.readouterr().out == "password = (sensitive)\ntext\n"
    assert main(["files", "cat", "web1", "/srv/text", "--limit", "8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["next_offset"] == 8
    assert main(["files", "get", "web1", "/srv/text"]) == 0
    assert capsys.readouterr().out.startswith("downloads/text: 36 bytes, sha256 ")
    assert (project.directory / "downloads/text").read_bytes().endswith(b"\033[31mtext\n")
    assert main(["files", "get", "web1", "/srv/text"]) == 1
    assert "overwrite" in capsys.readouterr().err
    assert main(["files", "cat", "web1", "/proc/version"]) == 1
    assert "run_command" in capsys.readouterr().err
    assert main(["files", "cat", "web1", "relative"]) == 1
    assert "path: " in capsys.readouterr().err
