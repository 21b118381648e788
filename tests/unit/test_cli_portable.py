"""Plans as files, several documents, and the forms that pipelines read, on the command line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]
import pytest

from intendant.app import open_app
from intendant.cli import main
from intendant.cli.schemas import render_schemas
from intendant.plans import Plan
from intendant.portable import read_portable
from intendant.runner.base import TaskResult
from support.portables import reseal
from unit.projects import changed, scripted, unreachable, write_project

Predict = Callable[..., None]
NOTE = ["--intent", "note", "-p", "note_path=/srv/note", "--hosts", "web"]
DOCUMENT = "hosts: {hosts}\nsteps: [{{intent: note, params: {{note_path: /srv/note}}}}]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch) -> Predict:
    def set_results(*results: TaskResult) -> None:
        monkeypatch.setattr("intendant.app.open_app", scripted(*results))

    return set_results


def test_a_plan_is_written_to_a_file_that_is_shown_with_and_without_a_project(
    project: Path, predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed(before="gone\n", after="", state="absent"))
    file = tmp_path / "plan.intendant"
    assert main(["plan", *NOTE, "--out", str(file), "--expires", "86400"]) == 0
    assert f"is written to {file}" in capsys.readouterr().err
    plan = read_portable(file).plan
    assert (plan.expires_at - plan.created_at).total_seconds() == 86400
    monkeypatch.chdir(tmp_path)
    for folder in (project, tmp_path):
        monkeypatch.chdir(folder)
        assert main(["show", str(file)]) == 0
        assert f"Plan {plan.id} (pending)" in capsys.readouterr().out
    assert main(["show", str(file), "--format", "markdown", "--max-bytes", "5000", "--link", "https://ci.example"]) == 0
    assert capsys.readouterr().out.endswith("All of it: <https://ci.example>\n")
    assert main(["show", str(file), "--format", "junit"]) == 0
    assert ElementTree.fromstring(capsys.readouterr().out.encode()).get("name") == f"intendant {plan.id}"
    assert main(["show", str(file), "--format", "sarif"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["ruleId"] == "delete"
    file.write_bytes(reseal(file.read_bytes().replace(b"snapshot/playbook.yml", b"snapshot/playbook.yaml", 1)))
    assert main(["show", str(file)]) == 1
    assert "was altered" in capsys.readouterr().err


def test_what_is_shown_as_json_fits_its_schema(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed(), unreachable("web2"))
    assert main(["plan", *NOTE, "--json", "--out", "plan.intendant"]) == 1
    shown = json.loads(capsys.readouterr().out)
    schemas = {name: json.loads(text) for name, text in render_schemas().items()}
    jsonschema.validate(shown, schemas["plan.schema.json"])
    assert shown["format_version"] == 1
    assert shown["steps"] == [{"intent": "note", "params": {"note_path": "/srv/note"}}]
    plan = read_portable(Path("plan.intendant")).plan
    jsonschema.validate(plan.model_dump(mode="json"), schemas["plan-file.schema.json"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**shown, "steps": "none"}, schemas["plan.schema.json"])


def test_the_schemas_in_docs_are_those_of_the_code(repository: Path) -> None:
    for name, text in render_schemas().items():
        assert (repository / "docs" / name).read_text(encoding="utf-8") == text, "run: make docs"


def test_a_plan_that_was_kept_by_version_1_still_loads(repository: Path) -> None:
    kept = (repository / "tests/unit/data/plan-1.json").read_text(encoding="utf-8")
    plan = Plan.model_validate_json(kept)
    assert plan.digest == plan.compute_digest()
    assert not plan.portable
    portable = read_portable(repository / "tests/unit/data/portable-1.intendant").plan
    assert portable.digest == portable.compute_digest()
    assert portable.portable


def test_forms_that_do_not_go_together_are_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "plan-1", "--json", "--markdown"]) == 1
    assert main(["show", "plan-1", "--format", "json", "--max-bytes", "100"]) == 1
    assert main(["show", "plan-1", "--format", "pdf"]) == 1
    assert main(["show", "nowhere.intendant"]) == 1
    shown = capsys.readouterr().err
    for text in ("give one of them", "go with --format markdown", "'junit'", "No such file"):
        assert text in shown


def write_documents(project: Path) -> None:
    (project / "intendant.d").mkdir()
    first = DOCUMENT.format(hosts="web1") + "---\n" + DOCUMENT.format(hosts="web2")
    (project / "intendant.d/1-first.yml").write_text(first)
    listed = [{"hosts": "web1", "steps": [{"intent": "note", "params": {"note_path": "/srv/last"}}]}]
    (project / "intendant.d/2-second.yaml").write_text(json.dumps(listed))
    (project / "intendant.d/notes.txt").write_text("not for us")


def test_several_documents_are_several_plans_in_order(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    write_documents(project)
    predict(changed("web2"))
    assert main(["plan", "-f", "intendant.d", "--detailed-exitcode", "--json"]) == 2
    plans = json.loads(capsys.readouterr().out)
    assert [plan["hosts"] for plan in plans] == ["web1", "web2", "web1"]
    assert [plan["applyable"] for plan in plans] == [False, True, False]
    predict()
    assert main(["plan", "-f", "intendant.d", "--detailed-exitcode"]) == 0
    predict(unreachable("web2"))
    assert main(["plan", "-f", "intendant.d/1-first.yml", "-f", "intendant.d", "--detailed-exitcode"]) == 1


def test_several_plans_are_written_to_a_folder_only(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    write_documents(project)
    predict(changed())
    assert main(["plan", "-f", "intendant.d", "--out", "plans"]) == 1
    assert "Name a folder for their files: --out plans/" in capsys.readouterr().err
    assert main(["plan", "-f", "intendant.d", "--out", "plans/"]) == 0
    names = sorted(path.name for path in Path("plans").iterdir())
    assert [re.sub("[0-9a-f]{12}", "…", name) for name in names] == [
        f"{number}-plan-….intendant" for number in (1, 2, 3)
    ]
    assert [read_portable(Path("plans") / name).plan.pattern for name in names] == ["web1", "web2", "web1"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.yml", f"{DOCUMENT.format(hosts='web1')}---\nhosts: web\n", "x.yml, document 2: steps"),
        ("x.yml", "[]\n", "is empty"),
        ("x.yml", "[1]\n", "Expected: hosts"),
        ("x.yml", "hosts: web1\nsteps: [{intent: nothing}]\n", "x.yml: There is no intent 'nothing'"),
        ("x.txt", "", "holds no *.yml file"),
    ],
)
def test_a_document_that_does_not_fit_is_named(
    name: str, text: str, message: str, project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed())
    (project / "intendant.d").mkdir()
    (project / "intendant.d" / name).write_text(text)
    assert main(["plan", "-f", "intendant.d"]) == 1
    assert message in capsys.readouterr().err


def test_files_are_applied_only_as_far_as_the_policy_asks_nobody(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    write_documents(project)
    assert main(["apply", "-f", "intendant.d"]) == 1
    assert "together with --auto-approve-policy" in capsys.readouterr().err
    predict()
    assert main(["apply", "-f", "intendant.d", "--auto-approve-policy"]) == 0
    assert capsys.readouterr().out.count("Nothing to change on 1 host.") == 3
    predict(changed("web2"))
    assert main(["apply", "-f", "intendant.d", "--auto-approve-policy"]) == 3
    shown = capsys.readouterr().err
    assert re.search(r"1-first.yml, document 2: needs a person: the policy .* Not looked at: 1 more\. ", shown)
    assert re.search(r"Read and approve it: intendant review plan-[0-9a-f]{12}", shown)
    assert open_app(project).store.active_runs() == []
    predict(unreachable("web1"))
    assert main(["apply", "-f", "intendant.d", "--auto-approve-policy"]) == 1
    assert "could not be planned" in capsys.readouterr().err


def test_a_plan_without_changes_is_applied_by_doing_nothing(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict()
    assert main(["plan", *NOTE, "--out", "plan.intendant"]) == 0
    assert main(["apply", "plan.intendant"]) == 0
    assert "nothing to change, so nothing was done" in capsys.readouterr().err


def test_an_imported_plan_waits_for_a_person_of_this_project(
    project: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed())
    assert main(["plan", *NOTE, "--out", "plan.intendant"]) == 0
    assert main(["apply", "plan.intendant"]) == 1
    assert re.search(r"not approved: .* 'intendant review plan-[0-9a-f]{12}'", capsys.readouterr().err)


def test_another_policy_can_hold_where_a_pipeline_applies(
    project: Path, predict: Predict, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(changed())
    monkeypatch.setenv("INTENDANT_POLICY_FILE", "pipeline.toml")
    (project / "pipeline.toml").write_text('[policy]\napproval = "never"\n')
    assert main(["plan", *NOTE]) == 0
    assert "Approved by policy" in capsys.readouterr().out
    for text, message in (
        ("x = 1\n", "a [policy] table and nothing else"),
        ("[policy]\napproval = 1\n", "pipeline.toml"),
    ):
        (project / "pipeline.toml").write_text(text)
        assert main(["plan", *NOTE]) == 1
        assert message in capsys.readouterr().err
    (project / "pipeline.toml").unlink()
    assert main(["plan", *NOTE]) == 1
    assert "No such file" in capsys.readouterr().err
