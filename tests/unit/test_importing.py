"""A plan from another machine: taken in as it is, or refused with what differs."""

import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from intendant.app import App, open_app
from intendant.approving import Approver
from intendant.errors import ApprovalNeeded, InputError, IntendantError, PolicyError, StaleError, UsedError
from intendant.executing import Executor
from intendant.importing import Importer
from intendant.intents import Step
from intendant.planning import snapshot_dir
from intendant.plans import Plan
from intendant.portable import PortablePlan, pack, read_portable, unpack
from intendant.runner.fake import FakeRunner
from intendant.secrets import SecretBox
from support.portables import BOTH, SETTINGS, forge, plan_portable, write_file
from support.settings import no_settings
from unit.projects import changed, write_project

PASSWORD = b"of-the-vault"


def prepare(folder: Path) -> Path:
    """The project with plain and vaulted variables."""
    write_project(folder, SETTINGS)
    (folder / "inventory/group_vars/web").mkdir(parents=True)
    (folder / "inventory/group_vars/web/plain.yml").write_text("note_word: word\nnote_colour: red\n")
    set_vaulted(folder, "smtp_login: sesame\n")
    (folder / "vault.password").write_bytes(PASSWORD)
    with (folder / "ansible.cfg").open("a") as file:
        file.write("vault_password_file = vault.password\n")
    return folder


def set_vaulted(folder: Path, text: str) -> None:
    cipher = VaultLib().encrypt(text, VaultSecret(PASSWORD))
    (folder / "inventory/group_vars/web/vault.yml").write_bytes(cipher)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan, bytes]:
    """A project, its plan and the plan's file."""
    with no_settings():
        folder = prepare(tmp_path_factory.mktemp("a") / "project")
        plan = plan_portable(folder, expires_seconds=7200)
        data = write_file(folder, plan, folder.parent / "plan.intendant").read_bytes()
    return folder, plan, data


@pytest.fixture
def checkout(origin: tuple[Path, Plan, bytes], tmp_path: Path) -> Path:
    """The same project at another place, with a state folder of its own."""
    return shutil.copytree(origin[0], tmp_path / "elsewhere" / "checkout", ignore=shutil.ignore_patterns("state"))


@pytest.fixture
def file(origin: tuple[Path, Plan, bytes]) -> PortablePlan:
    return unpack(origin[2])


def executor(app: App, runner: FakeRunner, now: Callable[[], datetime]) -> Executor:
    box = SecretBox(app.config.state_dir)
    return Executor(
        app.config,
        app.catalog,
        app.inventory,
        app.store,
        Approver(app.store, now, app.keys),
        runner,
        box,
        now,
        app.editor,
    )


def test_a_passkey_is_wanted_where_the_plan_is_applied(file: PortablePlan, checkout: Path) -> None:
    (checkout / "intendant.toml").write_text(f'{SETTINGS}approval_strength = "passkey"\n')
    assert open_app(checkout).importer.import_plan(file).approval_channels == ("passkey",)


def test_a_plan_is_taken_in_once_and_waits_for_this_sides_approval(file: PortablePlan, checkout: Path) -> None:
    (checkout / "intendant.toml").write_text(f'{SETTINGS}approval = "destructive"\n')
    app = open_app(checkout)
    plan = app.importer.import_plan(file)
    assert plan.digest == file.plan.digest == plan.compute_digest()
    assert (app.store.plan_status(plan.id), plan.approval_channels) == ("pending", ())
    assert "delete nothing" in plan.approval_reason
    assert app.importer.import_plan(file) == plan
    assert [entry.id for entry in app.store.list_history()[0]] == [plan.id]
    kept = snapshot_dir(app.config, plan.id)
    assert (kept / "playbook.yml").read_bytes() == file.files["playbook.yml"][0]
    assert [path.name for path in kept.parent.iterdir()] == [plan.id]


def test_it_is_applied_as_it_is_after_another_look_and_only_once(file: PortablePlan, checkout: Path) -> None:
    app = open_app(checkout)
    plan = app.importer.import_plan(file)
    runner = FakeRunner(BOTH)
    doing = executor(app, runner, lambda: plan.created_at)
    with pytest.raises(ApprovalNeeded):
        doing.start(plan.id, "run-0")
    app.approver.record(plan.id, plan.digest, who="ann", channel="terminal")
    run = doing.execute(doing.start(plan.id, "run-1"))
    assert (run.status, run.as_planned) == ("succeeded", True)
    assert [job.check for job in runner.jobs] == [True, False]
    app.importer.import_plan(file)
    with pytest.raises(UsedError):
        doing.start(plan.id, "run-2")


def test_a_prediction_that_the_hosts_do_not_confirm_is_not_applied(file: PortablePlan, checkout: Path) -> None:
    app = open_app(checkout)
    harmless = [host.model_copy(update={"changes": host.changes[:1]}) for host in file.plan.hosts]
    told = [change.model_copy(update={"after": "harmless\n"}) for change in harmless[0].changes]
    lie = forge(file, hosts=(harmless[0].model_copy(update={"changes": tuple(told)}), *harmless[1:]))
    plan = app.importer.import_plan(unpack(pack(lie)))
    app.approver.record(plan.id, plan.digest, who="ann", channel="terminal")
    runner = FakeRunner(BOTH)
    doing = executor(app, runner, lambda: plan.created_at)
    run = doing.execute(doing.start(plan.id, "run-1"))
    assert run.status == "failed"
    assert "web1 has changed since: Write it" in run.message
    assert [job.check for job in runner.jobs] == [True]


FORGED = {
    "a role": {"roles/note/tasks/main.yml": b"- ansible.builtin.command: evil\n"},
    "a module": {"library/copy.py": b"evil\n"},
    "the playbook": {"playbook.yml": b"[]\n"},
    "the params": {"params.json": b'{"intendant_steps": [{"note_path": "{{ lookup(\'pipe\', \'id\') }}"}]}'},
    "variables beside the playbook": {"group_vars/all.yml": b"note_text: evil\n"},
}


@pytest.mark.parametrize("what", FORGED)
def test_somebody_who_makes_a_whole_file_cannot_bring_code_along(what: str, file: PortablePlan, checkout: Path) -> None:
    app = open_app(checkout)
    [name] = FORGED[what]
    with pytest.raises(StaleError, match=f"{name} in it is not what this project makes"):
        app.importer.import_plan(unpack(pack(forge(file, FORGED[what]))))
    assert not list((app.config.state_dir / "plans").iterdir())
    assert app.store.list_history()[0] == []


def append(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text((folder / name).read_text() + text)


def add_host(folder: Path) -> None:
    path = folder / "inventory/hosts.yml"
    path.write_text(path.read_text().replace("web2: {}", "web2: {}, web3: {}"))


MOVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a role": (append("roles/note/tasks/main.yml", "# more\n"), "roles/note/tasks/main.yml changed"),
    "a variable": (
        append("inventory/group_vars/web/plain.yml", "note_colour: blue\n"),
        "variable note_colour of web1 changed; variable note_colour of web2 changed",
    ),
    "a secret": (lambda folder: set_vaulted(folder, "smtp_login: open\n"), "another value, which may be a secret"),
    "a host": (add_host, "host web3 now matches too"),
    "a setting": (append("ansible.cfg", "forks = 3\n"), "ansible.cfg changed"),
    "the environment": (lambda _: os.environ.update(ANSIBLE_FORKS="3"), "setting ANSIBLE_FORKS of the environment"),
    "the role is gone": (lambda folder: shutil.rmtree(folder / "roles/note"), "no intent 'note'"),
}


@pytest.mark.parametrize("what", MOVES)
def test_where_the_project_is_another_the_plan_is_stale(
    what: str, file: PortablePlan, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_FORKS", "")  # so that it is put back
    monkeypatch.delenv("ANSIBLE_FORKS")
    move, reason = MOVES[what]
    move(checkout)
    with pytest.raises(StaleError) as refused:
        open_app(checkout).importer.import_plan(file)
    assert reason in str(refused.value)
    assert not any(secret in str(refused.value) for secret in ("sesame", "open"))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ('allowed_intents = ["packages"]\nfrom_var = ["*"]', "does not allow 'note'"),
        ("from_var = []", "note_word"),
        ('max_hosts = 1\nfrom_var = ["*"]', "allows 1"),
    ],
)
def test_the_policy_of_this_side_holds(policy: str, message: str, file: PortablePlan, checkout: Path) -> None:
    (checkout / "intendant.toml").write_text(f'state_dir = "state"\n[policy]\n{policy}\n')
    with pytest.raises(PolicyError, match=message):
        open_app(checkout).importer.import_plan(file)


@pytest.mark.parametrize(
    ("moment", "expires", "error", "message"),
    [
        (timedelta(hours=3), None, StaleError, "it expired at"),
        (-timedelta(hours=1), None, InputError, "made in the future"),
        (timedelta(0), timedelta(days=400), InputError, "lasts longer than the 86400 seconds"),
    ],
)
def test_time_is_judged_by_this_side(
    moment: timedelta,
    expires: timedelta | None,
    error: type[IntendantError],
    message: str,
    file: PortablePlan,
    checkout: Path,
) -> None:
    app = open_app(checkout)
    plan = file.plan
    if expires:
        file = forge(file, expires_at=plan.created_at + expires)
    box = SecretBox(app.config.state_dir)
    importer = Importer(
        app.config, app.catalog, app.inventory, app.store, box, lambda: plan.created_at + moment, lambda _: None
    )
    with pytest.raises(error, match=message):
        importer.import_plan(file)


def test_a_plan_cannot_be_put_in_place_of_another(file: PortablePlan, checkout: Path) -> None:
    app = open_app(checkout)
    app.importer.import_plan(file)
    with pytest.raises(InputError, match="Another plan has the id"):
        app.importer.import_plan(forge(file, request="something else"))


def test_the_lifetime_is_bounded_by_a_setting(origin: tuple[Path, Plan, bytes], checkout: Path) -> None:
    plan = origin[1]
    assert plan.expires_at - plan.created_at == timedelta(seconds=7200)
    with pytest.raises(InputError, match="a plan lasts 1 to 86400 seconds"):
        plan_portable(checkout, expires_seconds=86401)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"note_path": "/x", "note_password": "hunter2"}, "note_password"),
        ({"note_path": "/x", "note_text": "password = hunter2"}, "note_text"),
    ],
)
def test_a_literal_secret_does_not_leave_the_machine(params: dict[str, object], name: str, checkout: Path) -> None:
    with pytest.raises(InputError, match=f"{name} holds a literal secret") as refused:
        plan_portable(checkout, Step.model_validate({"intent": "note", "params": params}))
    assert "hunter2" not in str(refused.value)
    assert not (checkout / "state" / "plans").exists()


def test_no_value_of_a_variable_is_in_the_file(origin: tuple[Path, Plan, bytes], tmp_path: Path) -> None:
    plan = origin[1]
    assert plan.bindings.variables["web1"]["smtp_login"] == ""
    assert len(plan.bindings.variables["web1"]["note_colour"]) == 2
    (tmp_path / "plan.intendant").write_bytes(origin[2])
    content = b"".join(content for content, _ in read_portable(tmp_path / "plan.intendant").files.values())
    assert b"sesame" not in content + plan.model_dump_json().encode()


def test_a_plan_that_is_not_portable_keeps_its_digest_and_looks_again_only_when_it_is_old(checkout: Path) -> None:
    app = open_app(checkout, FakeRunner([changed("web1"), changed("web2")]))
    plan = app.planner.plan_changes("web", [Step(intent="note", params={"note_path": "/srv/note"})])
    assert not plan.portable
    assert plan.digest == plan.compute_digest()
    app.approver.record(plan.id, plan.digest, who="ann", channel="terminal")
    runner = FakeRunner(BOTH)
    doing = executor(app, runner, lambda: plan.created_at)
    assert doing.execute(doing.start(plan.id, "run-1")).status == "succeeded"
    assert [job.check for job in runner.jobs] == [False]


def test_an_edit_of_the_inventory_does_not_travel(file: PortablePlan, checkout: Path) -> None:
    with pytest.raises(InputError, match="edits an inventory"):
        open_app(checkout).importer.import_plan(forge(file, kind="inventory"))
