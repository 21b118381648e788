"""`review` on a terminal of its own: only a person who read the plan approves it."""

import os
import pwd
import socket
from collections.abc import Callable
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from intendant.app import App, open_app
from intendant.cli import main
from intendant.intents import Step
from intendant.plans import Plan
from support.browser import Browser
from support.portables import plan_portable, write_file
from support.terminals import end, spawn_intendant
from unit.projects import changed, plan_note, write_project

ASKED = "yes, no, or comment: "
Spawn = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def spawn(project: Path) -> Spawn:
    """Starts intendant on a pseudo-terminal."""

    def start(*words: str, **variables: str) -> "pexpect.spawn[str]":
        return spawn_intendant(project, *words, **{"TERM": "xterm-256color", **variables})

    return start


def open_after(plan: Plan, project: Path) -> tuple[App, str]:
    app = open_app(project)
    return app, app.store.plan_status(plan.id)


def test_yes_after_the_diff_approves_this_digest_once(project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed()])
    child = spawn("review", plan.id)
    child.expect(r"\+hello")
    child.expect(ASKED)
    child.sendline("comment")
    child.expect("answer: ")
    child.sendline("for ticket 7")
    child.expect(ASKED)
    child.sendline("yes")
    code, _ = end(child)
    approval = open_app(project).approver.current(plan.id)
    assert code == 0
    assert approval is not None
    assert (approval.digest, approval.channel, approval.comment) == (plan.digest, "terminal", "for ticket 7")
    assert approval.who == f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"


def test_no_closes_the_plan(project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed()])
    child = spawn("review", plan.id)
    child.expect(ASKED)
    child.sendline("no")
    assert end(child)[0] == 1
    app, status = open_after(plan, project)
    assert status == "rejected"
    assert app.approver.current(plan.id) is None


@pytest.mark.parametrize("answer", ["", "y", "ok", "YES please"])
def test_anything_but_yes_asks_again_and_leaving_approves_nothing(answer: str, project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed()])
    child = spawn("review", plan.id)
    child.expect(ASKED)
    child.sendline(answer)
    child.expect(ASKED)
    child.sendeof() if answer else child.sendintr()
    assert end(child)[0] == 130
    app, status = open_after(plan, project)
    assert status == "pending"
    assert app.approver.current(plan.id) is None


def test_what_was_typed_before_the_question_does_not_count(project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed()])
    child = spawn("review", plan.id)
    child.send("yes\nyes\n")
    child.expect(ASKED)
    with pytest.raises(pexpect.TIMEOUT):
        child.expect("Approved", timeout=2)
    child.sendintr()
    assert end(child)[0] == 130
    assert open_app(project).approver.current(plan.id) is None


def test_a_plan_that_deletes_wants_its_hosts_typed(project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed(before="x\n", after="", state="absent")])
    assert plan.destructive
    child = spawn("review", plan.id)
    child.expect(ASKED)
    child.sendline("yes")
    child.expect(r"Type its hosts \(web\)")
    child.sendline("yes")
    child.expect("not approved")
    child.expect(ASKED)
    assert open_app(project).approver.current(plan.id) is None
    child.sendline("yes")
    child.expect(r"Type its hosts \(web\)")
    child.sendline("web")
    assert end(child)[0] == 0
    assert open_app(project).approver.current(plan.id) is not None


def test_without_a_terminal_nothing_is_approved(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_note(project, [changed()])
    with Path(os.devnull).open() as nothing, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", nothing)
        assert main(["review", plan.id]) == 1
    assert "stdin is no terminal" in capsys.readouterr().err
    assert open_app(project).approver.current(plan.id) is None


def test_what_cannot_be_approved_is_said_before_anything_is_asked(project: Path, spawn: Spawn) -> None:
    empty = plan_note(project, [])
    code, text = end(spawn("review", empty.id))
    assert code == 1
    assert "nothing to apply" in text
    assert ASKED not in text
    (project / "intendant.toml").write_text('[policy]\napproval = "never"\n')
    allowed = plan_note(project, [changed()])
    child = spawn("review", allowed.id)
    child.expect(f"intendant apply {allowed.id}")
    child.expect(ASKED)
    child.sendline("no")
    end(child)


def test_a_terminal_gets_colour_unless_the_user_wants_none(project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed(after="\x1b[35mhello\n")])
    coloured = end(spawn("show", plan.id))[1]
    assert "\x1b[32m" in coloured
    assert "\x1b[35m" not in coloured
    assert "\x1b[32m" not in end(spawn("show", plan.id, NO_COLOR="1"))[1]


def test_a_secret_is_typed_without_an_echo(project: Path, spawn: Spawn) -> None:
    child = spawn(
        "plan", "--intent", "note", "-p", f"note_path={project}/x", "-p", "note_password=-", "--hosts", "web1"
    )
    child.expect("note_password: ")
    child.waitnoecho()
    child.sendline("hunter2canary")
    code, text = end(child)
    assert code == 0
    assert "hunter2canary" not in text
    assert "1 change" in text


def test_the_file_of_a_plan_is_reviewed_where_it_is_to_be_applied(project: Path, spawn: Spawn, tmp_path: Path) -> None:
    elsewhere = write_project(tmp_path / "elsewhere")
    plan = plan_portable(elsewhere, Step(intent="note", params={"note_path": "/srv/note"}))
    file = write_file(elsewhere, plan, tmp_path / "plan.intendant")
    child = spawn("review", str(file))
    child.expect(rf"is plan {plan.id}\.")
    child.expect(r"\+hello")
    child.expect(ASKED)
    child.sendline("yes")
    code, _ = end(child)
    approval = open_app(project).approver.current(plan.id)
    assert code == 0
    assert approval is not None
    assert approval.digest == plan.digest


def test_a_page_is_served_until_it_is_answered(project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed()])
    child = spawn("review", "--web", plan.id)
    child.expect(r"(http://localhost:\d+/\S+)")
    browser = Browser(child.match[1])
    child.expect("it opens once")
    assert browser.open().status == 303
    assert browser.answer("approve", comment="seen").status == 303
    assert "This page does not follow it" in browser.show().text
    code, text = end(child)
    assert code == 0
    assert f"intendant apply {plan.id}" in text
    approval = open_app(project).approver.current(plan.id)
    assert approval is not None
    assert (approval.channel, approval.comment) == ("page", "seen")
    with pytest.raises(OSError, match="refused"):
        browser.show()


def test_a_no_on_the_page_ends_it_with_1_and_an_interrupt_leaves_the_plan(project: Path, spawn: Spawn) -> None:
    plan = plan_note(project, [changed()])
    child = spawn("review", "--web", plan.id)
    child.expect("it opens once")
    child.sendintr()
    assert end(child)[0] == 130
    assert open_after(plan, project)[1] == "pending"
    child = spawn("review", "--web", plan.id)
    child.expect(r"(http://localhost:\d+/\S+)")
    browser = Browser(child.match[1])
    browser.open()
    assert browser.answer("reject").status == 303
    assert end(child)[0] == 1
    assert open_after(plan, project)[1] == "rejected"


def test_the_address_goes_into_no_pipe(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_note(project, [changed()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin.isatty", lambda: True)
        assert main(["review", "--web", plan.id]) == 1
    shown = capsys.readouterr()
    assert "stdout is no terminal" in shown.err
    assert "http" not in shown.out + shown.err
