"""A model asks for a host; a person compares its key in the client, and only then the host is there and can be used."""

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from intendant.app import App, open_app
from intendant.scaffold import init_project
from intendant.server import build_server
from lab.hosts import LabHost
from mcp_server.harness import MODES, data_of, error_of
from mcp_server.test_approval import Person

pytestmark = pytest.mark.anyio
Open = Callable[..., AbstractAsyncContextManager[Client]]
FILES = ("inventory/hosts.yml", "known_hosts")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    init_project(folder)
    settings = folder / "intendant.toml"
    settings.write_text('state_dir = "state"\n' + settings.read_text())
    return folder


@pytest.fixture
def app(project: Path) -> App:
    return open_app(project)


@pytest.fixture
def connect(app: App) -> Open:
    @asynccontextmanager
    async def connect(person: Person, mode: str = "auto") -> AsyncIterator[Client]:
        async with Client(build_server(app), mode=mode, elicitation_callback=person) as client:
            yield client
        app.connections.close()

    return connect


def files_of(project: Path) -> dict[str, str]:
    return {name: (project / name).read_text() if (project / name).exists() else "" for name in FILES}


def words_of(host: LabHost, **more: Any) -> dict[str, Any]:
    return {"name": "web1", "address": host.address, "user": host.user, "key": str(host.key), **more}


def fingerprint_on_console(host: LabHost) -> str:
    return host.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]


def make_key(path: Path) -> tuple[str, str, str]:
    """Type, public key and fingerprint of a new key."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    listed = subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, capture_output=True, text=True)
    kind, key, *_ = path.with_suffix(".pub").read_text().split()
    return kind, key, listed.stdout.split()[1]


async def apply(client: Client, plan_id: str) -> Any:
    return await client.call_tool("apply_plan", {"plan_id": plan_id, "wait_seconds": 45})


@pytest.mark.parametrize("mode", [MODES[0], pytest.param(MODES[1], marks=pytest.mark.long)])
async def test_a_host_whose_key_a_person_confirms_is_used_at_once(
    project: Path, app: App, connect: Open, trixie_host: LabHost, mode: str
) -> None:
    before, person = files_of(project), Person(approve=True)
    fingerprint = fingerprint_on_console(trixie_host)
    async with connect(person, mode) as client:
        words = words_of(trixie_host, groups=["web", "edge"], variables={"tier": "on", "ansible_become": True})
        planned = data_of(await client.call_tool("add_host", words))
        assert (planned["status"], planned["applyable"], planned["complete"]) == ("pending", True, True)
        assert planned["approval"]["required"] is True
        assert fingerprint in planned["approval"]["reason"]
        assert files_of(project) == before

        run = data_of(await apply(client, planned["plan_id"]))
        assert (run["status"], run["as_planned"]) == ("succeeded", True), run
        [asked] = person.asked
        for part in ("the inventory of this project", planned["digest"][:16], "+    web:", "+          tier: 'on'"):
            assert part in asked.message
        assert f"{trixie_host.address} presents the key ED25519 {fingerprint}, which is not known yet" in asked.message
        public = trixie_host.run("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").stdout.strip()
        assert files_of(project)["known_hosts"] == f"{trixie_host.address} {public}\n"
        assert f"+{trixie_host.address} {public}" in asked.message

        found = data_of(await client.call_tool("run_command", {"hosts": "web:&edge", "command": "id -un"}))
        assert found["groups"][0]["stdout"] == f"{trixie_host.user}\n", found
        assert app.inventory.read("web1").hosts["web1"].variables["tier"] == "on"

        planned = data_of(await client.call_tool("remove_host", {"name": "web1"}))
        assert data_of(await apply(client, planned["plan_id"]))["as_planned"] is True
    assert app.inventory.read().hosts == {}
    summaries = [entry.summary for entry in app.store.list_history()[0] if entry.kind == "plan"]
    assert summaries == ["remove_host web1", "add_host web1"]


async def test_without_a_yes_nothing_is_written(project: Path, app: App, connect: Open, trixie_host: LabHost) -> None:
    before = files_of(project)
    with (project / "intendant.toml").open("a") as settings:
        settings.write('[policy.groups.web]\napproval = "never"\n')
    settings_of_all = (project / "intendant.toml").read_text()
    (project / "intendant.toml").write_text(settings_of_all.replace('approval = "always"', 'approval = "never"'))
    app = open_app(project)
    person = Person("decline")
    async with Client(build_server(app), elicitation_callback=person) as client:
        planned = data_of(await client.call_tool("add_host", words_of(trixie_host, groups=["web"])))
        assert planned["approval"]["channels"] == ["elicitation", "terminal", "page"]
        assert "declined" in error_of(await apply(client, planned["plan_id"]))
    async with Client(build_server(app)) as client:
        assert "not approved" in error_of(await apply(client, planned["plan_id"]))
    assert files_of(project) == before
    assert len(person.asked) == 1


async def test_a_file_that_was_edited_in_between_refuses_the_plan(
    project: Path, app: App, connect: Open, trixie_host: LabHost
) -> None:
    async with connect(Person(approve=True)) as client:
        planned = data_of(await client.call_tool("add_host", words_of(trixie_host)))
        with (project / FILES[0]).open("a") as file:
            file.write("# edited by a person\n")
        before = files_of(project)
        assert f"{FILES[0]} changed" in error_of(await apply(client, planned["plan_id"]))
    assert files_of(project) == before
    assert app.store.runs_of_plan(planned["plan_id"]) == []


async def test_a_changed_key_is_never_plannable(
    project: Path, app: App, connect: Open, trixie_host: LabHost, tmp_path: Path
) -> None:
    kind, key, old = make_key(tmp_path / "old")
    (project / "known_hosts").write_text(f"{trixie_host.address} {kind} {key}\n")
    before = files_of(project)
    async with connect(Person(approve=True)) as client:
        says = error_of(await client.call_tool("add_host", words_of(trixie_host)))
    for part in ("CHANGED", fingerprint_on_console(trixie_host), old):
        assert part in says
    assert files_of(project) == before
    assert app.store.list_history()[0] == []


async def test_the_key_that_was_shown_is_the_key_that_is_written(
    project: Path, app: App, connect: Open, fresh_host: Callable[[str], LabHost]
) -> None:
    """Between plan and approval the host gets another key. It is not fetched again, and the host is not reached."""
    host, person = fresh_host("trixie"), Person(approve=True)
    shown = host.run("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").stdout.strip()
    async with connect(person) as client:
        planned = data_of(await client.call_tool("add_host", words_of(host)))
        host.run(
            "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; "
            "systemctl --no-block restart ssh"
        )
        run = data_of(await apply(client, planned["plan_id"]))
        assert run["as_planned"] is True, run
        assert files_of(project)["known_hosts"] == f"{host.address} {shown}\n"
        found = data_of(await client.call_tool("run_command", {"hosts": "web1", "command": "id -un"}))
        assert found["groups"][0].get("stdout", "") == ""
        assert "key" in found["groups"][0]["error"]


async def test_an_entry_is_edited_and_met_anew_only_at_another_place(
    project: Path, app: App, connect: Open, trixie_host: LabHost
) -> None:
    (project / "known_hosts").write_text(trixie_host.known_hosts.read_text())
    person = Person(approve=True)
    async with connect(person) as client:
        planned = data_of(await client.call_tool("add_host", words_of(trixie_host, groups=["web"])))
        assert "knows already" in planned["approval"]["reason"]
        await apply(client, planned["plan_id"])
        edit = {"name": "web1", "groups": ["db"], "leave": ["web"], "variables": {"tier": "gold"}}
        planned = data_of(await client.call_tool("edit_host", edit))
        assert "presents" not in planned["approval"]["reason"]
        await apply(client, planned["plan_id"])
        entry = app.inventory.read("web1").hosts["web1"]
        assert (entry.groups, entry.variables["tier"], entry.address) == (("db",), "gold", trixie_host.address)

        assert "refused" in error_of(await client.call_tool("edit_host", {"name": "web1", "port": 2}))
        same = {"name": "web1", "address": trixie_host.address}
        assert "already what is asked" in error_of(await client.call_tool("edit_host", same))


async def test_what_is_said_of_other_hosts_is_not_shown(
    project: Path, app: App, connect: Open, trixie_host: LabHost
) -> None:
    (project / FILES[0]).write_text("all:\n  hosts:\n    db1:\n      ansible_host: 192.0.2.9\n      dsn: u-hunter2-x\n")
    person = Person("decline")
    async with connect(person) as client:
        planned = data_of(await client.call_tool("add_host", words_of(trixie_host)))
        await apply(client, planned["plan_id"])
        whole = data_of(await client.call_tool("get_plan", {"plan_id": planned["plan_id"], "detail": "full"}))
    assert "hunter2" not in str(planned) + str(whole) + person.asked[0].message
    assert "dsn: (not shown)" in person.asked[0].message
