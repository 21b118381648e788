"""Steps as plays and back, as Ansible itself reads them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from hypothesis import example, given, settings
from hypothesis import strategies as st

from intendant.errors import InputError
from intendant.intents import Step
from intendant.playbooks import Play, Task, write_playbook
from intendant.playsteps import PlaybookLoader, is_play, read_play

TEXTS = [
    "yes", "NO", "on", "null", "~", "", " ", "3.10", "0644", "0o644", "1e3", "1_000", "12:30:00", "2026-01-02", "=",
    "<<", "- a", "a: b", "a #b", "#", "'", '"', "%TAG", "@x", "`x`", "!x", "!unsafe x", "&x", "*x", "|", ">", "{a}",
    "[a]", "---", "line\n", "two\nlines", "\nfirst", " lead\n  more\n", "trail \nx\n", "a\n\n\n\n\nb\n",
    "tab\tx\n\ty\n", "\r\n", "\x1b[0m", "\u202e", "\u200b", "\u2028", "\x85", "\xa0", "ü", "\U0001f600",
    "\U0001f600\u202e", "\ufeff", "x" * 400, "word " * 80, "{{ x }}", "{{x}}", "{% raw %}", "{# c #}", "a {{ b\nc }}",
    "{{ lookup('pipe', 'id') }}", "}}", "{% endraw %}\t\n",
]  # fmt: skip
VALUES: dict[str, Any] = {
    "texts": TEXTS,
    "others": [True, False, None, 0, -1, 10**20, 1.5, [], {}, [[]], {"a": {"b": ["c"]}}],
    "keys": {"yes": 1, "3.10": 2, "a b": 3, "ü": 4, "": 5, "{{ k }}": 6},
    "reference": {"from_var": "db_password"},
    "nested": [{"name": "a", "password": {"from_var": "vault_a"}}],
}


def write(params: dict[str, Any], **more: Any) -> str:
    task = Task("Do it", Step(intent="thing", params=params), **more)
    return write_playbook([Play("Do it", ("web1",), (task,), ("Asked: it",))], ["From tests.", ""])


def read(text: str) -> dict[str, Any]:
    [document] = yaml.load(text, PlaybookLoader)
    assert is_play(document)
    hosts, [step] = read_play(document)
    assert (hosts, step.intent) == ("web1", "thing")
    return step.params


def read_as_ansible(path: Path, text: str, variables: dict[str, Any]) -> Any:
    """The vars of the one task, evaluated with some variables."""
    path.write_text(text, encoding="utf-8")
    loader = DataLoader()
    found = loader.load_from_file(str(path), trusted_as_template=True)[0]["tasks"][0]["vars"]
    return Templar(loader=loader, variables=variables).template(found)


def test_every_value_comes_back_as_it_was() -> None:
    assert read(write(VALUES)) == VALUES


def test_ansible_takes_every_value_as_it_was_given(tmp_path: Path) -> None:
    secrets = {"db_password": "first", "vault_a": "second"}
    found = read_as_ansible(tmp_path / "playbook.yml", write(VALUES), secrets)
    assert found == {**VALUES, "reference": "first", "nested": [{"name": "a", "password": "second"}]}


# Texts that end in empty lines, which random ones seldom do.
@example("\n")
@example("a\n\n")
@example("\na\x85\n")
@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00") | st.sampled_from("{}%#\n \t'\"")))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert read(write({"text": text})) == {"text": text}


def test_the_same_steps_give_the_same_bytes_without_anything_that_hides() -> None:
    written = write(VALUES)
    assert written == write(VALUES)
    assert all(line.isprintable() for line in written.split("\n"))
    assert written.startswith("---\n# yamllint disable rule:line-length\n")
    assert "# From tests.\n#\n" in written
    assert "# Asked: it\n- name: Do it\n" in written


def test_text_of_several_lines_is_a_block() -> None:
    assert "        text: |\n          one\n            two\n" in write({"text": "one\n  two\n"})
    assert "        text: !unsafe |\n          a {{ b }}\n          c\n" in write({"text": "a {{ b }}\nc\n"})


def test_uploads_lie_beside_the_playbook(tmp_path: Path) -> None:
    written = write({"source": "web/motd.txt", "other": "web/motd.txt"}, uploads=("source",))
    assert read(written) == {"source": "web/motd.txt", "other": "web/motd.txt"}
    found = read_as_ansible(tmp_path / "playbook.yml", written, {"playbook_dir": "/srv/play"})
    assert found == {"source": "/srv/play/files/web/motd.txt", "other": "web/motd.txt"}


def test_what_acts_every_time_runs_only_when_it_is_asked_for(tmp_path: Path) -> None:
    written = write({"a": "b"}, once=True)
    assert read(written) == {"a": "b"}
    path = tmp_path / "playbook.yml"
    path.write_text(written.replace("name: thing", "name: web").replace("hosts: web1", "hosts: localhost"))
    listed = [
        subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", path, "-i", "localhost,", "--list-tasks", *tags],
            capture_output=True, text=True, check=True,
        ).stdout.count("TAGS: [never, once]\n") for tags in ((), ("--tags", "all,once"))
    ]  # fmt: skip
    assert listed[0] < listed[1]


def test_a_host_is_a_text_and_several_are_a_list() -> None:
    task = Task("Do it", Step(intent="thing"))
    written = write_playbook([Play("Do it", hosts, (task,)) for hosts in (("web",), ("web1", "web2"))], [])
    first, second = yaml.safe_load(written)
    assert (first["hosts"], second["hosts"]) == ("web", ["web1", "web2"])
    assert "vars" not in first["tasks"][0]
    assert read_play(second) == ("web1,web2", (Step(intent="thing"),))


PLAY = {"name": "x", "hosts": "web1", "become": True}
TASK = {"name": "x", "ansible.builtin.include_role": {"name": "thing"}}


@pytest.mark.parametrize(
    ("play", "says"),
    [
        ({**PLAY, "roles": ["thing"]}, "the play: roles cannot be planned. Allowed: name, hosts, become, tasks."),
        ({**PLAY, "tasks": [TASK], "vars": {}}, "the play: vars cannot be planned"),
        ({**PLAY, "tasks": []}, "tasks: name at least one role"),
        ({**PLAY, "tasks": [TASK], "become": False}, "become: has to be true"),
        ({**PLAY, "tasks": [TASK], "hosts": ["web1", 2]}, "hosts: name a pattern"),
        ({**PLAY, "tasks": [TASK], "hosts": []}, "hosts: name a pattern"),
        ({**PLAY, "tasks": ["x"]}, "tasks.0: is no task"),
        ({**PLAY, "tasks": [TASK, {**TASK, "when": "x"}]}, "tasks.1: when cannot be planned"),
        ({**PLAY, "tasks": [{"name": "x"}]}, "tasks.0: has to be ansible.builtin.include_role"),
        ({**PLAY, "tasks": [{**TASK, "tags": ["x"]}]}, "tasks.0.tags: a plan has none but never, once"),
        ({**PLAY, "tasks": [{**TASK, "vars": ["x"]}]}, "tasks.0.vars: has to name params"),
        ({**PLAY, "tasks": [{**TASK, "vars": {"a": {"b": ["{{ x | y }}"]}}}]}, "tasks.0.vars.a.b[0]: is a template"),
        ({**PLAY, "tasks": [{**TASK, "vars": {"a": "{{x}}"}}]}, "is a template"),
        ({**PLAY, "tasks": [{**TASK, "vars": {"a": "{{ playbook_dir }}/files/{{ x }}"}}]}, "is a template"),
        ({**PLAY, "tasks": [{**TASK, "vars": {"a": b"x"}}]}, "tasks.0.vars.a: is no text"),
    ],
)
def test_a_playbook_of_another_kind_is_refused_by_its_field(play: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as error:
        read_play(play)
    assert says in str(error.value)
    assert (
        "Only plays as 'intendant export' writes them" in str(error.value)
        or "!unsafe" in str(error.value)
        or ("put it in quotes" in str(error.value))
    )
