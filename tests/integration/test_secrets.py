"""A secret reaches the host and nothing else: no file of ours, no result, no log, no process list, no diff."""

import io
import json
import logging
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner.runner
import anyio
import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from intendant.plans import SENSITIVE
from intendant.redaction import MASK
from lab.hosts import LabHost
from mcp_server.harness import data_of, error_of, open_client
from support.projects import Project, apply, make_project, only_plan, only_run, plan
from support.watching import HostWatcher, Watcher, find_in_files, wait_a_moment, written_forms

SETTINGS = '[policy]\napproval = "never"\nfrom_var = ["vault_*"]\n'
# Put together here, so that no search for committed keys stops at it.
KEY_KIND = "OPENSSH PRIVATE" + " KEY"
KEY_TEXT = f"-----BEGIN {KEY_KIND}-----\n{{0}}\n{{0}}\n-----END {KEY_KIND}-----\n"


def make_canary(name: str) -> str:
    """A secret that can be found: not to be guessed, and written differently in JSON, shell and addresses."""
    return f'{name} {secrets.token_hex(8)} "quoted" & ü'


@dataclass
class Scene:
    """What was done with four secrets through the MCP server, and all that could be seen of it."""

    host: LabHost
    project: Project
    literal: str = field(default_factory=lambda: make_canary("literal"))
    inline: str = field(default_factory=lambda: make_canary("inline"))
    in_file: str = field(default_factory=lambda: make_canary("in-file"))
    wrong: str = field(default_factory=lambda: make_canary("wrong"))
    key_to_the_vault: str = field(default_factory=lambda: secrets.token_hex(16))
    results: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    planned: dict[str, Any] = field(default_factory=dict)
    again: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    logs: str = ""
    left_in_memory: list[str] = field(default_factory=list)
    watched: Watcher | None = None
    watched_host: HostWatcher | None = None

    @property
    def secrets(self) -> list[str]:
        return [self.literal, self.inline, self.in_file, self.wrong, self.key_to_the_vault]

    def steps(self) -> list[dict[str, Any]]:
        token = {"file_path": "/etc/app/token", "file_content": {"from_var": "vault_app_token"}, "file_mode": "0600"}
        return [
            {"intent": "user", "params": {"user_name": "alice", "user_password": self.literal}},
            {"intent": "user", "params": {"user_name": "bob", "user_password": {"from_var": "vault_bob_password"}}},
            {"intent": "file", "params": token},
        ]


def write_vault(project: Project, key: str, inline: dict[str, str], in_file: dict[str, str]) -> None:
    """Variables of host web1, each encrypted by itself, and of group web, in a file that is encrypted as a whole."""
    project.write("ansible.cfg", "[defaults]\ninventory = inventory\nvault_password_file = vault-key\n")
    project.write("vault-key", key).chmod(0o600)
    vault = VaultLib([("default", VaultSecret(key.encode()))])
    lines = []
    for name, value in inline.items():
        cipher = vault.encrypt(value.encode()).decode().replace("\n", "\n  ").rstrip()
        lines.append(f"{name}: !vault |\n  {cipher}\n")
    project.write("inventory/host_vars/web1.yml", "".join(lines))
    project.write("inventory/group_vars/web.yml", vault.encrypt(json.dumps(in_file).encode()).decode())


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def scene(
    trixie_host: LabHost, tmp_path_factory: pytest.TempPathFactory, monkeypatch_module: pytest.MonkeyPatch
) -> Scene:
    folder = tmp_path_factory.mktemp("secrets")
    hosts = {"web1": trixie_host.inventory_vars()}
    found = Scene(trixie_host, make_project(folder / "project", hosts, settings=SETTINGS, groups={"web": ["web1"]}))
    write_vault(
        found.project,
        found.key_to_the_vault,
        {"vault_bob_password": found.inline},
        {"vault_app_token": found.in_file, "other_secret": found.in_file},
    )
    log = logging.StreamHandler(stream := io.StringIO())
    logging.getLogger().addHandler(log)
    # A place of our own in memory: others may be running too.
    memory = tmp_path_factory.mktemp("memory")
    places = [found.project.state, memory, Path("/dev/shm"), Path.home() / ".ansible", Path("/tmp/ansible*")]
    try:
        monkeypatch_module.setenv("XDG_RUNTIME_DIR", str(memory))
        with (
            Watcher(found.secrets, places) as found.watched,
            HostWatcher(trixie_host, found.secrets) as found.watched_host,
        ):
            anyio.run(play, found)
    finally:
        logging.getLogger().removeHandler(log)
    found.logs = stream.getvalue()
    found.left_in_memory = sorted(path.name for path in memory.iterdir())
    return found


async def play(scene: Scene) -> None:
    """Plan, look, apply, look and plan again, and make the mistakes that people make with secrets."""
    async with open_client(scene.project.open(), "auto") as client:

        async def call(tool: str, **arguments: Any) -> Any:
            result = await client.call_tool(tool, arguments)
            scene.results.append(result.model_dump_json())
            return result

        await call("list_hosts", facts=True)
        scene.planned = data_of(await call("plan_changes", hosts="web1", steps=scene.steps()))
        plan_id = scene.planned["plan_id"]
        await call("get_plan", plan_id=plan_id, detail="full")
        await call("get_plan", plan_id=plan_id, host="web1")
        run_id = data_of(await call("apply_plan", plan_id=plan_id, wait_seconds=5))["run_id"]
        while scene.run.get("status") in (None, "queued", "running"):
            scene.run = data_of(await call("get_run", run_id=run_id, wait_seconds=30))
        scene.again = data_of(await call("plan_changes", hosts="web1", steps=scene.steps()))
        await call("list_history")
        for uri in (f"plan://{plan_id}", f"run://{run_id}", "inventory://hosts"):
            scene.results.append((await client.read_resource(uri)).model_dump_json())
        for params in (
            {"user_name": "carol", "user_password": [scene.wrong]},
            {"user_name": "carol", "user_password": scene.wrong, "user_pasword": scene.wrong},
            {"user_name": "carol", "user_password": {"from_var": "other_secret"}},
            {"user_name": "carol", "user_password": {"from_var": "vault_x", "default": scene.wrong}},
            {"user_name": "carol", "user_password": scene.wrong, "user_uid": "many"},
        ):
            refused = await call("plan_changes", hosts="web1", steps=[{"intent": "user", "params": params}])
            scene.errors.append(error_of(refused))
        broken = {"user_name": "carol", "user_password": f"{scene.wrong}\n{scene.wrong}"}
        in_plan = data_of(await call("plan_changes", hosts="web1", steps=[{"intent": "user", "params": broken}]))
        scene.errors.append(in_plan["groups"][0]["error"])


def test_the_secrets_arrive_on_the_host(scene: Scene) -> None:
    assert (scene.run["status"], scene.run["as_planned"]) == ("succeeded", True)
    assert password_fits(scene.host, "alice", scene.literal)
    assert password_fits(scene.host, "bob", scene.inline)
    assert not password_fits(scene.host, "bob", scene.literal)
    assert scene.host.run("cat /etc/app/token").stdout == scene.in_file


def test_a_second_plan_knows_that_the_secrets_are_there(scene: Scene) -> None:
    assert scene.again["groups"][0]["changes"] == []
    assert scene.again["complete"] is True


def test_no_result_of_a_tool_or_resource_holds_a_secret(scene: Scene) -> None:
    assert len(scene.results) >= 12
    assert "vault_bob_password" in "".join(scene.results)  # what is shown in place of the value
    for result in [*scene.results, *scene.errors]:
        assert not [form for secret in scene.secrets for form in written_forms(secret) if form in result.encode()], (
            result
        )


def test_errors_about_secrets_name_the_param_and_not_the_value(scene: Scene) -> None:
    assert len(scene.errors) == 6
    assert all("user_password" in error or "user_pasword" in error or "user_uid" in error for error in scene.errors)


def test_the_diffs_say_that_something_secret_changes(scene: Scene) -> None:
    changes = scene.planned["groups"][0]["changes"]
    passwords = [change for change in changes if change["task"] == "Set the password"]
    assert [change["diff"] for change in passwords] == [SENSITIVE, SENSITIVE]
    [token] = [change for change in changes if change["target"] == "/etc/app/token"]
    assert MASK in token["diff"]
    assert "mode: 0600" in token["diff"]


def test_no_file_of_the_state_folder_holds_a_secret(scene: Scene) -> None:
    names = {path.suffix for path in scene.project.state.rglob("*")}
    assert {".db", ".json", ".yml"} <= names or {".sqlite", ".json", ".yml"} <= names, names
    assert find_in_files([scene.project.state], scene.secrets) == []


def test_no_log_holds_a_secret_here_or_on_the_host(scene: Scene) -> None:
    assert not [form for secret in scene.secrets for form in written_forms(secret) if form in scene.logs.encode()]
    journal = scene.host.run(
        "journalctl --no-pager --output=cat --output-fields=MESSAGE; cat /var/log/*.log 2>/dev/null || true"
    ).stdout
    assert "session opened for user" in journal
    forms = [form.decode() for secret in scene.secrets for form in written_forms(secret)]
    assert [line[:1000] for line in journal.splitlines() if any(form in line for form in forms)] == []


def test_no_process_and_no_file_held_a_secret_at_any_moment(scene: Scene) -> None:
    assert scene.watched is not None
    assert scene.watched.rounds > 50
    assert scene.watched.files > 50
    assert scene.watched.hits == set()


def test_no_process_and_no_temporary_file_on_the_host_held_a_secret(scene: Scene) -> None:
    assert scene.watched_host is not None
    assert scene.watched_host.rounds > 50
    assert scene.watched_host.hits == []


def test_nothing_is_left_in_memory_or_beside_the_state(scene: Scene) -> None:
    assert scene.left_in_memory == []
    own = [path for path in scene.project.directory.iterdir() if path.name not in ("vault-key", "inventory")]
    assert find_in_files([path for path in own if path.is_dir()], scene.secrets) == []


def test_the_watchers_see_what_is_there_to_be_seen(trixie_host: LabHost, tmp_path: Path) -> None:
    """The control: a secret in a process or a file is found, here and on the host."""
    canary = make_canary("seen")
    script = "import sys, time; time.sleep(2)"
    with Watcher([canary], [tmp_path / "made-later"]) as here, HostWatcher(trixie_host, [canary]) as there:
        wait_a_moment()
        process = subprocess.Popen([sys.executable, "-c", script, canary])
        (tmp_path / "made-later").mkdir()
        (tmp_path / "made-later" / "file").write_text(json.dumps({"k": canary}))
        trixie_host.run(
            f"cat > /root/canary <<'END'\n{canary}\nEND\npython3 -c '{script}' \"$(cat /root/canary)\"; rm /root/canary"
        )
        process.wait()
    assert {hit.split(":")[0] for hit in here.hits} >= {
        f"/proc/{process.pid}/cmdline",
        str(tmp_path / "made-later/file"),
    }
    assert [hit for hit in there.hits if "time.sleep" in hit]


def test_nothing_that_ansible_hands_over_to_us_holds_a_secret(
    trixie_host: LabHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events pass through files that live for a moment: here each one is looked at before it goes."""
    canary, seen = make_canary("event"), list[bytes]()
    read_event = ansible_runner.runner.Runner.event_callback

    def spy(runner: Any, event: dict[str, Any]) -> Any:
        partial = Path(runner.config.artifact_dir, "job_events", f"{event.get('uuid')}-partial.json")
        seen.append(json.dumps(event).encode() + (partial.read_bytes() if partial.exists() else b""))
        return read_event(runner, event)

    monkeypatch.setattr(ansible_runner.runner.Runner, "event_callback", spy)
    project = vaulted_project(trixie_host, tmp_path, {"vault_event": canary})
    planned = plan(
        project.open(), "web1", ("file", {"file_path": "/srv/event", "file_content": {"from_var": "vault_event"}})
    )
    assert MASK in only_plan(planned).changes[0].diff
    assert len(seen) > 20
    assert any(b"runner_on_ok" in event and b"/srv/event" in event for event in seen)
    assert not [event for event in seen if any(form in event for form in written_forms(canary))]


LEAKY = """\
- name: Say it
  ansible.builtin.command: {argv: [sh, -c, 'echo "no such token: $0" >&2; exit 1', "{{ leak_value }}"]}
  changed_when: true
- name: Write it
  ansible.builtin.copy: {content: "token: {{ leak_value }}\\n", dest: /srv/leak, mode: "0600"}
"""


def test_what_a_module_says_of_a_vaulted_value_is_masked(trixie_host: LabHost, tmp_path: Path) -> None:
    canary = make_canary("leak")
    project = vaulted_project(trixie_host, tmp_path, {"vault_leak": canary})
    project.write_role("leak", LEAKY, {"leak_value": {"type": "str", "required": True}})
    app = project.open()
    planned = plan(app, "web1", ("leak", {"leak_value": {"from_var": "vault_leak"}}))
    [write] = only_plan(planned).changes
    assert write.after == f"token: {MASK}\n"
    assert write.sensitive
    run = apply(app, planned.id)
    assert only_run(run).failed_task == "Say it"
    assert f"no such token: {MASK}" in only_run(run).message
    assert find_in_files([project.state], [canary]) == []


def test_a_secret_too_short_to_be_masked_withholds_the_text_that_holds_it(trixie_host: LabHost, tmp_path: Path) -> None:
    project = vaulted_project(trixie_host, tmp_path, {"vault_pin": "q7"})
    content = {"file_path": "/srv/pin", "file_content": {"from_var": "vault_pin"}}
    planned = plan(project.open(), "web1", ("file", content))
    [change] = only_plan(planned).changes
    assert change.sensitive
    assert "q7" not in change.model_dump_json()
    assert f"+{MASK}" in change.diff.splitlines()


def test_a_private_key_that_nobody_declared_secret_is_masked_and_arrives(trixie_host: LabHost, tmp_path: Path) -> None:
    text = KEY_TEXT.format(secrets.token_hex(24))
    body = text.splitlines()[1]
    project = vaulted_project(trixie_host, tmp_path, {})
    app = project.open()
    content = f"# a comment that may be read\n{text}"
    planned = plan(app, "web1", ("file", {"file_path": "/srv/key.pem", "file_content": content, "file_mode": "0600"}))
    [change] = only_plan(planned).changes
    assert change.sensitive
    assert "a comment that may be read" in change.diff
    assert body not in planned.model_dump_json()
    run = apply(app, planned.id)
    assert run.as_planned is True
    assert body not in run.model_dump_json()
    assert trixie_host.run("cat /srv/key.pem").stdout == content
    assert find_in_files([project.state], [body]) == []


def test_a_password_that_looks_like_a_template_arrives_as_it_is(trixie_host: LabHost, tmp_path: Path) -> None:
    password = "{{ lookup('pipe', 'echo " + secrets.token_hex(8) + "') }}"
    app = vaulted_project(trixie_host, tmp_path, {}).open()
    run = apply(app, plan(app, "web1", ("user", {"user_name": "dora", "user_password": password})).id)
    assert run.as_planned is True
    assert password_fits(trixie_host, "dora", password)


def vaulted_project(host: LabHost, folder: Path, inline: dict[str, str]) -> Project:
    project = make_project(folder / "project", {"web1": host.inventory_vars()}, settings=SETTINGS)
    write_vault(project, secrets.token_hex(16), inline, {})
    return project


def password_fits(host: LabHost, name: str, password: str) -> bool:
    """Whether the password is that of the user, by the host's own crypt()."""
    script = f"""
    my $hash = (getpwnam("{name}"))[1];
    print crypt(pack("H*", "{password.encode().hex()}"), $hash) eq $hash ? "fits" : "does not fit";
    """
    return host.run(f"perl <<'END'\n{script}\nEND").stdout == "fits"
