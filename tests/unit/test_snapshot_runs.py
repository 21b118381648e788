"""What ansible-playbook runs is the snapshot and nothing beside it, on the hosts of the job alone."""

from pathlib import Path

import pytest

from intendant.config import load_config
from intendant.errors import EngineError, NotFoundError, ProjectError
from intendant.inventory import Inventory
from intendant.runner.ansible import AnsibleRunner
from intendant.runner.base import Job, TaskResult
from intendant.secrets import SecretBox
from intendant.snapshot import collect_roles, copy_sources, fingerprint_sources, write_playbook
from intendant.store import Store
from support.projects import Project
from unit.projects import write_project

PLUGINS = ("plugins/library", "more/library", "collections/ansible_collections/own/tools/plugins")
SAY = "- name: Say\n  ansible.builtin.debug: {msg: from the %s}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Its ansible.cfg names the project's own roles folder, as many do."""
    project = Project(write_project(tmp_path / "project", 'state_dir = "state"\n'))
    project.write("roles/voice/tasks/main.yml", SAY % "project")
    return project


def run_roles(project: Project, snapshot: Path, hosts: tuple[str, ...] = ("web1",)) -> list[TaskResult]:
    config = load_config(project.directory)
    Store(config.state_dir)
    results: list[TaskResult] = []
    runner = AnsibleRunner(config, SecretBox(config.state_dir).key_file)
    runner.run(Job(snapshot, hosts, check=True), results.append, lambda *_: None, lambda: False)
    return [result for result in results if result.task == "Say"]


def make_snapshot(project: Project, role: str = "voice") -> Path:
    config = load_config(project.directory)
    snapshot = project.directory.parent / "snapshot"
    snapshot.mkdir()
    copy_sources(config, {role: project.directory / "roles" / role}, snapshot)
    write_playbook(snapshot, [(role, {})], Inventory(config).read("web").hosts)
    return snapshot


def test_the_snapshots_role_runs_and_not_the_projects(project: Project) -> None:
    snapshot = make_snapshot(project)
    project.write("roles/voice/tasks/main.yml", SAY % "intruder")
    assert [result.message for result in run_roles(project, snapshot)] == ["from the project"]
    (snapshot / "roles/voice/tasks/main.yml").write_text(SAY % "snapshot")
    assert [result.message for result in run_roles(project, snapshot)] == ["from the snapshot"]


def test_a_role_that_is_not_in_the_snapshot_is_not_found_in_the_project(project: Project) -> None:
    snapshot = make_snapshot(project)
    (snapshot / "roles").rename(snapshot / "elsewhere")
    with pytest.raises(EngineError, match="role 'voice' was not found"):
        run_roles(project, snapshot)


def test_only_the_hosts_of_the_job_are_touched(project: Project) -> None:
    snapshot = make_snapshot(project)
    assert [result.host for result in run_roles(project, snapshot, ("web2",))] == ["web2"]


@pytest.mark.parametrize(
    "task",
    [
        "- ansible.builtin.include_role:\n    name: voice\n",
        "- import_role: {name: voice, tasks_from: main}\n",
        "- include_role: {role: voice}\n",
        "- include_role: name=voice tasks_from=main\n",
        "- block:\n    - include_role: {name: voice}\n",
        "- block: []\n  rescue:\n    - block: []\n      always:\n        - include_role: {name: voice}\n",
    ],
)
@pytest.mark.parametrize("file", ["tasks/main.yml", "tasks/deep/more.yaml", "handlers/main.yml"])
def test_every_way_to_include_a_role_is_a_dependency(task: str, file: str, project: Project) -> None:
    project.write(f"roles/choir/{file}", task)
    config = load_config(project.directory)
    assert set(collect_roles(config, {"choir": project.directory / "roles/choir"})) == {"choir", "voice"}


@pytest.mark.parametrize("task", ["- include_role: {name: '{{ which }}'}\n", "- include_role: name={{which}}\n"])
def test_a_role_that_is_named_by_a_template_cannot_be_bound(task: str, project: Project) -> None:
    project.write("roles/choir/tasks/main.yml", task)
    with pytest.raises(ProjectError, match="Name the role literally"):
        collect_roles(load_config(project.directory), {"choir": project.directory / "roles/choir"})


def test_a_missing_dependency_is_named(project: Project) -> None:
    project.write("roles/choir/meta/main.yml", "dependencies: [{role: tenor}]\n")
    with pytest.raises(NotFoundError, match=r"no role 'tenor'.*Role choir needs it"):
        collect_roles(load_config(project.directory), {"choir": project.directory / "roles/choir"})


@pytest.mark.parametrize(
    "place", ["plugins/library", "more/library", "collections/ansible_collections/own/tools/plugins"]
)
def test_each_configured_or_unpacked_plugin_is_fingerprinted(place: str, project: Project) -> None:
    settings = "[defaults]\ninventory = inventory\nlibrary = plugins/library:more/library\n"
    project.write("ansible.cfg", settings)
    for folder in PLUGINS:
        project.write(f"{folder}/same.py", "one\n")
    before = fingerprint_sources(load_config(project.directory), {})
    project.write(f"{place}/same.py", "two\n")
    after = fingerprint_sources(load_config(project.directory), {})
    [moved] = [name for name in before if before[name] != after[name]]
    assert moved.replace("collection own.tools", "collections/ansible_collections/own/tools") == f"{place}/same.py"


def test_an_installed_collection_is_known_by_its_manifest(project: Project) -> None:
    folder = "collections/ansible_collections/own/tools"
    project.write(f"{folder}/MANIFEST.json", "{}")
    before = fingerprint_sources(load_config(project.directory), {})
    project.write(f"{folder}/MANIFEST.json", '{"version": "2"}')
    after = fingerprint_sources(load_config(project.directory), {})
    assert [name for name in before if before[name] != after[name]] == ["collection own.tools/MANIFEST.json"]
