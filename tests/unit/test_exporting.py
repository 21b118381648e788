"""What of a history is exported, in which order, and what is said of the rest."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from intendant.app import App, open_app
from intendant.cli.requests import read_plan_files
from intendant.errors import InputError, NotFoundError
from intendant.intents import Step
from intendant.inventory import Inventory, InventoryView
from intendant.playsteps import PlaybookLoader
from unit.histories import Given, History
from unit.projects import write_project

CURL = ("packages", {"packages_names": ["curl"]})
JQ = ("packages", {"packages_names": ["jq"]})
MOTD = ("file", {"file_path": "/etc/motd", "file_content": "{{ motd }} is 'literal'\n"})


@pytest.fixture(scope="module")
def views() -> dict[str, InventoryView]:
    return {}


@pytest.fixture
def app(tmp_path: Path, views: dict[str, InventoryView], monkeypatch: pytest.MonkeyPatch) -> App:
    read = Inventory.read

    def read_once(self: Inventory, pattern: str = "all") -> InventoryView:
        if pattern not in views:
            views[pattern] = read(self, pattern)
        return views[pattern]

    monkeypatch.setattr(Inventory, "read", read_once)
    return open_app(write_project(tmp_path / "project"))


@pytest.fixture
def history(app: App) -> History:
    return History(app.store)


def plays_of(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.load(text, PlaybookLoader)
    return found


def tasks_of(text: str) -> list[tuple[object, str, dict[str, Any]]]:
    return [
        (play["hosts"], task["ansible.builtin.include_role"]["name"], task["vars"])
        for play in plays_of(text)
        for task in play["tasks"]
    ]


def test_a_host_gets_its_runs_in_order_each_with_the_words_the_plan_and_the_time(app: App, history: History) -> None:
    history.apply("install curl on web1", CURL)
    history.apply("write the motd", MOTD, JQ)
    text = app.exporter.export(hosts="web1").text
    assert tasks_of(text) == [("web1", *CURL), ("web1", *MOTD), ("web1", *JQ)]
    assert [len(play["tasks"]) for play in plays_of(text)] == [1, 2]
    assert (
        "# Asked: install curl on web1\n"
        "# Plan plan-000000000001 of 2026-03-01 12:01:00 UTC\n"
        "# Applied by run-000000000001 of 2026-03-01 12:01:00 UTC, as planned\n"
        "- name: Install, upgrade or remove packages\n"
    ) in text
    assert "- name: Write, copy or delete a file, folder or link (/etc/motd), and 1 more\n" in text


def test_the_same_history_gives_the_same_bytes(app: App, history: History, tmp_path: Path) -> None:
    history.apply("one", CURL, MOTD, hosts=("web2", "web1"), pattern="web")
    history.apply("two", JQ, status="failed")
    history.apply("three", ("user", {"user_name": "ann", "user_password": "(sensitive)"}))
    first = app.exporter.export(hosts="web")
    assert open_app(tmp_path / "project").exporter.export(hosts="web") == first


def test_a_group_is_named_where_all_of_it_has_a_step_and_hosts_where_not(app: App, history: History) -> None:
    history.apply("one", CURL, hosts=("web1", "web2"), pattern="web")
    history.apply("two", JQ, hosts=("web2",))
    history.apply("three", ("timezone", {"timezone_name": "UTC"}), hosts=("web1", "web2"), pattern="web")
    history.apply("four", ("timezone", {"timezone_name": "Europe/Vienna"}), hosts=("web1",))
    assert tasks_of(app.exporter.export(hosts="web").text) == [
        ("web", *CURL),
        ("web2", *JQ),
        ("web1", "timezone", {"timezone_name": "Europe/Vienna"}),
        ("web2", "timezone", {"timezone_name": "UTC"}),
    ]
    assert [hosts for hosts, _, _ in tasks_of(app.exporter.export(hosts="web2").text)] == ["web2"] * 3


def test_what_was_taken_back_ends_in_its_final_state(app: App, history: History) -> None:
    history.apply("install", ("packages", {"packages_names": ["curl", "jq"]}))
    history.apply("remove", ("packages", {"packages_names": ["jq"], "packages_state": "absent"}))
    assert tasks_of(app.exporter.export(hosts="web1").text) == [
        ("web1", *CURL),
        ("web1", "packages", {"packages_names": ["jq"], "packages_state": "absent"}),
    ]


def test_hosts_that_a_run_failed_on_are_left_out_and_named(app: App, history: History) -> None:
    history.apply("one", CURL, hosts=("web1", "web2"), status="partial", failed=("web2",))
    history.apply("two", JQ, status="failed")
    history.apply("three", MOTD, status="cancelled")
    found = app.exporter.export(hosts="web")
    assert tasks_of(found.text) == [("web1", *CURL)]
    assert found.left_out == (
        "run-000000000001 (partial) on web2: one",
        "run-000000000002 (failed) on web1: two",
        "run-000000000003 (cancelled) on web1: three",
    )
    assert "# Left out:\n#   run-000000000001 (partial) on web2: one\n" in found.text


def test_plans_are_exported_before_they_are_applied_and_in_full(app: App, history: History) -> None:
    history.apply("one", CURL, hosts=("web1", "web2"), pattern="web")
    history.plan("two", MOTD, ("command", {"command_line": "date"}))
    text = app.exporter.export(plans=["plan-000000000002", "plan-000000000001", "plan-000000000001"]).text
    assert tasks_of(text) == [("web", *CURL), ("web1", *MOTD), ("web1", "command", {"command_line": "date"})]
    assert "# Plan plan-000000000002 of 2026-03-01 12:02:00 UTC, not applied\n" in text


def test_runs_are_exported_for_the_hosts_they_succeeded_on(app: App, history: History) -> None:
    history.apply("one", CURL, hosts=("web1", "web2"), pattern="web", status="partial", failed=("web2",))
    found = app.exporter.export(runs=["run-000000000001"])
    assert tasks_of(found.text) == [("web1", *CURL)]
    assert found.left_out == ("web2 of run-000000000001, where it did not succeed",)
    history.apply("two", JQ, status="failed")
    with pytest.raises(InputError, match="run-000000000002 is failed, and its plan plan-000000000002 holds on no host"):
        app.exporter.export(runs=["run-000000000001", "run-000000000002"])
    assert "# run-000000000002 of 2026-03-01 12:02:00 UTC did not succeed: failed\n" in (
        app.exporter.export(plans=["plan-000000000002"]).text
    )


def test_what_acts_every_time_is_there_and_runs_only_when_asked_for(app: App, history: History) -> None:
    history.apply("restart", ("service", {"service_name": "nginx", "service_state": "restarted"}))
    history.apply("run it", ("command", {"command_line": "systemctl reset-failed"}))
    text = app.exporter.export(hosts="web1").text
    assert [task["tags"] for play in plays_of(text) for task in play["tasks"]] == [["never", "once"]] * 2
    assert text.count("# Task 1 acts every time anew (not idempotent), so only with --tags all,once\n") == 2
    assert "# On a new host run it with --tags all,once" in text


def test_secrets_are_variables_that_the_file_lists(app: App, history: History) -> None:
    history.apply("ann", ("user", {"user_name": "ann", "user_password": "(sensitive)"}))
    history.apply("bob", ("user", {"user_name": "bob", "user_password": {"from_var": "bobs_password"}}))
    history.apply("conf", ("file", {"file_path": "/etc/a.b", "file_content": "password=(sensitive)\nx=1\n"}))
    history.apply(
        "shop",
        ("postgresql", {"postgresql_users": [{"name": "shop", "password": "(sensitive)"}, {"name": "other"}]}),
        ("app_service", {"app_service_name": "shop", "app_service_command": "/srv/shop",
                         "app_service_secrets": {"API_KEY": "(sensitive)"}}),
    )  # fmt: skip
    history.apply(
        "more",
        ("file", {"file_path": "/etc/key", "file_content": "hidden-1", "file_sensitive": True}),
        ("config_line", {"config_line_path": "/etc/x", "config_line_line": "hidden-2", "config_line_sensitive": True}),
    )
    found = app.exporter.export(hosts="web1")
    assert "hidden" not in found.text
    assert found.secrets == (
        "vault_user_password_ann",
        "vault_file_content_etc_a_b",
        "vault_postgresql_users_shop_password",
        "vault_app_service_secrets_shop_api_key",
        "vault_file_content_etc_key",
        "vault_config_line_line_etc_x",
    )
    assert "user_password: '{{ vault_user_password_ann }}'\n" in found.text
    assert "user_password: '{{ bobs_password }}'\n" in found.text
    assert "#   vault_user_password_ann: user_password of plan-000000000001\n" in found.text
    assert "# Variables that the inventory or a vault has to have: bobs_password.\n" in found.text
    assert "(sensitive)" not in found.text


def test_files_are_named_as_they_have_to_lie_beside_the_playbook(app: App, history: History) -> None:
    inside = app.config.uploads / "web" / "motd.txt"
    history.apply("one", ("file", {"file_path": "/etc/motd", "file_source": "web/motd.txt"}))
    history.apply("two", ("file", {"file_path": "/etc/other", "file_source": str(inside)}))
    history.apply("three", ("file", {"file_path": "/etc/odd", "file_source": "{{ x }}"}))
    found = app.exporter.export(hosts="web1")
    assert [vars_["file_source"] for _, _, vars_ in tasks_of(found.text)] == [
        "{{ playbook_dir }}/files/web/motd.txt"
    ] * 2
    assert "# Files that have to lie in files/ beside this file" in found.text
    assert "#   web/motd.txt\n" in found.text
    assert found.left_out == (
        "file of plan-000000000003: file_source: the name '{{ x }}' would be a template in a playbook; rename the file",
    )


def test_a_role_that_is_gone_is_left_out_and_named(app: App, history: History) -> None:
    history.apply("one", ("note", {"note_path": "/srv/note"}))
    history.apply("two", CURL)
    shutil.rmtree(app.config.project_dir / "roles" / "note")
    found = app.exporter.export(hosts="web1")
    assert tasks_of(found.text) == [("web1", *CURL)]
    assert found.left_out[0].startswith("note of plan-000000000001: There is no intent 'note'.")


def test_edits_of_the_inventory_are_not_exported(app: App, history: History) -> None:
    history.apply("add", ("add_host", {"name": "web3"}), kind="inventory")
    history.apply("one", CURL)
    found = app.exporter.export(hosts="web1")
    assert tasks_of(found.text) == [("web1", *CURL)]
    assert found.left_out == ("plan-000000000001, an edit of the inventory: the inventory's own file is its record",)
    with pytest.raises(InputError, match="plan-000000000001 edits the inventory"):
        app.exporter.export(plans=["plan-000000000001"])


def test_the_words_of_a_request_stay_a_comment(app: App, history: History) -> None:
    history.apply("write {{ x }}\n- hosts: all\n\u202e\x1b[2J" + "x" * 500, MOTD)
    text = app.exporter.export(hosts="web1").text
    assert "# Asked: write {{ x }} - hosts: all \\u202e\\x1b[2Jxxx" in text
    assert "x…\n" in text
    assert len(plays_of(text)) == 1


@pytest.mark.parametrize(
    "asked", [{}, {"hosts": " "}, {"plans": ["a"], "runs": ["b"]}, {"plans": ["a"], "hosts": "web"}]
)
def test_exactly_one_of_plans_runs_and_hosts_is_given(app: App, asked: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="Give exactly one of plans"):
        app.exporter.export(**asked)


def test_what_is_not_there_is_said(app: App, history: History) -> None:
    with pytest.raises(NotFoundError, match="There is no plan 'plan-x'"):
        app.exporter.export(plans=["plan-x"])
    with pytest.raises(NotFoundError, match="There is no run 'run-x'"):
        app.exporter.export(runs=["run-x"])
    with pytest.raises(NotFoundError, match="There is no host or group 'nowhere'"):
        app.exporter.export(hosts="nowhere")
    with pytest.raises(InputError, match="Nothing to export of everything that was applied to web1"):
        app.exporter.export(hosts="web1")
    history.apply("boom", CURL, status="failed")
    with pytest.raises(InputError, match=r"Left out: run-000000000001 \(failed\) on web1: boom"):
        app.exporter.export(hosts="web1")


def test_a_plan_file_that_was_exported_asks_for_the_same_steps(app: App, history: History, tmp_path: Path) -> None:
    given: list[Given] = [
        CURL,
        MOTD,
        ("user", {"user_name": "ann", "user_groups": ["adm"], "user_password": {"from_var": "vault_ann"}}),
        ("file", {"file_path": "/etc/x", "file_source": "x.txt", "file_mode": "0644"}),
        ("firewall", {"firewall_allow": [{"port": "80", "protocol": "tcp"}], "firewall_exclusive": True}),
        ("command", {"command_line": "echo {{ x }} | cat", "command_sudo": True}),
    ]
    history.plan("all of it", *given, hosts=("web1", "web2"), pattern="web,!web3")
    file = tmp_path / "exported.yml"
    file.write_text(app.exporter.export(plans=["plan-000000000001"]).text, encoding="utf-8")
    [asked] = read_plan_files([file], "")
    assert asked.hosts == "web,!web3"
    assert list(asked.steps) == [Step(intent=name, params=dict(params)) for name, params in given]


def test_ansible_lint_and_ansible_find_nothing_wrong(
    app: App, history: History, repository: Path, tmp_path: Path
) -> None:
    key = (
        "ssh-ed25519 "
        + "A" * 68
        + " ann@example.org, with a comment that makes the line longer than any line should be"
    )
    history.apply("install {{ curl }}", CURL, hosts=("web1", "web2"), pattern="web")
    history.apply(
        "a user", ("user", {"user_name": "ann", "user_authorized_keys": [key], "user_password": "(sensitive)"})
    )
    odd = ["{{x}}", "{% raw %}", "{{ a|b }}", "a\n\n\n\n\nb\n", "yes", "\u202e", "trail \n"]
    files = [("file", {"file_path": f"/etc/{number}", "file_content": text}) for number, text in enumerate(odd)]
    history.apply("files", MOTD, *files)
    history.apply("note", ("note", {"note_path": "/srv/{{ note }}", "note_text": "3.10"}))
    history.apply("restart", ("service", {"service_name": "ssh", "service_state": "restarted"}))
    path = app.config.project_dir / "exported.yml"
    path.write_text(app.exporter.export(hosts="web1").text, encoding="utf-8")
    (app.config.project_dir / "ansible.cfg").write_text(f"[defaults]\nroles_path = roles:{repository / 'roles'}\n")
    environment = {**os.environ, "NO_COLOR": "1"}
    linted = subprocess.run(
        ["ansible-lint", "--offline", "--strict", "--profile", "production", "--parseable",
         "--config-file", repository / ".ansible-lint", path.name],
        cwd=path.parent, capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout
    config = tmp_path / "yamllint.yml"
    config.write_text("extends: default\n")
    yamllint = ["yamllint", "--strict", "-c", str(config), path.name]
    assert subprocess.run(yamllint, cwd=path.parent, capture_output=True, text=True, check=False).stdout == ""
