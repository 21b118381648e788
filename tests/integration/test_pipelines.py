"""The pipelines of docs/ci, run as a runner would, on a lab host: plan in one checkout, apply from another."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lab.hosts import LabHost
from support.checkouts import check_out, git, make_other_python, make_repository
from support.pipelines import Pipeline, Runner, read_sarif

#: each runs Ansible a dozen times.
pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]
NOTE = "/var/tmp/pipeline-note"
NOBODY = 65534
POLICY = '[policy]\napproval = "never"\n'
STEPS = [
    {"intent": "file", "params": {"file_path": NOTE, "file_content": "from the pipeline\n"}},
    {"intent": "file", "params": {"file_path": f"{NOTE}-old", "file_state": "absent"}},
]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that another user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="pipeline-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def host(trixie_host: LabHost) -> Iterator[LabHost]:
    trixie_host.run(f"echo old > {NOTE}-old")
    yield trixie_host
    trixie_host.run(f"rm -f {NOTE}*")


def variables(host: LabHost) -> dict[str, Any]:
    """As in a repository: without a path of this machine."""
    own = {name: value for name, value in host.inventory_vars().items() if "key" not in name}
    options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o IdentitiesOnly=yes"
    return {**own, "ansible_ssh_common_args": options, "ansible_become": True}


def environment(place: Path, name: str, programs: Path | None = None) -> dict[str, str]:
    """What a runner starts with: a home and a state folder of its own."""
    home = place / f"home-{name}"
    home.mkdir(exist_ok=True)
    path = [str(programs or Path(sys.executable).parent), os.environ["PATH"]]
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join(path),
        "INTENDANT_STATE_DIR": str(home / "state"),
        "LANG": "C.UTF-8",
    }


def on_host(host: LabHost) -> str:
    return host.run(f"cat {NOTE} {NOTE}-old 2>/dev/null || true").stdout


def expect_comment(pipeline: Pipeline, host: LabHost) -> None:
    comment = (pipeline.record / "comment.md").read_text()
    assert comment.startswith("## Plan: 1 to create, 0 to update, 1 to delete, 0 to run on 1 host.")
    assert f"- **delete** `{NOTE}-old`" in comment
    assert "+from the pipeline" in comment
    [report] = pipeline.artefact.glob("*.xml")
    assert ElementTree.parse(report).getroot().find("testsuite[@name='web1'][@tests='2']") is not None
    assert on_host(host) == "old\n"


def test_github(place: Path, host: LabHost, repository: Path) -> None:
    origin = make_repository(place / "base", variables(host), STEPS, POLICY)
    values = {
        "github.server_url": "https://ci.example",
        "github.repository": "o/r",
        "github.run_id": "7",
        "github.token": "t",
        "github.event.pull_request.number": "12",
    }
    pipeline = Pipeline(repository / "docs/ci/github-actions.yml", place, values)
    first = Runner(check_out(origin, place / "a", host.key), environment(place, "a"))
    assert pipeline.run_github_job("plan", first) == 0
    assert pipeline.outputs == {"changes": "true"}
    expect_comment(pipeline, host)
    assert (pipeline.record / "comment.md").read_text().endswith("<https://ci.example/o/r/actions/runs/7>\n")
    assert "gh pr comment 12" in (pipeline.record / "calls").read_text()
    [findings] = pipeline.artefact.glob("*.sarif")
    assert read_sarif(findings) == ["delete"]

    second = Runner(check_out(origin, place / "b", host.key), environment(place, "b"))
    assert pipeline.run_github_job("apply", second) == 0
    assert on_host(host) == "from the pipeline\n"

    shutil.rmtree(pipeline.artefact)
    pipeline.outputs.clear()
    third = Runner(check_out(origin, place / "c", host.key), environment(place, "c"))
    assert pipeline.run_github_job("plan", third) == 0
    assert pipeline.outputs == {}

    unreachable = {**variables(host), "ansible_port": 1}
    broken = make_repository(place / "broken", unreachable, STEPS, POLICY)
    shutil.rmtree(pipeline.artefact)
    fourth = Runner(check_out(broken, place / "d", host.key), environment(place, "d"))
    assert pipeline.run_github_job("plan", fourth) == 1
    assert "Cannot be planned and will not be touched" in (pipeline.record / "comment.md").read_text()


def test_gitlab_and_another_user_with_another_python(place: Path, host: LabHost, repository: Path) -> None:
    programs = make_other_python(place / "other")
    user = NOBODY if os.getuid() == 0 else None
    if programs is None or not _can_run(programs, user):
        pytest.skip("there is no other Python of this minor version that another user can run")
    origin = make_repository(place / "base", variables(host), STEPS, POLICY)
    pipeline = Pipeline(repository / "docs/ci/gitlab-ci.yml", place, {})
    given: Mapping[str, str] = {
        "CI_JOB_URL": "https://ci.example/9", "CI_API_V4_URL": "https://ci.example/api", "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "3", "COMMENT_TOKEN": "t",
    }  # fmt: skip
    first = Runner(check_out(origin, place / "a", host.key), environment(place, "a"))
    assert pipeline.run_gitlab_job("plan", first, given) == 0
    expect_comment(pipeline, host)
    assert (
        "body@plans/comment.md https://ci.example/api/projects/1/merge_requests/3/notes"
        in (pipeline.record / "calls").read_text()
    )

    own = environment(place, "b", programs)
    if user is not None:
        os.chown(own["HOME"], user, user)
    checkout = check_out(origin, place / "elsewhere", host.key, user)
    policy = place / "policy"
    policy.write_text(POLICY)
    second = Runner(checkout, own, user)
    [kept] = pipeline.artefact.glob("*.intendant")
    kept.chmod(0o644)
    assert pipeline.run_gitlab_job("apply", second, {"INTENDANT_POLICY_FILE": str(policy)}) == 0
    assert on_host(host) == "from the pipeline\n"
    plan_id = re.search("plan-[0-9a-f]{12}", kept.name)
    assert plan_id is not None
    # What was applied is known to this runner's state folder.
    again = second.run(
        f"intendant apply plans/{kept.name}", {"INTENDANT_POLICY_FILE": str(policy), "PATH": own["PATH"]}
    )
    assert again == 1


def test_a_plan_is_not_applied_from_a_checkout_of_something_else(place: Path, host: LabHost, repository: Path) -> None:
    origin = make_repository(place / "base", variables(host), STEPS, POLICY)
    pipeline = Pipeline(repository / "docs/ci/gitlab-ci.yml", place, {})
    first = Runner(check_out(origin, place / "a", host.key), environment(place, "a"))
    given = dict.fromkeys(
        ("CI_JOB_URL", "CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID", "COMMENT_TOKEN"), "x"
    )
    assert pipeline.run_gitlab_job("plan", first, given) == 0
    (origin / "inventory" / "group_vars").mkdir()
    (origin / "inventory" / "group_vars" / "web.yml").write_text("colour: red\n")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "moved")
    second = Runner(check_out(origin, place / "b", host.key), environment(place, "b"))
    assert pipeline.run_gitlab_job("apply", second, {"INTENDANT_POLICY_FILE": "pipeline.toml"}) == 1
    assert on_host(host) == "old\n"


def _can_run(programs: Path, user: int | None) -> bool:
    words = [str(programs / "intendant"), "--version"]
    return (
        subprocess.run(words, user=user, group=user, extra_groups=[], check=False, capture_output=True).returncode == 0
    )
