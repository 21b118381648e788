"""Our reports and the pipelines of docs/ci against the schemas of those who read them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from intendant.plans import BlindSpot, HostPlan, Plan
from intendant.runs import HostRun
from intendant.views import junit, sarif
from unit.samples import make_change, make_deviation, make_plan, make_run, three_kinds

pytestmark = pytest.mark.outside

#: one pattern of the schema is none that ECMAScript knows.
SARIF = ("check-jsonschema", "--regex-variant", "python", "--schemafile")
ODD = "\x00\x1b]0;x\x07 ]]> <x> & \ufffe \u202e \ud800"


def odd_plan(text: str) -> Plan:
    change = make_change("delete", text, task=text, before=f"{text}\n", after="")
    return make_plan(HostPlan(host=text, changes=(change,), blind_spots=(BlindSpot(step=1, task=text, reason=text),)))


REPORTS: dict[str, Callable[[Any], str]] = {
    "three kinds": lambda form: form.render_plan(three_kinds()),
    "nothing": lambda form: form.render_plan(make_plan(HostPlan(host="web1"))),
    "no host": lambda form: form.render_plan(make_plan()),
    "odd text": lambda form: form.render_plan(odd_plan(ODD)),
    "a run": lambda form: form.render_run(
        make_run(
            HostRun(host="web1", status="changed", changes=(make_change(),)),
            HostRun(host="web2", status="failed", failed_task="Write it", message=ODD),
            HostRun(host="web3", status="skipped"),
            status="partial",
            deviations=(make_deviation(),),
        )
    ),
}


@pytest.fixture(scope="session")
def schemas(repository: Path) -> Path:
    folder = repository / ".cache" / "schemas"
    if not folder.is_dir():
        pytest.fail("the schemas are not there; run `make formats`", pytrace=False)
    return folder


def check(*words: str | Path) -> None:
    program = Path(sys.executable).with_name(str(words[0]))
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def find(folder: Path, name: str) -> Path:
    [found] = folder.rglob(name)
    return found


@pytest.mark.parametrize("what", REPORTS)
def test_junit(what: str, schemas: Path, tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORTS[what](junit), encoding="utf-8")
    check("xmlschema-validate", "--schema", find(schemas, "jenkins-junit.xsd"), tmp_path / "report.xml")


@pytest.mark.parametrize("what", REPORTS)
def test_sarif(what: str, schemas: Path, tmp_path: Path) -> None:
    (tmp_path / "report.sarif").write_text(REPORTS[what](sarif), encoding="utf-8")
    check(*SARIF, find(schemas, "sarif-2.1.0-rtm.5.json"), tmp_path / "report.sarif")


@pytest.mark.parametrize(
    ("schema", "name"), [("vendor.github-workflows", "github-actions.yml"), ("vendor.gitlab-ci", "gitlab-ci.yml")]
)
def test_pipelines(schema: str, name: str, repository: Path) -> None:
    check("check-jsonschema", "--builtin-schema", schema, repository / "docs" / "ci" / name)


def test_the_checks_find_something(schemas: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.xml").write_text("<testsuites><testsuite/></testsuites>")
    (tmp_path / "bad.json").write_text('{"version": "2.1.0", "runs": [{"results": 1}]}')
    with pytest.raises(AssertionError, match="is not valid"):
        check("xmlschema-validate", "--schema", find(schemas, "jenkins-junit.xsd"), tmp_path / "bad.xml")
    with pytest.raises(AssertionError, match="Schema validation errors"):
        check(*SARIF, find(schemas, "sarif-2.1.0-rtm.5.json"), tmp_path / "bad.json")
