"""A person adds a real host on a terminal: its key is compared first, kept by the project, and used by plans."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from intendant.app import open_app
from intendant.cli import main
from intendant.reach.results import HostCheck
from intendant.scaffold import init_project
from lab.hosts import LabHost
from support.projects import plan
from support.terminals import end, spawn_intendant

Spawn = Callable[..., "pexpect.spawn[str]"]
QUESTION = "or the fingerprint that you see there: "


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    init_project(folder)
    settings = folder / "intendant.toml"
    settings.write_text('state_dir = "state"\n' + settings.read_text())
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def spawn(project: Path) -> Spawn:
    """Starts intendant on a pseudo-terminal."""

    return lambda *words: spawn_intendant(project, *words, TERM="dumb")


def files_of(project: Path) -> dict[str, str]:
    names = ("inventory/hosts.yml", "known_hosts")
    return {name: (project / name).read_text() for name in names if (project / name).exists()}


def add_words(host: LabHost, name: str = "web1", *more: str) -> list[str]:
    return ["hosts", "add", name, host.address, "--user", host.user, "--key", str(host.key), *more]


def fingerprint_on_console(host: LabHost) -> str:
    return host.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]


def check(project: Path, name: str) -> HostCheck:
    [found], _ = open_app(project).checker.check(name)
    return found


def test_a_host_is_added_by_the_fingerprint_of_its_console_and_by_nothing_else(
    project: Path, spawn: Spawn, trixie_host: LabHost
) -> None:
    before = files_of(project)
    for answer in ("no", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "maybe"):
        child = spawn(*add_words(trixie_host))
        child.expect(QUESTION)
        child.sendline(answer)
        assert end(child)[0] == 1
        assert files_of(project) == before

    child = spawn(*add_words(trixie_host, "web1", "--group", "web"))
    child.expect(r"\+ +web1:")
    child.expect_exact(fingerprint_on_console(trixie_host))  # base64: a + is no quantifier
    child.expect(QUESTION)
    child.sendline(fingerprint_on_console(trixie_host))
    code, said = end(child)
    assert code == 0, said
    after = files_of(project)
    public = trixie_host.run("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").stdout.strip()
    assert after["known_hosts"] == f"{trixie_host.address} {public}\n"
    kept = [line for line in before["inventory/hosts.yml"].splitlines() if line.startswith("#")]
    assert [line for line in after["inventory/hosts.yml"].splitlines() if line.startswith("#")] == kept

    assert check(project, "web").ok
    planned = plan(open_app(project), "web1", ("file", {"file_path": "/srv/added", "file_content": "x\n"}))
    assert planned.complete, planned

    child = spawn("hosts", "remove", "web1")
    child.expect(r"- +web1:")
    child.expect("yes or no: ")
    child.sendline("yes")
    assert end(child)[0] == 0
    assert open_app(project).inventory.read().hosts == {}


def test_a_changed_key_is_never_added(project: Path, spawn: Spawn, trixie_host: LabHost, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "old")], check=True)
    kind, key, *_ = (tmp_path / "old.pub").read_text().split()
    (project / "known_hosts").write_text(f"{trixie_host.address} {kind} {key}\n")
    before = files_of(project)
    code, said = end(spawn(*add_words(trixie_host)))
    assert code == 1
    assert "CHANGED" in said
    assert "Nothing was added" in said
    assert files_of(project) == before


def test_a_key_that_is_known_already_is_not_kept_twice(project: Path, spawn: Spawn, trixie_host: LabHost) -> None:
    (project / "known_hosts").write_text(trixie_host.known_hosts.read_text())
    before = files_of(project)
    child = spawn(*add_words(trixie_host))
    child.expect("knows it already")
    child.expect("yes or no: ")
    child.sendline("yes")
    assert end(child)[0] == 0
    assert files_of(project)["known_hosts"] == before["known_hosts"]
    assert check(project, "web1").ok


def test_groups_and_variables_are_given_and_edited(project: Path, spawn: Spawn, trixie_host: LabHost) -> None:
    (project / "known_hosts").write_text(trixie_host.known_hosts.read_text())
    words = add_words(trixie_host, "web1", "--group", "web", "--group", "edge", "--var", "tier=gold", "--var", "size=3")
    edit = ["hosts", "edit", "web1", "--group", "db", "--ungroup", "edge", "--unset", "tier", "--var", "size=[4]"]
    for line in (words, edit):
        child = spawn(*line)
        child.expect("yes or no: ")
        child.sendline("yes")
        code, said = end(child)
        assert code == 0, said
    entry = open_app(project).inventory.read("web1").hosts["web1"]
    assert entry.groups == ("db", "web")
    assert (entry.variables.get("tier"), entry.variables["size"]) == (None, [4])

    before = files_of(project)
    child = spawn("hosts", "edit", "web1", "--var", "tier=iron")
    child.expect(r"\+ +tier: iron")
    child.expect("yes or no: ")
    child.sendline("no")
    assert end(child)[0] == 1
    assert files_of(project) == before


def test_a_project_without_known_hosts_of_its_own_keeps_the_key_where_ssh_looks(
    project: Path, spawn: Spawn, trixie_host: LabHost, tmp_path: Path
) -> None:
    users = tmp_path / "users_known_hosts"
    args = f"ssh_args = -o UserKnownHostsFile={users}"
    (project / "ansible.cfg").write_text(f"[defaults]\ninventory = inventory\n[ssh_connection]\n{args}\n")
    child = spawn(*add_words(trixie_host))
    child.expect(QUESTION)
    child.sendline("yes")
    assert end(child)[0] == 0
    assert users.read_text().startswith(f"{trixie_host.address} ")
    assert not (project / "known_hosts").exists()
    assert check(project, "web1").ok


def test_a_host_behind_a_jump_host_is_met_through_it(
    project: Path, spawn: Spawn, trixie_host: LabHost, tmp_path: Path
) -> None:
    # ssh_config knows the jump host's key and login; the inner host is the same machine under its loopback address.
    config = tmp_path / "config"
    config.write_text(
        f"Host outer\n  HostName {trixie_host.address}\n  User {trixie_host.user}\n  IdentityFile {trixie_host.key}\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {trixie_host.known_hosts}\n"
    )
    cfg = project / "ansible.cfg"
    cfg.write_text(f"{cfg.read_text()}ssh_args = -F {config}\n")
    words = ["hosts", "add", "inner", "127.0.0.1", "--user", trixie_host.user, "--key", str(trixie_host.key)]
    child = spawn(*words, "--jump", "outer")
    child.expect(QUESTION)
    child.sendline(fingerprint_on_console(trixie_host))
    code, said = end(child)
    assert code == 0, said
    assert (project / "known_hosts").read_text().startswith("127.0.0.1 ")
    found = check(project, "inner")
    assert found.ok, found
    assert found.checks[0].detail == "outer: logged in"


def test_nobody_is_asked_where_there_is_no_terminal(
    project: Path, trixie_host: LabHost, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(project)
    assert main(add_words(trixie_host)) == 1
    assert "no terminal" in capsys.readouterr().err
    assert files_of(project) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["all", "192.0.2.1"], "Ansible's own"),
        (["-x", "192.0.2.1"], "No such option"),
        (["web1", "a;b"], "ADDRESS"),
        (["web1", "192.0.2.1", "--user", "-oProxyCommand=x"], "--user"),
        (["web1", "192.0.2.1", "--jump", "-oProxyCommand=x"], "--jump"),
        (["web1", "192.0.2.1", "--jump", "a -oProxyCommand=x"], "--jump"),
        (["web1", "192.0.2.1", "--group", "two words"], "--group"),
        (["web1", "192.0.2.1", "--key", "/no/such/key"], "ssh-keygen"),
        (["web1", "web9.invalid"], "does not resolve"),
        (["web1", "127.0.0.1", "--port", "2"], "refused"),
    ],
)
def test_what_cannot_be_added_is_refused_with_its_reason(
    words: list[str], said: str, project: Path, spawn: Spawn
) -> None:
    before = files_of(project)
    code, shown = end(spawn("hosts", "add", *words))
    assert code == 1
    assert said in shown
    assert files_of(project) == before


def test_what_the_inventory_says_of_keys_wins_over_a_new_projects_settings(project: Path, trixie_host: LabHost) -> None:
    hosts = {"all": {"hosts": {"web1": trixie_host.inventory_vars()}}}
    (project / "inventory/hosts.yml").write_text(json.dumps(hosts))
    assert check(project, "web1").ok
    assert plan(open_app(project), "web1", ("file", {"file_path": "/srv/x", "file_content": "x\n"})).complete
