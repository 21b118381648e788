"""The command line: what it prints where, and how it ends."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fidelity.cases import read_cases
from fidelity.table import read_measured
from intendant import __version__
from intendant.app import open_app
from intendant.catalog import Catalog
from intendant.cli import main
from intendant.cli.reference import render
from intendant.cli.roles import render_roles
from intendant.intents import COMMAND
from intendant.paths import shipped_roles
from intendant.runner.base import TaskResult
from intendant.words.resolving import Resolver
from support.html import Document
from unit.projects import changed, plan_note, scripted, unreachable, write_project
from unit.stored import add_approval, new_run

Predict = Callable[..., None]
NOTE = ["--intent", "note", "-p", "note_path=/srv/note", "--hosts", "web"]

#: a runner that is interrupted while it works, and tells whether it was asked to stop.
INTERRUPTED = """
import os, signal, sys, time
import intendant.app
from intendant.cli import main
from intendant.runner.base import Outcome

class Slow:
    def run(self, job, on_result, on_task, should_cancel):
        on_task(1, "Waiting")
        os.kill(os.getpid(), signal.SIGINT)
        deadline = time.monotonic() + 20
        while not should_cancel() and time.monotonic() < deadline:
            time.sleep(0.05)
        print("cancelled:", should_cancel(), file=sys.stderr)
        return Outcome(failed_hosts=frozenset(), finished=False, cancelled=True)

open_real = intendant.app.open_app
intendant.app.open_app = lambda project: open_real(project, Slow())
sys.exit(main(["plan", *sys.argv[1:]]))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch) -> Predict:
    """Sets what check mode sees on web1 and web2."""

    def set_results(*results: TaskResult) -> None:
        monkeypatch.setattr("intendant.app.open_app", scripted(*results))

    return set_results


def planned_id(text: str) -> str:
    found = re.search(r"plan-[0-9a-f]{12}", text)
    assert found is not None
    return found.group()


def test_the_reference_in_docs_is_what_help_says(repository: Path) -> None:
    assert (repository / "docs" / "cli.md").read_text() == render(), (
        "run: python -m intendant.cli.reference > docs/cli.md"
    )


def test_help_does_not_wait_for_ansible_or_the_database() -> None:
    script = "import sys, intendant.cli; print({'ansible', 'sqlalchemy', 'mcp', 'hassil'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"intendant {__version__}\n"


@pytest.mark.parametrize(
    "words", [["plan", "--no-such-option"], ["no-such-command"], ["show"], ["plan"], ["plan", "x", "--intent", "y"]]
)
def test_a_wrong_command_line_ends_with_1_and_one_message(
    words: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1


def test_without_a_project_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["hosts"]) == 1
    assert "Run 'intendant init'" in capsys.readouterr().err


def test_the_project_can_be_named(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--project", str(project), "intents"]) == 0
    monkeypatch.setenv("INTENDANT_PROJECT", str(project))
    assert main(["intents"]) == 0


def test_an_error_of_ours_shows_its_place_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def explode(_: object) -> None:
        raise KeyError("hunter2")

    monkeypatch.setattr("intendant.app.open_app", explode)
    assert main(["hosts"]) == 1
    shown = capsys.readouterr().err
    assert "hunter2" not in shown
    assert "intendant -v" in shown
    assert main(["-v", "hosts"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_hosts_are_listed_without_their_variables(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "inventory" / "host_vars").mkdir()
    (project / "inventory" / "host_vars" / "web1.yml").write_text("token: hunter2\n")
    assert main(["hosts", "web"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^web1 +web +web1 +- +local +-$", text, re.M)
    assert main(["hosts", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [host["name"] for host in listed["hosts"]] == ["web1", "web2"]
    assert "hunter2" not in text + json.dumps(listed)


def test_an_unknown_host_is_an_error_with_the_nearest_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hosts", "wbe1"]) == 1
    assert "Did you mean web1" in capsys.readouterr().err


def test_intents_are_listed_and_one_is_shown_with_its_params(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["intents"]) == 0
    assert re.search(r"^note +Write a note$", capsys.readouterr().out, re.M)
    assert main(["intents", "note"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^note_path +str +required +Where it goes\.$", shown, re.M)
    assert re.search(r'^note_text +str +"hello"', shown, re.M)
    assert re.search(r"^note_password +str +secret", shown, re.M)
    assert main(["intents", "note", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["params"]["required"] == ["note_path"]


def test_a_role_that_cannot_be_used_is_named_when_intents_are_listed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "roles/note/meta/argument_specs.yml").write_text("argument_specs: [")
    assert main(["intents"]) == 0
    shown = capsys.readouterr()
    assert not re.search("^note ", shown.out, re.M)
    assert "left out: " in shown.err
    assert "roles/note/meta/argument_specs.yml" in shown.err


def test_a_plan_shows_its_diff_on_stdout_and_its_progress_on_stderr(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed("web1"), changed("web2"))
    assert main(["plan", *NOTE]) == 0
    shown = capsys.readouterr()
    assert "web1, web2: 1 change" in shown.out
    assert "      +hello" in shown.out
    assert "\x1b" not in shown.out + shown.err
    assert "Planning on web" in shown.err
    assert "Write it" in shown.err


def test_the_detailed_exit_code_tells_changes_from_none_and_from_errors(project: Path, predict: Predict) -> None:
    predict()
    assert main(["plan", *NOTE, "--detailed-exitcode"]) == 0
    predict(changed())
    assert main(["plan", *NOTE, "--detailed-exitcode"]) == 2
    assert main(["plan", *NOTE]) == 0
    predict(changed(), unreachable("web2"))
    assert main(["plan", *NOTE, "--detailed-exitcode"]) == 1
    assert main(["plan", "--intent", "note", "--hosts", "web", "--detailed-exitcode"]) == 1
    assert main(["plan", *NOTE, "--detailed-exitcode", "--no-such-option"]) == 1


def test_a_plan_as_json_is_whole_and_has_the_tools_fields(
    project: Path, predict: Predict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "".join(f"line {number}\n" for number in range(3000))
    predict(changed(after=text))
    assert main(["plan", *NOTE, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert main(["show", result["plan_id"], "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == result
    assert result["counts"] == {"create": 1, "update": 0, "delete": 0, "run": 0}
    assert "+line 2999" in result["groups"][0]["changes"][0]["diff"]
    assert result["approval"] == {
        "required": True,
        "channels": ["elicitation", "terminal", "page"],
        "reason": result["approval"]["reason"],
    }
    assert result["next"] == f"intendant review {result['plan_id']}"
    assert {"digest", "status", "complete", "applyable", "errored", "expires_at"} <= result.keys()


def test_escape_sequences_from_a_host_never_reach_the_terminal(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed(after="\x1b]0;owned\x07\u202e\n"))
    for mode in ([], ["--json"], ["--markdown"]):
        assert main(["plan", *NOTE, *mode]) == 0
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "owned" in shown


def test_a_plan_can_be_shown_again_as_text_markdown_and_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_note(project, [changed()])
    assert main(["show", plan.id]) == 0
    assert f"intendant review {plan.id}" in capsys.readouterr().out
    assert main(["show", plan.id, "--markdown"]) == 0
    assert "```diff" in capsys.readouterr().out
    assert main(["show", plan.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == plan.digest


def test_an_unknown_id_is_neither_plan_nor_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "nope"]) == 1
    assert "no plan or run 'nope'" in capsys.readouterr().err


def test_a_plan_file_names_hosts_and_steps(project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    predict(changed("web1"), changed("web2"))
    file = project / "plan.yml"
    file.write_text("hosts: web\nsteps:\n  - intent: note\n    params: {note_path: /srv/note}\n")
    assert main(["plan", "-f", str(file)]) == 0
    assert "web1, web2" in capsys.readouterr().out
    assert main(["plan", "-f", str(file), "--hosts", "web2"]) == 0
    assert "web2: 1 change" in capsys.readouterr().out


def test_words_that_mean_one_thing_are_planned(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed("web1"))
    assert main(["plan", *"jot down the note /srv/note on web1".split()]) == 0
    shown = capsys.readouterr().out
    assert "Request: jot down the note /srv/note on web1" in shown
    assert 'Step 1: note note_path="/srv/note"' in shown
    assert "web1: 1 change" in shown
    assert main(["plan", "jot down the note /srv/note", "--hosts", "web1"]) == 0
    assert "web1: 1 change" in capsys.readouterr().out


def test_words_that_may_mean_anything_are_answered_with_a_question(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed("web1"))
    assert main(["plan", "jot down the note"]) == 1
    shown = capsys.readouterr()
    assert "note: Write a note" in shown.out
    assert "note_path" in shown.out
    assert "Nothing was planned" in shown.err
    assert main(["intents", "--search", "jot down the note", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["certain"] is False
    assert found["candidates"][0]["missing"] == ["note_path"]
    assert main(["history"]) == 0
    assert "Nothing has been planned" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hosts: web\nsteps: []\n", "steps is empty"),
        ("hosts: web\nsteps: [{intent: note}]\nhots: x\n", "hots: Extra inputs"),
        ("steps: [{intent: note}]\n", "--hosts: name the hosts"),
        ("hosts: web\nsteps: [{intent: note, params: {note_password: 2020-01-01}}]\n", "steps.0.params"),
        ("a: [", "is no YAML"),
        ("", "Expected: hosts: PATTERN"),
    ],
)
def test_a_plan_file_that_does_not_fit_is_refused_with_its_field(
    text: str, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "plan.yml").write_text(text)
    assert main(["plan", "-f", "plan.yml"]) == 1
    shown = capsys.readouterr().err
    assert message in shown
    assert "2020" not in shown


def test_a_secret_from_stdin_is_shown_and_kept_nowhere(
    project: Path, predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed())
    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2canary\n"))
    assert main(["plan", *NOTE, "-p", "note_password=-", "--json"]) == 0
    shown = capsys.readouterr()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "note_path" in (tmp_path / "project/roles/note/tasks/main.yml").read_text()
    assert "hunter2canary" not in shown.out + shown.err
    assert b"hunter2canary" not in kept
    assert planned_id(shown.out).encode() in kept


def test_a_secret_in_clear_is_refused_before_anything_is_planned(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *NOTE, "-p", "note_password=hunter2"]) == 1
    shown = capsys.readouterr().err
    assert "-p note_password=-" in shown
    assert "hunter2" not in shown
    assert main(["history"]) == 0
    assert "Nothing has been planned" in capsys.readouterr().out


def test_an_interrupted_planning_is_ended_in_order(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *NOTE], capture_output=True, text=True, check=False, cwd=project
    )
    assert done.returncode == 130, done.stderr
    assert "cancelled: True" in done.stderr
    assert "Nothing is changed by planning" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_role_reference_in_docs_is_what_the_specifications_say(repository: Path) -> None:
    docs = repository / "docs"
    pages = render_roles(docs)
    stale = [name for name, text in pages.items() if not (docs / name).exists() or (docs / name).read_text() != text]
    gone = [path.name for path in (docs / "roles").glob("*.md") if f"roles/{path.name}" not in pages]
    assert (stale, gone) == ([], []), "run: make docs"


def test_every_role_has_an_example_that_is_understood(repository: Path) -> None:
    intents = Catalog([shipped_roles()]).list()
    resolver = Resolver(intents)
    for intent in intents:
        if not intent.example:
            unspoken = intent.secret_params() or intent.name == COMMAND
            assert unspoken, f"{intent.name}: words can say it, so meta/intent.yml needs an example"
            continue
        found = resolver.resolve(intent.example, ["web1"], [])
        assert found.certain, f"{intent.name}: {intent.example}: {found.question}"
        assert [step.intent for step in found.steps] == [intent.name]


def test_the_fidelity_table_and_a_plan_show_every_role(repository: Path) -> None:
    table = (repository / "docs" / "fidelity.md").read_text(encoding="utf-8")
    for role, cases in read_cases().items():
        for one in cases.sets:
            for suite in one.suites:
                assert f"| {role} | {one.name} | {suite} |" in table, "run: make fidelity-docs"
    assert "**no**" not in table
    roles = {intent.name for intent in Catalog([shipped_roles()]).list()}
    assert roles <= read_cases().keys()
    measured = {one.role for one in read_measured(repository / "docs")} & roles
    assert {path.stem for path in (repository / "docs" / "plans").glob("*.txt")} >= measured


def test_a_plan_is_shown_as_one_html_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_note(project, [changed(after="<b>hello</b>\n")])
    assert main(["show", plan.id, "--html"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("<!doctype html>")
    document = Document(shown)
    assert plan.digest[:16] in document.text
    assert "<b>hello</b>" in document.text
    assert not document.find("form")
    assert main(["show", plan.id, "--html", "--json"]) == 1
    assert "give one of" in capsys.readouterr().err


def test_the_page_is_for_plans_and_not_for_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_note(project, [changed()])
    store = open_app(project).store
    run = new_run(plan, "run-1")
    store.start_run(run, add_approval(store, plan, "approval-1"), ["web1"])
    store.save_run(run.model_copy(update={"status": "succeeded"}))
    assert main(["show", "run-1", "--html"]) == 1
    assert "goes with a plan only" in capsys.readouterr().err
