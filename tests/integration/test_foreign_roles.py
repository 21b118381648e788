"""Roles that were not written for Intendant: listed, described, planned and applied on a real host, as they come."""

from pathlib import Path

import pytest

from integration.conftest import ProjectOf
from intendant.app import App
from intendant.cli import main
from intendant.errors import NotFoundError
from intendant.runs import Run
from lab.hosts import LabHost
from support.projects import Project, apply, only_plan, plan

#: A collection with a role that uses a module, a template and a role of the same collection.
COLLECTION = {
    "galaxy.yml": "namespace: acme\nname: tools\nversion: 1.2.3\nreadme: README.md\nauthors: [Acme]\n",
    "plugins/modules/label.py": """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

def main():
    module = AnsibleModule({"path": {"type": "str"}, "label": {"type": "str"}}, supports_check_mode=True)
    try:
        before = open(module.params["path"]).read()
    except FileNotFoundError:
        before = ""
    after = module.params["label"]
    if before != after and not module.check_mode:
        open(module.params["path"], "w").write(after)
    header = f"label {module.params['path']}"
    diff = {"before": before, "after": after, "before_header": header, "after_header": header}
    module.exit_json(changed=before != after, diff=diff)

main()
""",
    "roles/x/meta/argument_specs.yml": """
argument_specs:
  main:
    short_description: Write a note
    options:
      x_text: {type: str, required: true, description: What it says.}
      x_path: {type: path, default: /srv/note, description: Where it lies.}
      x_pin: {type: str, no_log: true, description: A secret in it.}
  erase:
    short_description: Erase the note
    options: {}
""",
    "roles/x/defaults/main.yml": "x_path: /srv/note\nx_pin: ''\n",
    "roles/x/templates/note.j2": "{{ x_text }} {{ x_pin }}\n",
    "roles/x/handlers/main.yml": """
- name: label it
  acme.tools.label: {path: "{{ x_path }}.label", label: noted}
""",
    "roles/x/tasks/main.yml": """
- name: Prepare
  ansible.builtin.include_role: {name: acme.tools.folder}
- name: Write
  ansible.builtin.template: {src: note.j2, dest: "{{ x_path }}", mode: "0600"}
  no_log: true
  notify: label it
""",
    "roles/x/tasks/erase.yml": "- ansible.builtin.file: {path: '{{ x_path }}', state: absent}\n",
    "roles/folder/tasks/main.yml": "- ansible.builtin.file: {path: /srv/acme, state: directory, mode: '0755'}\n",
}

#: A role of the early days: short module names, vars, a dependency with params, a handler, no specification.
OLD_ROLE = {
    "greeting/meta/main.yml": "dependencies:\n  - {role: basics, basics_folder: '{{ greeting_folder }}'}\n",
    "greeting/vars/main.yml": "greeting_folder: /etc/greeting\n",
    "greeting/tasks/main.yml": """
- template: src=greeting.j2 dest={{ greeting_folder }}/text mode=0644
  notify:
    - count it
""",
    "greeting/templates/greeting.j2": "Hello {{ greeting_name }}{{ greeting_mark | default('.') }}\n",
    "greeting/handlers/main.yml": "- name: count it\n  copy: content=1 dest={{ greeting_folder }}/count mode=0644\n",
    "basics/tasks/main.yml": "- file: path={{ basics_folder }} state=directory mode=0755\n",
}


@pytest.fixture
def project(project_of: ProjectOf, trixie_host: LabHost, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = project_of({"web1": trixie_host})
    made.write("ansible.cfg", "[defaults]\ninventory = inventory\ntimeout = 60\n")
    for path, text in COLLECTION.items():
        made.write(f"collections/ansible_collections/acme/tools/{path}", text)
    for path, text in OLD_ROLE.items():
        made.write(f"roles/{path}", text)
    monkeypatch.chdir(made.directory)
    return made


def change(app: App, intent: str, params: dict[str, object]) -> Run:
    """Plan, apply as planned, and find nothing left to do."""
    planned = plan(app, "web1", (intent, params))
    assert planned.complete, [spot.reason for spot in only_plan(planned).blind_spots]
    run = apply(app, planned.id)
    assert (run.status, run.deviations) == ("succeeded", ())
    assert only_plan(plan(app, "web1", (intent, params))).changes == ()
    return run


def test_a_role_of_a_collection_is_listed_and_described(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["intents"]) == 0
    assert "acme.tools.x" in capsys.readouterr().out
    assert main(["intents", "acme.tools.x"]) == 0
    described = capsys.readouterr().out
    assert "Write a note" in described
    assert "x_text" in described
    assert main(["intents", "acme.tools.folder"]) == 1
    assert "--draft-spec acme.tools.folder" in capsys.readouterr().err


@pytest.mark.long
def test_a_role_of_a_collection_is_planned_and_applied_with_its_own_modules_and_roles(
    project: Project, trixie_host: LabHost
) -> None:
    run = change(project.open(), "acme.tools.x", {"x_text": "{{ literal }}", "x_pin": "a long secret phrase"})
    assert trixie_host.run("cat /srv/note").stdout == "{{ literal }} a long secret phrase\n"
    assert trixie_host.run("cat /srv/note.label; ls -d /srv/acme").stdout == "noted/srv/acme\n"
    assert "a long secret phrase" not in run.model_dump_json()


@pytest.mark.long
def test_an_old_role_becomes_an_intent_by_its_drafted_specification(
    project: Project, trixie_host: LabHost, capsys: pytest.CaptureFixture[str]
) -> None:
    app = project.open()
    with pytest.raises(NotFoundError, match="--draft-spec greeting"):
        plan(app, "web1", ("greeting", {"greeting_name": "you"}))
    assert main(["intents", "--draft-spec", "greeting"]) == 0
    text = capsys.readouterr().out
    Path(project.directory / "roles" / "greeting" / "meta" / "argument_specs.yml").write_text(text, encoding="utf-8")
    assert list(app.catalog.get("greeting").options) == ["greeting_mark", "greeting_name"]
    trixie_host.run("mkdir -p /etc/greeting && chmod 755 /etc/greeting")
    change(app, "greeting", {"greeting_name": "you", "greeting_mark": "!"})
    assert trixie_host.run("cat /etc/greeting/text /etc/greeting/count").stdout == "Hello you!\n1"
